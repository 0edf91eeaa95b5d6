//! Slugs: texts as segments of URLs.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Returns the text as a URL segment: lower-case letters and digits of any script, Latin letters without
/// accents, joined by single hyphens, at most 80 characters. It is empty if the text has no letters or digits.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().map(without_accent).flat_map(char::to_lowercase).take(400) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !matches!(c, '\'' | '\u{2019}') && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= 80 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Returns the text as the URL segment of a review: as [`slug`], but in ASCII, since browsers and chats show other letters
/// as `%E5%8F%8C`. It is empty if there is nothing to transliterate, or if that would be wrong: how kanji are read depends on
/// the words, and tables know only their Chinese readings.
pub fn ascii_slug(text: &str, language: Option<&str>) -> String {
    let is_kana = |c: char| matches!(c, '\u{3041}'..='\u{30FF}');
    let is_japanese =
        text.contains(is_kana) || language.is_some_and(|tag| tag == "ja" || tag.starts_with("ja-"));
    if is_japanese && text.contains(is_han) {
        return String::new();
    }
    let mut ascii = String::new();
    for c in text.chars().take(400) {
        let parts: String = c.nfkd().collect();
        if let Some((number, divisor)) = parts.split_once('\u{2044}') {
            // `½` in `8½`.
            ascii.extend([" ", number, "-", divisor, " "]);
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            for part in c.nfkc() {
                ascii.push_str(deunicode::deunicode_char(part).unwrap_or(" "));
                // Each of these is a syllable.
                if is_han(part) {
                    ascii.push(' ');
                }
            }
        } else {
            // Also an emoji.
            ascii.push(if matches!(c, '\'' | '\u{2019}') { c } else { ' ' });
        }
    }
    slug(&ascii)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Turns `é` into `e`. In other scripts a mark makes a different letter, so those stay.
fn without_accent(c: char) -> char {
    let first = c.nfd().next().unwrap_or(c);
    if first.is_ascii_alphabetic() { first } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slugs_are_short_and_clean() {
        assert_eq!(slug("  'Stalker': the room, & you!"), "stalker-the-room-you");
        assert_eq!(slug("Don\u{2019}t Look Now"), "dont-look-now");
        assert_eq!(slug("Слон / 象"), "слон-象");
        assert_eq!(slug("Cléo de 5 à 7"), "cleo-de-5-a-7");
        assert_eq!(slug("???"), "");
        assert_eq!(slug(&"a".repeat(500)).len(), 80);
    }

    #[test]
    fn the_slug_of_a_review_is_in_ascii() {
        for (title, expected) in [
            ("8½ 1963", "8-1-2-1963"),
            ("Naked Gun 2½: The Smell of Fear", "naked-gun-2-1-2-the-smell-of-fear"),
            ("9¾", "9-3-4"),
            ("Alien³ 1992", "alien3-1992"),
            ("The 😀 Movie™", "the-movie"),
            ("Emoji 🎬🍿", "emoji"),
            ("Amélie", "amelie"),
            ("Ame\u{301}lie", "amelie"),
            ("Straße nach Łódź", "strasse-nach-lodz"),
            ("Брат 1997", "brat-1997"),
            ("Сталкер", "stalker"),
            ("霸王别姬 1993", "ba-wang-bie-ji-1993"),
            ("기생충 2019", "gisaengcung-2019"),
            ("さようなら", "sayounara"),
            ("Ψυχή", "psukhe"),
            ("ＡＫＩＲＡ", "akira"),
            ("Don\u{2019}t Look Now", "dont-look-now"),
            ("七人の侍 1954", ""),
            ("½ & ★", "1-2"),
            ("😀", ""),
        ] {
            assert_eq!(ascii_slug(title, Some("en")), expected, "{title}");
        }
        assert_eq!(ascii_slug("東京物語 1953", Some("ja")), "");
    }

    proptest! {
        #[test]
        fn no_text_gives_a_slug_that_is_not_plain(text in "\\PC{0,60}") {
            let slug = ascii_slug(&text, None);
            prop_assert!(slug.len() <= 80 && slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", slug);
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{}", slug);
        }
    }
}
