//! Truncates plain text at the end of a word.

use crate::domain::sanitize_text::single_line;

/// Returns the text on one line, with white space collapsed and deceptive characters removed, truncated with `…` to at
/// most `max_chars` characters.
pub fn single_line_text(text: &str, max_chars: usize) -> String {
    truncate(&single_line(text), max_chars)
}

/// Truncates the text with `…` to at most `max_chars` characters, at the end of a word if one is near.
pub(super) fn truncate(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let keep = max_chars.saturating_sub(1);
    let head: String = text.chars().take(keep).collect();
    let next_is_space = text.chars().nth(keep).is_some_and(char::is_whitespace);
    let end = match head.rfind(char::is_whitespace) {
        Some(at) if !next_is_space && head.len() - at <= 24 => at,
        _ => head.len(),
    };
    let head = head.get(..end).unwrap_or_default();
    let head = head.trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | ':' | '\u{2013}' | '\u{2014}')
    });
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_truncated_at_a_word() {
        assert_eq!(single_line_text("One two, three", 9), "One two…");
        assert_eq!(single_line_text("One two", 7), "One two");
        assert_eq!(single_line_text(&"x".repeat(90), 5), "xxxx…");
    }

    proptest! {
        #[test]
        fn truncation_is_bounded_and_idempotent(text in "\\PC{0,80}", max in 1_usize..60) {
            let once = single_line_text(&text, max);
            prop_assert!(once.chars().count() <= max);
            prop_assert_eq!(single_line_text(&once, max), once);
        }
    }
}
