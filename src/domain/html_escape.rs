//! Escapes text for HTML and XML. No other module does so.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_is_shown_as_text() {
        assert_eq!(
            escape("<b title=\"a\" x='1'>&amp;"),
            "&lt;b title=&quot;a&quot; x=&#39;1&#39;&gt;&amp;amp;"
        );
    }
}
