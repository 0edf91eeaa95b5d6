//! Splits HTML into tags and text in one pass, as browsers do.
//!
//! html5ever's tokenizer cannot be used for this, since it feeds a tree builder, which takes quadratic time in the depth
//! of hostile markup. This lexer feeds `limit_nesting`, which limits the depth first.

use super::{elements, image_sources};

/// The maximum size of an attribute's value in bytes. html5ever's serializer is quadratic in it, so longer ones are
/// dropped.
const MAX_VALUE_BYTES: usize = 4_000;
/// The maximum number of attributes of one element. The others are dropped.
const MAX_ATTRIBUTES: usize = 24;

/// Attributes that a later step reads, besides those of `image_sources`.
const KEPT_ATTRIBUTES: [&str; 14] = [
    "href", "src", "alt", "title", "type", "width", "height", "colspan", "rowspan", "start", "class", "id",
    "lang", "dir",
];

/// The maximum length of the name of a kept attribute in bytes.
const MAX_NAME_BYTES: usize = 40;

fn is_kept(name: &str, value: &str) -> bool {
    KEPT_ATTRIBUTES.contains(&name)
        || image_sources::source_attributes().any(|source| source == name)
        || (name.starts_with("data-") && image_sources::is_image_file(value))
}

/// A token of HTML. References in it are not decoded.
pub(super) enum Token<'a> {
    Text(&'a str),
    Open(String, Vec<(String, &'a str)>),
    Close(String),
}

pub(super) struct Lexer<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Lexer<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// Skips everything up to and including `end`, or the whole rest if it is missing, as a browser does.
    fn skip_past(&mut self, end: &str) {
        let at = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.take(at);
    }

    /// Skips the raw text of an element, up to its end tag.
    fn skip_raw(&mut self, name: &str) {
        let mut from = 0;
        while let Some(at) = self.rest.get(from..).and_then(|rest| rest.find("</")) {
            let start = from + at + 2;
            let end = start + name.len();
            if self.rest.get(start..end).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
                self.take(start - 2);
                return;
            }
            from = start;
        }
        self.rest = "";
    }

    fn name(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
            .unwrap_or(self.rest.len());
        self.take(end).to_ascii_lowercase()
    }

    fn attributes(&mut self) -> Vec<(String, &'a str)> {
        let mut found: Vec<(String, &'a str)> = Vec::new();
        loop {
            let skip =
                self.rest.find(|c: char| !c.is_ascii_whitespace() && c != '/').unwrap_or(self.rest.len());
            self.take(skip);
            if self.rest.is_empty() || self.rest.starts_with('>') {
                self.take(usize::from(!self.rest.is_empty()));
                return found;
            }
            // HTML allows `=` as the first character of a name.
            let first = self.rest.chars().next().map_or(0, char::len_utf8);
            let end = self.rest.get(first..).and_then(|rest| {
                rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))
            });
            let name = self.take(end.map_or(self.rest.len(), |e| e + first));
            let spaced = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let mut value = "";
            if let Some(after) = spaced.strip_prefix('=') {
                self.rest = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
                value = self.value();
            }
            if found.len() >= MAX_ATTRIBUTES || value.len() > MAX_VALUE_BYTES || name.len() > MAX_NAME_BYTES {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if found.len() < MAX_ATTRIBUTES && is_kept(&name, value) && !found.iter().any(|(n, _)| *n == name)
            {
                found.push((name, value));
            }
        }
    }

    fn value(&mut self) -> &'a str {
        for quote in ['"', '\''] {
            if let Some(inner) = self.rest.strip_prefix(quote) {
                self.rest = inner;
                let end = inner.find(quote).unwrap_or(inner.len());
                let value = self.take(end);
                self.take(usize::from(!self.rest.is_empty()));
                return value;
            }
        }
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(self.rest.len());
        self.take(end)
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let mut chars = self.rest.chars();
            if chars.next() != Some('<') {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            }
            match chars.next() {
                Some(c) if c.is_ascii_alphabetic() => {
                    self.take(1);
                    let name = self.name();
                    // Browsers read `<image>` as `<img>`, and AMP has its own.
                    let name =
                        if matches!(name.as_str(), "image" | "amp-img") { "img".to_owned() } else { name };
                    let attributes = self.attributes();
                    if elements::is_raw_text(&name) {
                        self.skip_raw(&name);
                    }
                    return Some(Token::Open(name, attributes));
                }
                Some('/') if chars.next().is_some_and(|c| c.is_ascii_alphabetic()) => {
                    self.take(2);
                    let name = self.name();
                    self.attributes();
                    return Some(Token::Close(name));
                }
                Some('!') if self.rest.starts_with("<!--") => {
                    self.take(4);
                    if self.rest.starts_with('>') || self.rest.starts_with("->") {
                        self.skip_past(">");
                    } else {
                        self.skip_past("-->");
                    }
                }
                Some('!' | '?' | '/') => self.skip_past(">"),
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }
}
