//! YAML, with each scalar as it is written.

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::super::html;
use super::{FrontMatterField, FrontMatterValue, MAX_DEPTH, MAX_VALUES, SyntaxError};

/// Parses a mapping.
pub(super) fn parse(source: &str) -> Result<Vec<FrontMatterField>, SyntaxError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut reader = Reader {
        source,
        parser: Parser::new_from_str_with_options(source, options),
        values: 0,
        last: None,
        previous: None,
    };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(..), _) => {}
            (Event::MappingStart(..), _) => return reader.mapping(0),
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Vec::new()),
            (Event::Scalar(text, ..), _) if text.is_empty() => {}
            (_, span) => return Err(error(&span, "expected lines such as `title: …`")),
        }
    }
}

struct Reader<'a> {
    source: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    values: usize,
    /// The spans of the last event and of the one before it.
    last: Option<Span>,
    previous: Option<Span>,
}

fn error(span: &Span, what: &str) -> SyntaxError {
    SyntaxError { line: span.start.line(), what: what.to_owned() }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                self.previous = self.last.replace(span);
                Ok((event, span))
            }
            Some(Err(error)) => Err(describe(&error)),
            None => Err(SyntaxError {
                line: self.last.map_or(1, |last| last.end.line()),
                what: "it ends too early".to_owned(),
            }),
        }
    }

    /// Reads what follows the start of a mapping.
    fn mapping(&mut self, depth: usize) -> Result<Vec<FrontMatterField>, SyntaxError> {
        let mut fields = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(fields),
                Event::Scalar(key, _, 0, None) => html::single_line_text(&key, 60),
                _ => return Err(error(&span, "a key must be a word")),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, &value_span, depth)?;
            // The fence precedes the front matter.
            fields.push(FrontMatterField { key, line: span.start.line() + 1, value });
        }
    }

    /// Reads the value that begins with an event.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<FrontMatterValue, SyntaxError> {
        self.values += 1;
        if depth >= MAX_DEPTH || self.values > MAX_VALUES {
            return Err(error(span, "it is nested too deeply or too long"));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                check_plain(span, anchor, tag.as_deref())?;
                if style != ScalarStyle::Plain {
                    return Ok(FrontMatterValue::Text(text.into_owned()));
                }
                self.check_comment(span, span.start.index() == span.end.index())?;
                Ok(match text.as_ref() {
                    "" | "~" | "null" => FrontMatterValue::Nothing,
                    text => FrontMatterValue::Text(text.to_owned()),
                })
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_plain(span, anchor, tag.as_deref())?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(FrontMatterValue::List(items)),
                        (event, span) => items.push(self.node(event, &span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, anchor, tag) => {
                check_plain(span, anchor, tag.as_deref())?;
                Ok(FrontMatterValue::Table(self.mapping(depth + 1)?))
            }
            _ => Err(error(span, "a value that begins with `*` needs quotes")),
        }
    }

    /// Rejects a value that goes on after `#`: `film: #Alive` would be empty, and `title: Movie #1` be `Movie`.
    fn check_comment(&self, span: &Span, is_empty: bool) -> Result<(), SyntaxError> {
        // An empty value has no place of its own: the comment is between what comes before it and what follows.
        let start = if is_empty { self.previous.unwrap_or(*span).end } else { span.end };
        let rest = start.byte_offset().and_then(|at| self.source.get(at..)).unwrap_or_default();
        let lines = if is_empty { span.end.line().saturating_sub(start.line()) + 1 } else { 1 };
        for (number, line) in rest.lines().take(lines).enumerate() {
            // Further lines may be comments of their own.
            let is_value = number == 0 || line.trim_start().starts_with('-');
            let value = line.trim_start_matches([':', '-', ' ', '\t']);
            let next = value.strip_prefix('#').and_then(|comment| comment.chars().next());
            if is_value && next.is_some_and(char::is_alphanumeric) {
                let what = "a value that contains ` #` or begins with `#` needs quotes".to_owned();
                return Err(SyntaxError { line: start.line() + number, what });
            }
        }
        Ok(())
    }
}

/// Rejects anchors and tags: a value such as `!Women Art Revolution` or `&Juliet` is meant as text.
fn check_plain(span: &Span, anchor: usize, tag: Option<&Tag>) -> Result<(), SyntaxError> {
    if anchor != 0 || tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
        return Err(error(span, "a value that begins with `&` or `!` needs quotes"));
    }
    Ok(())
}

fn describe(error: &ScanError) -> SyntaxError {
    SyntaxError { line: error.marker().line(), what: html::single_line_text(&error.info(), 160) }
}
