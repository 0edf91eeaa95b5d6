//! Bounds plain text, and cuts it where a reader would.

use crate::domain::sanitize_text::single_line;

/// The text on one line, with white space folded and deceptive characters removed, truncated with `…` to at most
/// `max_chars`.
pub fn single_line_text(text: &str, max_chars: usize) -> String {
    truncate(&single_line(text), max_chars)
}

/// Truncates the text with `…` to at most `max_chars`, at the end of a word if one is near.
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

/// Abbreviations, whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 16] =
    ["mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "no", "prof", "lt", "col", "gen", "capt", "e.g", "i.e"];

/// The whole sentences that fit into `max_chars`. If the first one is longer, its beginning.
pub(super) fn leading_sentences(text: &str, max_chars: usize) -> String {
    let window: String = text.chars().take(max_chars + 1).collect();
    let mut end = None;
    for (at, c) in window.char_indices() {
        let after = window.get(at + c.len_utf8()..).unwrap_or_default();
        let is_wide = matches!(c, '。' | '！' | '？');
        if !is_wide && !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let closing = after.trim_start_matches(['"', '\'', '\u{201D}', '\u{2019}', ')', ']', '\u{BB}']);
        let ends = is_wide || closing.is_empty() || closing.starts_with(char::is_whitespace);
        let begins = closing.trim_start().chars().next().is_none_or(|c| !c.is_lowercase());
        let word = window.get(..at).and_then(|w| w.rsplit(|c: char| c.is_whitespace() || c == '(').next());
        let word = word.unwrap_or_default().to_lowercase();
        let is_abbreviation =
            c == '.' && (word.chars().count() == 1 || ABBREVIATIONS.contains(&word.as_str()));
        if ends && begins && !is_abbreviation {
            let length = window.len() - closing.len();
            if window.get(..length).is_some_and(|s| s.chars().count() <= max_chars) {
                end = Some(length);
            }
        }
    }
    match end {
        Some(end) => window.get(..end).unwrap_or_default().trim().to_owned(),
        None => truncate(text, max_chars),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_cut_at_a_word() {
        assert_eq!(single_line_text("One two, three", 9), "One two…");
        assert_eq!(single_line_text("One two", 7), "One two");
        assert_eq!(single_line_text(&"x".repeat(90), 5), "xxxx…");
    }

    #[test]
    fn whole_sentences_are_taken() {
        let text = "Mr. J. Doe waits. \u{201C}For what?\u{201D} he asks. Nobody knows the answer at all.";
        assert_eq!(leading_sentences(text, 30), "Mr. J. Doe waits.");
        assert_eq!(leading_sentences(text, 50), "Mr. J. Doe waits. \u{201C}For what?\u{201D} he asks.");
        assert_eq!(leading_sentences(text, 10), "Mr. J.…");
        assert_eq!(leading_sentences("彼は待つ。誰も来ない。", 6), "彼は待つ。");
    }

    proptest! {
        #[test]
        fn lines_are_bounded_and_stay_as_they_are(text in "\\PC{0,80}", max in 1_usize..60) {
            let once = single_line_text(&text, max);
            prop_assert!(once.chars().count() <= max);
            prop_assert_eq!(single_line_text(&once, max), once);
        }
    }
}
