//! How text of strangers enters logs, errors and terminals.
//!
//! Whatever others send can be quoted in a message: a URL, a name, a document that a parser rejects. Such text may be as
//! long as a body, break lines, reverse the text around it, or contain escape sequences that a terminal obeys.
//! [`Untrusted`] writes it as a short piece of one line, and [`PrintableText`] writes longer text that is safe to print.

use std::fmt::{self, Display, Write};

use super::sanitize_text::is_deceptive;

/// Characters of a text that are shown.
const MAX_CHARACTERS: usize = 200;

/// Characters that are shown of an error with its causes. Most of them are our own words.
const MAX_ERROR_CHARACTERS: usize = 600;

/// Text of a stranger, or a value that may quote some, as logs, errors and commands show it: at most 200 characters on
/// one line, with control, invisible and bidirectional characters escaped. If it is longer, the number of its bytes
/// follows.
///
/// The value is formatted when this is, so that a line that is not logged costs nothing. `Debug` puts it in quotation
/// marks, for text with spaces that stands among other fields of a line.
#[derive(Clone, Copy)]
pub struct Untrusted<'a> {
    text: &'a dyn Display,
    max: usize,
    is_chain: bool,
}

impl<'a> Untrusted<'a> {
    /// A text or value.
    pub fn new(text: &'a dyn Display) -> Self {
        Self { text, max: MAX_CHARACTERS, is_chain: false }
    }

    /// A text or value of which at most so many characters are shown.
    pub fn up_to(max: usize, text: &'a dyn Display) -> Self {
        Self { text, max, is_chain: false }
    }

    /// An error with its causes, as `anyhow` shows it with `{:#}`: at most 600 characters.
    pub fn chain(error: &'a dyn Display) -> Self {
        Self { text: error, max: MAX_ERROR_CHARACTERS, is_chain: true }
    }
}

impl Untrusted<'_> {
    fn write(self, out: &mut dyn Write, is_quoted: bool) -> fmt::Result {
        let mut short = ShortWriter { out, room: self.max, bytes: 0, is_cut: false, is_quoted };
        if self.is_chain {
            write!(short, "{:#}", self.text)?;
        } else {
            write!(short, "{}", self.text)?;
        }
        let ShortWriter { out, bytes, is_cut, .. } = short;
        if is_cut { write!(out, "… ({bytes} bytes)") } else { Ok(()) }
    }
}

impl Display for Untrusted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out, false)
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        self.write(out, true)?;
        out.write_char('"')
    }
}

/// A text of several lines whose line breaks and tabs are kept, while other control, invisible and bidirectional
/// characters are escaped. It is not shortened.
#[derive(Debug, Clone, Copy)]
pub struct PrintableText<'a>(pub &'a str);

impl Display for PrintableText<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, c)) = first_unsafe(rest, |c| matches!(c, '\n' | '\t')) {
            out.write_str(&rest[..at])?;
            write!(out, "{}", c.escape_unicode())?;
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_str(rest)
    }
}

/// Whether a character has to be escaped where text of strangers stands on a line.
pub fn is_unsafe(c: char) -> bool {
    !matches!(c, ' '..='~') && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_deceptive(c))
}

/// The first character that has to be escaped, and its position.
fn first_unsafe(text: &str, keep: impl Fn(char) -> bool) -> Option<(usize, char)> {
    text.char_indices().find(|&(_, c)| is_unsafe(c) && !keep(c))
}

/// Passes on what there is room for, escaped, and counts the bytes of all.
struct ShortWriter<'w> {
    out: &'w mut dyn Write,
    room: usize,
    bytes: usize,
    is_cut: bool,
    is_quoted: bool,
}

impl ShortWriter<'_> {
    fn needs_escape(&self, c: char) -> bool {
        is_unsafe(c) || self.is_quoted && matches!(c, '"' | '\\')
    }

    /// Writes text that needs no escapes at once, if there is room for all of it.
    fn write_plain(&mut self, text: &str) -> Option<fmt::Result> {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !self.needs_escape(char::from(byte));
        if self.is_cut || text.len() > self.room || !text.bytes().all(is_plain) {
            return None;
        }
        self.room -= text.len();
        Some(self.out.write_str(text))
    }
}

