//! Escapes text for HTML and XML, and reverses it.
//!
//! This module has all escapers but one: `sources::html::limit_nesting` rewrites markup whose attributes are still escaped,
//! so it must not escape their ampersands again.

use std::borrow::Cow;

/// Returns the character reference that a character needs in text or in a quoted attribute.
pub const fn reference(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// Appends the text to HTML or XML, escaped.
pub fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match reference(c) {
            Some(reference) => out.push_str(reference),
            None => out.push(c),
        }
    }
}

/// Returns the text, escaped for HTML or XML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_into(&mut out, text);
    out
}

/// Appends the text as the HTML standard serializes an attribute (section 13.3): an apostrophe stays as it is, and a
/// no-break space becomes a reference. Sanitized HTML is written this way, so that sanitizing it again changes nothing.
pub fn serialize_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\'' => out.push(c),
            '\u{A0}' => out.push_str("&nbsp;"),
            c => match reference(c) {
                Some(reference) => out.push_str(reference),
                None => out.push(c),
            },
        }
    }
}

/// The bytes that a character takes when [`serialize_into`] writes it.
pub fn serialized_char_len(c: char) -> usize {
    match c {
        '\'' => 1,
        '\u{A0}' => "&nbsp;".len(),
        c => reference(c).map_or(c.len_utf8(), str::len),
    }
}

/// The bytes that [`serialize_into`] writes for a text.
pub fn serialized_len(text: &str) -> usize {
    text.chars().map(serialized_char_len).sum()
}

/// Decodes the references that [`escape_into`] and [`serialize_into`] write. HTML from other servers may contain many
/// more.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let decoded = text
        .replace("&nbsp;", "\u{A0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        // Last, so that nothing is decoded twice.
        .replace("&amp;", "&");
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_in_a_text_is_shown_as_text() {
        assert_eq!(
            escape("<b title=\"a\" x='1'>&amp;"),
            "&lt;b title=&quot;a&quot; x=&#39;1&#39;&gt;&amp;amp;"
        );
    }

    #[test]
    fn serialized_text_keeps_apostrophes_and_no_break_spaces() {
        let mut out = String::new();
        serialize_into(&mut out, "'a\u{A0}\"<&");
        assert_eq!(out, "'a&nbsp;&quot;&lt;&amp;");
    }

    proptest! {
        #[test]
        fn escaped_text_is_decoded_once(text in "[&<>\"'\u{A0}a-z#;]{0,40}") {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped), text.as_str());
            let mut serialized = String::new();
            serialize_into(&mut serialized, &text);
            prop_assert_eq!(serialized_len(&text), serialized.len());
            prop_assert_eq!(unescape(&serialized), text.as_str());
        }
    }
}
