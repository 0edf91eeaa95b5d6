//! Finds quoted texts in headlines, and splits quotation marks and years off titles.

use super::film_facts::{FilmFact, only_year, parse_fact, parse_year};
use super::labels::{CreditLabel, split_label};
use super::person_names::is_full_name;

/// The maximum length of a title in characters.
pub(super) const MAX_TITLE_CHARS: usize = 100;

/// A quoted text, with its place in the headline in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuotedText {
    pub(super) text: String,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the quotation marks are those of titles of works: `『』`, `《》`.
    pub(super) marks_title: bool,
}

/// Returns the closing mark for an opening one.
pub(super) const fn closing_mark(open: char) -> Option<char> {
    Some(match open {
        '\'' => '\'',
        '"' => '"',
        '\u{2018}' | '\u{2019}' => '\u{2019}',
        '\u{201C}' | '\u{201D}' | '\u{201F}' => '\u{201D}',
        '\u{201E}' => '\u{201C}',
        '\u{201A}' => '\u{2018}',
        '«' => '»',
        '‹' => '›',
        '»' => '«',
        '›' => '‹',
        '「' => '」',
        '『' => '』',
        '《' => '》',
        '〈' => '〉',
        '<' => '>',
        _ => return None,
    })
}

/// Returns the quoted texts of a headline, or `None` if the end of a quote is ambiguous.
pub(super) fn quoted_texts(headline: &str) -> Option<Vec<QuotedText>> {
    let chars: Vec<(usize, char)> = headline.char_indices().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, c)) = chars.get(at).copied() {
        let before = at.checked_sub(1).and_then(|b| chars.get(b)).map(|(_, c)| *c);
        // Korean headlines also have titles in `<…>`.
        let is_cjk = matches!(c, '「' | '『' | '《' | '〈') || c == '<' && headline.chars().any(is_hangul);
        let may_open =
            is_cjk || before.is_none_or(|b| b.is_whitespace() || "([:-\u{2013}\u{2014}/|【".contains(b));
        let Some(close) = closing_mark(c).filter(|close| may_open && (is_cjk || *close != '>')) else {
            at += 1;
            continue;
        };
        let end = closing_quote(&chars, at, close)?;
        let (end_byte, mark) = *chars.get(end)?;
        let inner = headline.get(start + c.len_utf8()..end_byte)?;
        // In American English, a comma precedes the closing quote.
        let text = inner.trim().trim_end_matches(',').to_owned();
        let marks_title = matches!(c, '『' | '《' | '〈' | '<');
        found.push(QuotedText { text, start, end: end_byte + mark.len_utf8(), marks_title });
        at = end + 1;
    }
    Some(found)
}

