//! The subset of Structured Fields (RFC 9651) that signatures use: dictionaries of inner lists of strings and
//! of byte sequences, with parameters.
//!
//! Parsing is strict. Anything else is rejected, and so is a duplicate key, although the RFC lets the last one win: a proxy
//! and this server could otherwise see two different signatures in one header. The crate `sfv` follows the RFC and limits
//! neither members nor parameters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The most parameters of an item.
const MAX_PARAMETERS: usize = 16;

/// The most members of an inner list.
const MAX_ITEMS: usize = super::MAX_COMPONENTS;

/// A bare item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BareItem {
    Integer(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

pub(super) type Parameters = Vec<(String, BareItem)>;

/// A member of an inner list.
pub(super) type InnerListItem = (String, Parameters);

/// The value of a dictionary member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MemberValue {
    Bytes(Vec<u8>),
    Other,
    /// An inner list of strings, each with its parameters.
    List(Vec<InnerListItem>),
}

/// A member of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) value: MemberValue,
    pub(super) parameters: Parameters,
}

/// Parses a dictionary (section 4.2.2) with at most `max` members.
pub(super) fn parse_dictionary(text: &str, max: usize) -> Option<Vec<Member>> {
    let mut rest = Reader(text.trim_matches(' '));
    let mut members: Vec<Member> = Vec::new();
    while !rest.0.is_empty() {
        if !members.is_empty() {
            rest.skip_any(&[' ', '\t']);
            rest.expect(',')?;
            rest.skip_any(&[' ', '\t']);
        }
        let key = rest.key()?;
        if members.len() >= max || members.iter().any(|member| member.key == key) {
            return None;
        }
        let value = if rest.take('=') { rest.member_value()? } else { MemberValue::Other };
        let parameters = rest.parameters()?;
        members.push(Member { key, value, parameters });
    }
    Some(members)
}

/// Serializes an inner list with its parameters (section 4.1.1.1): the value of `@signature-params`.
pub(super) fn write_list(items: &[InnerListItem], parameters: &Parameters) -> String {
    let items: Vec<String> = items.iter().map(write_item).collect();
    format!("({}){}", items.join(" "), write_parameters(parameters))
}

/// Serializes a string with its parameters (section 4.1.3).
pub(super) fn write_item((text, parameters): &InnerListItem) -> String {
    quoted(text) + &write_parameters(parameters)
}

/// Serializes parameters (section 4.1.1.2).
fn write_parameters(parameters: &Parameters) -> String {
    let mut out = String::new();
    for (key, value) in parameters {
        out.push(';');
        out.push_str(key);
        let written = match value {
            BareItem::Boolean(true) => continue,
            BareItem::Boolean(false) => "?0".to_owned(),
            BareItem::Integer(number) => number.to_string(),
            BareItem::Token(token) => token.clone(),
            BareItem::Bytes(bytes) => format!(":{}:", STANDARD.encode(bytes)),
            BareItem::String(text) => quoted(text),
        };
        out.push('=');
        out.push_str(&written);
    }
    out
}