impl Write for ShortWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        if let Some(written) = self.write_plain(text) {
            return written;
        }
        for c in text.chars() {
            if self.is_cut {
                break;
            }
            let needs_escape = self.needs_escape(c);
            let length = if needs_escape { escape(c).count() } else { 1 };
            if length > self.room {
                self.is_cut = true;
                break;
            }
            self.room -= length;
            if needs_escape {
                escape(c).try_for_each(|c| self.out.write_char(c))?;
            } else {
                self.out.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A character as Rust writes it in a literal.
fn escape(c: char) -> impl Iterator<Item = char> {
    let is_short = matches!(c, '\n' | '\r' | '\t' | '"' | '\\');
    let short = is_short.then(|| c.escape_default()).into_iter().flatten();
    let long = (!is_short).then(|| c.escape_unicode()).into_iter().flatten();
    short.chain(long)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use proptest::prelude::*;

    use super::*;

    fn show(text: &str) -> String {
        Untrusted::new(&text).to_string()
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "",
            "https://remote.example/users/alice?a=b#main-key",
            "Łódź, 東京, نمی\u{200c}خواهم 👩\u{200d}🚀",
        ] {
            assert_eq!(show(text), text);
        }
    }

    #[test]
    fn what_a_terminal_or_a_reader_would_obey_is_escaped() {
        assert_eq!(show("\u{1b}[2J\u{1b}]0;x\u{7}"), r"\u{1b}[2J\u{1b}]0;x\u{7}");
        assert_eq!(show("a\r\nb\tc\u{2028}d\u{85}e"), r"a\r\nb\tc\u{2028}d\u{85}e");
        assert_eq!(show("\u{9b}2J\0\u{7f}"), r"\u{9b}2J\u{0}\u{7f}");
        assert_eq!(
            show("a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{e0041}"),
            r"a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{e0041}"
        );
    }

    #[test]
    fn long_text_is_cut_and_says_how_long_it_is() {
        assert_eq!(show(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(show(&"x".repeat(900_000)), format!("{}… (900000 bytes)", "x".repeat(200)));
        assert_eq!(show(&"é".repeat(201)), format!("{}… (402 bytes)", "é".repeat(200)));
        // An escape is never cut.
        assert_eq!(show(&"\u{1b}".repeat(1_000)), format!("{}… (1000 bytes)", r"\u{1b}".repeat(33)));
        assert_eq!(show(&format!("{}\u{1b}x", "x".repeat(196))), format!("{}… (198 bytes)", "x".repeat(196)));
    }

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let error =
            anyhow!("expected value at `\u{1b}[2J`").context("not JSON").context("could not fetch key");
        assert_eq!(Untrusted::new(&error).to_string(), "could not fetch key");
        let shown = Untrusted::chain(&error).to_string();
        assert_eq!(shown, r"could not fetch key: not JSON: expected value at `\u{1b}[2J`");
        let long = anyhow!("y".repeat(1_000_000)).context("cause");
        assert!(Untrusted::chain(&long).to_string().ends_with("y… (1000007 bytes)"));
        assert_eq!(format!("{:?}", Untrusted::new(&"a\n\" b=\\")), r#""a\n\" b=\\""#);
    }

    #[test]
    fn printable_text_keeps_its_lines() {
        assert_eq!(
            PrintableText("a\n\tb\u{1b}[1m\rc\u{202e}").to_string(),
            "a\n\tb\\u{1b}[1m\\u{d}c\\u{202e}"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_long_or_unsafe(text in "\\PC{0,300}|[\\x00-\\x{a0}\\x{200b}-\\x{2069}]{0,300}") {
            let shown = show(&text);
            prop_assert!(!shown.contains(is_unsafe), "{}", shown);
            prop_assert!(shown.chars().count() <= MAX_CHARACTERS + 20);
            prop_assert!(!PrintableText(&text).to_string().contains(|c: char| is_unsafe(c) && c != '\n' && c != '\t'));
        }
    }
}
