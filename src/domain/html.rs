//! Escapes text for HTML and XML. Nothing else in the tree does.

/// The reference that a character needs, in text and in a quoted attribute.
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

/// Appends text to HTML or XML.
pub fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match reference(c) {
            Some(reference) => out.push_str(reference),
            None => out.push(c),
        }
    }
}

/// The text as HTML or XML.
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
