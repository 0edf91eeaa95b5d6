//! What a headline is about if it is not the review of one film: several films, a year, a book, a series, or news.

use super::film_facts::only_year;
use super::labels::{WordKind, is_word};
use super::quoted_title::{QuotedText, split_off_year};

/// Whether a headline announces a trailer or the like. Words in quotation marks do not count.
pub(super) fn is_news(text: &str, quotes: &[QuotedText]) -> bool {
    const WORDS: [&str; 4] = ["trailer", "trailers", "teaser", "casting"];
    const STARTS: [&str; 6] =
        ["interview:", "interview –", "interview -", "interview |", "entrevista:", "intervista:"];
    // `The Trailer (2014)` is a film.
    if names_review(text) || split_off_year(text).is_some() {
        return false;
    }
    let mut around = String::new();
    let mut start = 0;
    for quote in quotes {
        around.push_str(text.get(start..quote.start).unwrap_or_default());
        start = quote.end;
    }
    around.push_str(text.get(start..).unwrap_or_default());
    let around = around.to_lowercase();
    STARTS.iter().any(|start| around.starts_with(start))
        || around.contains("first look")
        || around.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Whether a word of a text, or two or three of them, mean *review*.
pub(super) fn names_review(text: &str) -> bool {
    has_phrase(text, WordKind::Review)
}

/// Whether up to three words of a text in their order are a word of a kind.
pub(super) fn has_phrase(text: &str, kind: WordKind) -> bool {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",:;|()[]【】–—：!?".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    (1..=3).any(|length| words.windows(length).any(|window| is_word(&window.join(" "), kind)))
}

/// Whether a headline names two years in brackets, and so two films or a film and its remake.
pub(super) fn names_two_years(text: &str) -> bool {
    let mut years = text
        .split(['(', '（'])
        .skip(1)
        .filter_map(|part| part.split([')', '）']).next())
        .filter_map(only_year);
    years.next().is_some_and(|first| years.any(|year| year != first))
}

/// Whether a headline is like `The Year in Review` or `Ranking Every Film of the Year`.
pub(super) fn is_digest(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_list = lower.starts_with("ranking ")
        || lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ranked")
        || lower.strip_prefix("top ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    is_list || words.windows(2).any(|pair| matches!(pair, ["in" | "under", "review"]))
}

/// Whether a headline is of a review of something that is not a film, such as a book or a season of a series.
pub(super) fn is_about_something_else(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || ",:;|()[]【】–—：!?\"'".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let is_number = |word: &str| {
        word.bytes().all(|b| b.is_ascii_digit())
            || matches!(word, "one" | "two" | "three" | "four" | "five" | "i" | "ii" | "iii")
    };
    let ends_with_year = split_off_year(text).is_some();
    words.windows(2).any(|pair| {
        let [first, second] = pair else { return false };
        let is_season = matches!(
            *first,
            "season"
                | "series"
                | "episode"
                | "staffel"
                | "saison"
                | "stagione"
                | "temporada"
                | "seizoen"
                | "säsong"
                | "sæson"
                | "sesong"
                | "sezon"
        ) && is_number(second);
        let is_review = is_word(second, WordKind::Review);
        let other_thing = is_word(first, WordKind::NotFilm);
        // `Noirvember, Episode 12: Stalker (1979)` is a column.
        (is_season && !ends_with_year)
            || (is_review && other_thing)
            || (is_word(first, WordKind::Review)
                && is_word(second, WordKind::NotFilm)
                && words.first() == Some(first)
                && text.contains([':', '：']))
    }) || lower.split_once([':', '：']).is_some_and(|(head, _)| {
        let compound = head.trim();
        [
            "buch",
            "spiele",
            "serien",
            "bok",
            "boek",
            "bog",
            "album",
            "plate",
            "tv-",
            "spill",
            "spel",
            "hörspiel",
            "konsert",
            "konzert",
            "musik",
        ]
        .iter()
        .any(|thing| compound.strip_prefix(thing).is_some_and(|rest| is_word(rest, WordKind::Review)))
    })
}