/// Serializes a string (section 4.1.6).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn take(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Option<()> {
        self.take(c).then_some(())
    }

    fn skip_any(&mut self, any: &[char]) {
        self.0 = self.0.trim_start_matches(any);
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !fits(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Parses a key (section 4.2.3.3).
    fn key(&mut self) -> Option<String> {
        if !self.0.starts_with(|c: char| c.is_ascii_lowercase() || c == '*') {
            return None;
        }
        let fits =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '*');
        Some(self.take_while(fits).to_owned())
    }

    fn member_value(&mut self) -> Option<MemberValue> {
        if self.0.starts_with('(') {
            return self.list().map(MemberValue::List);
        }
        match self.bare()? {
            BareItem::Bytes(bytes) => Some(MemberValue::Bytes(bytes)),
            _ => Some(MemberValue::Other),
        }
    }

    /// Parses an inner list (section 4.2.1.2) whose items are strings.
    fn list(&mut self) -> Option<Vec<InnerListItem>> {
        self.expect('(')?;
        let mut items = Vec::new();
        loop {
            let before = self.0.len();
            self.skip_any(&[' ']);
            let spaced = self.0.len() < before;
            if self.take(')') {
                return Some(items);
            }
            if items.len() >= MAX_ITEMS || (!items.is_empty() && !spaced) {
                return None;
            }
            let item = self.string()?;
            items.push((item, self.parameters()?));
        }
    }

    /// Parses parameters (section 4.2.3.2).
    fn parameters(&mut self) -> Option<Parameters> {
        let mut parameters = Parameters::new();
        while self.take(';') {
            self.skip_any(&[' ']);
            let key = self.key()?;
            let value = if self.take('=') { self.bare()? } else { BareItem::Boolean(true) };
            if parameters.len() >= MAX_PARAMETERS || parameters.iter().any(|(other, _)| *other == key) {
                return None;
            }
            parameters.push((key, value));
        }
        Some(parameters)
    }

    /// Parses a bare item (section 4.2.3.1), except decimals, dates and display strings, which no signature uses.
    fn bare(&mut self) -> Option<BareItem> {
        match self.0.chars().next()? {
            '"' => self.string().map(BareItem::String),
            ':' => self.bytes().map(BareItem::Bytes),
            '?' => match self.0.get(..2)? {
                "?1" => self.rest_from(2, BareItem::Boolean(true)),
                "?0" => self.rest_from(2, BareItem::Boolean(false)),
                _ => None,
            },
            '-' | '0'..='9' => self.integer().map(BareItem::Integer),
            'A'..='Z' | 'a'..='z' | '*' => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
                Some(BareItem::Token(self.take_while(fits).to_owned()))
            }
            _ => None,
        }
    }

    fn rest_from(&mut self, at: usize, bare: BareItem) -> Option<BareItem> {
        self.0 = self.0.get(at..)?;
        Some(bare)
    }

    fn integer(&mut self) -> Option<i64> {
        let minus = self.take('-');
        let digits = self.take_while(|c| c.is_ascii_digit());
        // Only the canonical spelling is accepted, since that is what was signed.
        let canonical = digits == "0" && !minus || !digits.starts_with('0');
        if digits.is_empty() || digits.len() > 15 || !canonical || self.0.starts_with('.') {
            return None;
        }
        let number: i64 = digits.parse().ok()?;
        Some(if minus { -number } else { number })
    }

    fn string(&mut self) -> Option<String> {
        self.expect('"')?;
        let mut out = String::new();
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = self.0.get(at + 1..)?;
                    return Some(out);
                }
                '\\' => match chars.next()?.1 {
                    escaped @ ('"' | '\\') => out.push(escaped),
                    _ => return None,
                },
                ' '..='~' => out.push(c),
                _ => return None,
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.expect(':')?;
        let text = self.take_while(|c| c != ':');
        self.expect(':')?;
        STANDARD.decode(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_fields_of_signatures() {
        let text = r#"sig1=("@method" "x";sf  "content-digest" );created=16;keyid="a\"b";alg=tok;x=:aGk=:;y;z=?0,  b=:aGk=:"#;
        let members = parse_dictionary(text, 4).unwrap();
        assert_eq!(members[0].key, "sig1");
        let MemberValue::List(items) = &members[0].value else { panic!("a list") };
        assert_eq!(items[1], ("x".to_owned(), vec![("sf".to_owned(), BareItem::Boolean(true))]));
        assert_eq!(members[1].value, MemberValue::Bytes(b"hi".to_vec()));
        assert_eq!(
            write_list(items, &members[0].parameters),
            r#"("@method" "x";sf "content-digest");created=16;keyid="a\"b";alg=tok;x=:aGk=:;y;z=?0"#
        );
        assert_eq!(parse_dictionary("", 1), Some(vec![]));
    }

    #[test]
    fn rejects_invalid_fields() {
        for bad in [
            "a=1,",
            "a=1,a=2",
            "A=1",
            "a=(\"x\"\"y\")",
            "a=(\"x\"",
            "a=(x)",
            "a=\"x",
            "a=\"\\n\"",
            "a=:%:",
            "a=:aGk=",
            "a=1;b=1;b=2",
            "a=01",
            "a=1.5",
            "a=1234567890123456",
            "a=?2",
            "a=1 b=2",
            "a=ü",
            "a=\"\u{7f}\"",
            "=1",
        ] {
            assert_eq!(parse_dictionary(bad, 4), None, "{bad}");
        }
        assert_eq!(parse_dictionary("a,b,c", 2), None);
        let many = format!("a=({})", vec!["\"x\""; MAX_ITEMS + 1].join(" "));
        assert_eq!(parse_dictionary(&many, 4), None);
    }
}
