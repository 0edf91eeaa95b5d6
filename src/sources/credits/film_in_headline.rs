//! Finds the title of a film in a headline.

use super::dates::film_year;
use crate::domain::content_hash::fold_letters;

const OPENING_QUOTES: [char; 4] = ['\'', '"', '\u{2018}', '\u{201C}'];
/// The maximum length of a title in characters.
const MAX_TITLE_CHARS: usize = 100;

/// Returns the quoted text of a headline, or `None` if there are several quotes or if the end of the quote is ambiguous.
pub(super) fn quoted_title(headline: &str) -> Option<String> {
    let chars: Vec<char> = headline.chars().collect();
    let mut found = None;
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let before = at.checked_sub(1).and_then(|b| chars.get(b));
        let opens = OPENING_QUOTES.contains(c)
            && before.is_none_or(|b| b.is_whitespace() || "([:-\u{2013}\u{2014}/".contains(*b));
        if !opens {
            at += 1;
            continue;
        }
        let end = closing_quote(&chars, at)?;
        let inner: String = chars.get(at + 1..end)?.iter().collect();
        if found.replace(inner).is_some() {
            return None;
        }
        at = end + 1;
    }
    let title: String = found?;
    // In American English, a comma precedes the closing quote.
    let title = title.trim().trim_end_matches(',').to_owned();
    let fits = !title.is_empty() && title.chars().count() <= MAX_TITLE_CHARS;
    (fits && !title.chars().next().is_some_and(char::is_lowercase)).then_some(title)
}

/// Returns the position of the closing quote for the quote that opens at `open`. A single quote after an `s` may be an
/// apostrophe, so it is ambiguous if another candidate follows.
fn closing_quote(chars: &[char], open: usize) -> Option<usize> {
    let close = match chars.get(open)? {
        '\u{2018}' => '\u{2019}',
        '\u{201C}' => '\u{201D}',
        c => *c,
    };
    let ends = |at: usize| {
        let after = chars.get(at + 1);
        let inside = chars.get(at.wrapping_sub(1)).is_some_and(|b| !b.is_whitespace());
        chars.get(at) == Some(&close) && inside && after.is_none_or(|a| !a.is_alphanumeric())
    };
    let first = (open + 2..chars.len()).find(|at| ends(*at))?;
    let may_be_possessive =
        matches!(close, '\'' | '\u{2019}') && chars.get(first - 1).is_some_and(|c| matches!(c, 's' | 'S'));
    let opens_again = |at: usize| {
        chars.get(at).is_some_and(|c| OPENING_QUOTES.contains(c))
            && chars.get(at - 1).is_some_and(|b| b.is_whitespace())
    };
    let rest = first + 1..chars.len();
    let has_another = rest.take_while(|at| !opens_again(*at)).any(ends);
    (!(may_be_possessive && has_another)).then_some(first)
}

/// Returns the title and year of a headline such as `Stalker (1979)`, with or without the word *review* around them.
pub(super) fn title_with_year(headline: &str) -> Option<(String, i16)> {
    let mut text = headline.trim();
    for head in ["Movie Review:", "Film Review:", "Review:"] {
        if text.get(..head.len()).is_some_and(|h| h.eq_ignore_ascii_case(head)) {
            text = text.get(head.len()..)?.trim();
        }
    }
    for tail in ["movie review", "film review", "review"] {
        let at = text.len().checked_sub(tail.len());
        if let Some(at) = at.filter(|at| text.get(*at..).is_some_and(|t| t.eq_ignore_ascii_case(tail))) {
            text = text.get(..at)?.trim().trim_end_matches(['-', ':', '\u{2013}', '\u{2014}']).trim();
            break;
        }
    }
    split_off_year(text)
}

/// Splits a text into a title and the year in parentheses after it.
pub(super) fn split_off_year(text: &str) -> Option<(String, i16)> {
    let (title, year) = text.trim().strip_suffix(')')?.rsplit_once('(')?;
    let is_four_digits = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
    let year = is_four_digits.then(|| year.parse().ok()).flatten().and_then(film_year)?;
    let title = strip_quotes(title.trim());
    (!title.is_empty() && title.chars().count() <= MAX_TITLE_CHARS).then(|| (title.to_owned(), year))
}

/// Returns the text without surrounding quotes.
pub(super) fn strip_quotes(text: &str) -> &str {
    [('\'', '\''), ('"', '"'), ('\u{2018}', '\u{2019}'), ('\u{201C}', '\u{201D}')]
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(text)
}

/// Whether a line is capitalized like a title and is not a byline.
pub(super) fn is_title_case(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_lowercase = |w: &&str| w.chars().count() >= 4 && w.chars().next().is_some_and(char::is_lowercase);
    let first = words.first().copied().unwrap_or_default();
    (1..=8).contains(&words.len())
        && !first.eq_ignore_ascii_case("by")
        && !first.starts_with(char::is_lowercase)
        && !words.iter().any(is_lowercase)
        && !text.contains(['@', ':'])
        && !fold_letters(text).contains("review")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_title_is_found() {
        for (headline, title) in [
            ("Movie Review: 'Anora' is Among the Best of 2024", "Anora"),
            ("\u{2018}Don\u{2019}t Look Now\u{2019} still chills", "Don\u{2019}t Look Now"),
            ("Review: 'Don't Look Now' still chills", "Don't Look Now"),
            ("\u{201C}Ocean\u{2019}s Eleven\u{201D}: a review", "Ocean\u{2019}s Eleven"),
            ("In \"Stalker,\" a room waits", "Stalker"),
            ("Review: 'Thunderbolts' Is Marvel's Best", "Thunderbolts"),
            ("'8\u{bd}' at sixty", "8\u{bd}"),
        ] {
            assert_eq!(quoted_title(headline).as_deref(), Some(title), "{headline}");
        }
    }

    #[test]
    fn an_ambiguous_quote_is_not_a_title() {
        for headline in [
            "Anora",
            "'Wicked' and 'Gladiator II' collide",
            "The critics' choice",
            "Rock 'n' roll",
            "'The Boys' and the girls' revenge",
            "It's what it's",
            "An \"elevated\" horror",
            "''",
            "'",
            "Don't 'look",
        ] {
            assert_eq!(quoted_title(headline), None, "{headline}");
        }
    }

    #[test]
    fn a_title_with_a_year_is_found() {
        for headline in [
            "Stalker (1979)",
            "Review: Stalker (1979)",
            "'Stalker' (1979) Movie Review",
            "Stalker (1979) \u{2013} review",
        ] {
            assert_eq!(title_with_year(headline), Some(("Stalker".into(), 1979)), "{headline}");
        }
        for headline in
            ["Stalker", "Stalker (Remastered)", "(1979)", "Stalker (0001)", "Why Stalker (1979) endures"]
        {
            assert_eq!(title_with_year(headline), None, "{headline}");
        }
    }
}
