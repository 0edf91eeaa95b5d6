//! Reads HTML as tags and texts, the way a browser does, in one pass.

/// A longer value of an attribute is dropped: html5ever's writer is quadratic in it.
const VALUE: usize = 4_000;
/// Attributes of one element beyond this are dropped.
const ATTRIBUTES: usize = 24;

/// Elements whose content is no text for people.
pub(super) const WITHOUT_CONTENT: [&str; 17] = [
    "script", "style", "title", "textarea", "iframe", "noscript", "noembed", "noframes", "xmp", "svg",
    "math", "object", "video", "audio", "canvas", "select", "template",
];
/// Those whose content is not even markup: they end at their own end tag.
const RAW: usize = 9;
/// Attributes that anything later looks at.
const KEPT: [&str; 15] = [
    "href",
    "src",
    "data-src",
    "data-lazy-src",
    "alt",
    "title",
    "width",
    "height",
    "colspan",
    "rowspan",
    "start",
    "class",
    "id",
    "lang",
    "dir",
];

/// A piece of HTML as written.
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

    /// Skips to behind `end`; to the end of all where it is missing, as a browser does.
    fn skip_behind(&mut self, end: &str) {
        let at = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.take(at);
    }

    /// Skips the raw content of an element to before its end tag.
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
            // A name may start with `=`, says the standard.
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
            if found.len() >= ATTRIBUTES || value.len() > VALUE || name.len() > 20 {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if found.len() < ATTRIBUTES
                && KEPT.contains(&name.as_str())
                && !found.iter().any(|(n, _)| *n == name)
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
                    let attributes = self.attributes();
                    if WITHOUT_CONTENT.iter().take(RAW).any(|raw| *raw == name) {
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
                        self.skip_behind(">");
                    } else {
                        self.skip_behind("-->");
                    }
                }
                Some('!' | '?' | '/') => self.skip_behind(">"),
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }
}
