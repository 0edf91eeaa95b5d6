//! Cleans plain text from outside so that it can be shown among other text.
//!
//! Escaping prevents text from being interpreted as markup. The functions here prevent it from reversing the
//! text around it, from hiding in it, and from stacking marks over neighbouring lines.

use unicode_normalization::char::is_combining_mark;

/// The most combining marks on one letter. Vietnamese needs two, Hebrew three.
const MAX_MARKS_PER_LETTER: usize = 4;

/// Removes control characters, characters that change the direction of writing, invisible characters, and
/// excessive combining marks. Line breaks and tabs are kept.
pub fn strip_deceptive_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        if is_deceptive(c) {
            continue;
        }
        if is_joiner(c) {
            // Emoji and Persian words need joiners, but a second in a row, or one after a space, is invisible.
            if out.chars().next_back().is_none_or(|before| before.is_whitespace() || is_joiner(before)) {
                continue;
            }
        } else if is_combining_mark(c) || matches!(c, '\u{FE00}'..='\u{FE0F}') {
            marks += 1;
            if marks > MAX_MARKS_PER_LETTER {
                continue;
            }
        } else {
            marks = 0;
        }
        out.push(match c {
            '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
            c => c,
        });
    }
    out
}

/// Returns the text on one line: without deceptive characters, with white space collapsed and trimmed.
pub fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace().map(strip_deceptive_characters).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    line
}

/// Removes the characters that XML does not allow (XML 1.0 section 2.2).
pub fn strip_invalid_xml(text: &str) -> String {
    let is_valid = |c: &char| match c {
        '\t' | '\n' | '\r' => true,
        c => !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'),
    };
    text.chars().filter(is_valid).collect()
}

/// Whether the character is an invisible joiner.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Whether the character is a control, changes the direction of text (Unicode Annex 9), or is invisible.
pub(super) fn is_deceptive(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\t' | '\u{85}');
    control
        || matches!(
            c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
                | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn characters_invalid_in_xml_are_removed() {
        assert_eq!(strip_invalid_xml("a\u{1}b\u{fffe}c\td\n🎬"), "abc\td\n🎬");
    }

    #[test]
    fn a_line_cannot_reverse_or_hide_the_text_beside_it() {
        assert_eq!(single_line(" a\u{202e}b\0\tc\n\u{200b}\u{feff} d\r\n e\rf\u{7} "), "ab c d e f");
        assert_eq!(single_line("  a\u{202e}b \u{7}\n c\u{2066} "), "ab c");
        assert_eq!(single_line("\u{200d}\u{200d} a\u{200d}\u{200c}"), "a\u{200d}");
        assert_eq!(single_line("نمی\u{200c}خواهم 👩\u{200d}🚀"), "نمی\u{200c}خواهم 👩\u{200d}🚀");
    }

    #[test]
    fn combining_marks_are_limited() {
        let zalgo = format!("Z{}!", "\u{301}".repeat(1_000));
        assert_eq!(single_line(&zalgo).chars().count(), 2 + MAX_MARKS_PER_LETTER);
        let joined = format!("Z{}!", "\u{301}\u{200d}".repeat(1_000));
        assert!(
            single_line(&joined).chars().count() <= 3 + 2 * MAX_MARKS_PER_LETTER,
            "joiners start no new letter"
        );
        assert_eq!(single_line("e\u{301}te\u{301}"), "e\u{301}te\u{301}");
    }

    #[test]
    fn line_breaks_are_kept_in_multi_line_text() {
        assert_eq!(strip_deceptive_characters("a\n\tb\u{2028}c\r\nd"), "a\n\tb\nc\nd");
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent(text in "[\\PCa-c \u{301}\u{200c}\u{200d}\u{200b}\n]{0,40}") {
            let once = single_line(&text);
            prop_assert_eq!(single_line(&once), once.clone());
            prop_assert_eq!(strip_deceptive_characters(&once), once);
        }
    }
}