const fn is_hangul(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether a quoted text may be a title.
pub(super) fn may_be_title(text: &str) -> bool {
    let fits = !text.is_empty() && text.chars().count() <= MAX_TITLE_CHARS;
    fits && !text.chars().next().is_some_and(char::is_lowercase)
}

/// Returns the position of the closing quote for the quote that opens at `open`. A single quote after an `s` may be an
/// apostrophe, so it is ambiguous if another candidate follows.
fn closing_quote(chars: &[(usize, char)], open: usize, close: char) -> Option<usize> {
    let opened = chars.get(open)?.1;
    let char_at = |at: usize| chars.get(at).map(|(_, c)| *c);
    if matches!(close, '」' | '』' | '》' | '〉' | '»' | '›' | '«' | '‹' | '>') {
        return (open + 2..chars.len()).find(|at| char_at(*at) == Some(close));
    }
    // A German quote may also be closed in the English way.
    let closes = |c: char| c == close || (opened == '\u{201E}' && matches!(c, '\u{201D}' | '"'));
    let ends = |at: usize| {
        let inside = char_at(at.wrapping_sub(1)).is_some_and(|b| !b.is_whitespace());
        char_at(at).is_some_and(closes) && inside && char_at(at + 1).is_none_or(|a| !a.is_alphanumeric())
    };
    let first = (open + 2..chars.len()).find(|at| ends(*at))?;
    let may_be_possessive =
        matches!(close, '\'' | '\u{2019}') && char_at(first - 1).is_some_and(|c| matches!(c, 's' | 'S'));
    let opens_again = |at: usize| {
        char_at(at).is_some_and(|c| matches!(c, '\'' | '"' | '\u{2018}' | '\u{201C}' | '\u{2019}'))
            && char_at(at - 1).is_some_and(char::is_whitespace)
    };
    let rest = first + 1..chars.len();
    let has_another = rest.take_while(|at| !opens_again(*at)).any(ends);
    (!(may_be_possessive && has_another)).then_some(first)
}

/// Returns the text without surrounding quotes.
pub(super) fn strip_quotes(text: &str) -> &str {
    let text = text.trim();
    let inner = || {
        let open = text.chars().next()?;
        let close = text.chars().next_back()?;
        let matches = closing_mark(open) == Some(close) || (open == '\u{201E}' && close == '\u{201D}');
        let inner = text.get(open.len_utf8()..text.len().checked_sub(close.len_utf8())?)?;
        matches.then(|| inner.trim())
    };
    inner().filter(|inner| !inner.is_empty()).unwrap_or(text)
}

/// Splits a text into a title and the year after it, as in `Stalker (1979)` or `Stalker (Andrei Tarkovsky, 1979)`.
pub(super) fn split_off_year(text: &str) -> Option<(String, i16)> {
    let text = text.trim();
    let (title, inner) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
        .or_else(|| text.strip_suffix(']').and_then(|text| text.rsplit_once('[')))
        .or_else(|| text.strip_suffix('）').and_then(|text| text.rsplit_once('（')))?;
    let inner = inner.trim_end_matches(['年', '년']);
    let is_last_or_first = parse_year(inner.rsplit([' ', ',']).next()?).is_some()
        || parse_year(inner.split([' ', ',']).next()?).is_some();
    let year = only_year(inner).filter(|_| is_last_or_first && inner.chars().count() <= 60)?;
    let title = strip_quotes(title.trim().trim_end_matches([',', ':', '-', '–']).trim());
    (!title.is_empty() && title.chars().count() <= MAX_TITLE_CHARS).then(|| (title.to_owned(), year))
}

/// Returns the year and the person that the brackets at the end of a text name, as in `Stalker (Andrei Tarkovsky, 1979)` or
/// `Stalker (1979, dir. Andrei Tarkovsky)`.
pub(super) fn year_and_person(text: &str) -> Option<(i16, String)> {
    const COMPANIES: [&str; 22] = [
        "lorber",
        "ghibli",
        "bros",
        "bros.",
        "brothers",
        "releasing",
        "distribution",
        "cinema",
        "classics",
        "international",
        "productions",
        "pictures",
        "films",
        "film",
        "studios",
        "entertainment",
        "video",
        "collection",
        "media",
        "home",
        "festival",
        "edition",
    ];
    let (_, inner) = text.trim().strip_suffix(')')?.rsplit_once('(')?;
    let (first, second) = inner.split_once(", ")?;
    let year_of = |text: &str| match parse_fact(text) {
        Some(FilmFact::Year(year)) => Some(year),
        _ => None,
    };
    let (year, person) = match (year_of(first), year_of(second)) {
        (Some(year), None) => (year, second),
        (None, Some(year)) => (year, first),
        _ => return None,
    };
    let labelled = split_label(person).filter(|labelled| labelled.labels == [CreditLabel::Directors]);
    let person = labelled.map_or(person, |labelled| labelled.value);
    let last = person.rsplit(' ').next().unwrap_or_default().to_lowercase();
    let is_person = is_full_name(person)
        && parse_fact(person).is_none()
        && !COMPANIES.contains(&last.as_str())
        && person.split(' ').count() <= 4;
    is_person.then(|| (year, person.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(headline: &str) -> Option<String> {
        match quoted_texts(headline)?.as_slice() {
            [quote] => Some(quote.text.clone()).filter(|text| may_be_title(text)),
            _ => None,
        }
    }

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
            ("Critique : « Lettre à personne »", "Lettre à personne"),
            ("Kritik zu „Brief an niemand“: ein Postbote", "Brief an niemand"),
            ("Kritik: »Brief an niemand«", "Brief an niemand"),
            ("Recension: ”Brev till ingen”", "Brev till ingen"),
            ("Anmeldelse: ’Brev til ingen’", "Brev til ingen"),
            ("映画『誰にも届かない手紙』感想", "誰にも届かない手紙"),
        ] {
            assert_eq!(only(headline).as_deref(), Some(title), "{headline}");
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
            assert_eq!(only(headline), None, "{headline}");
        }
    }
}
