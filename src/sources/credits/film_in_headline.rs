//! Finds the title of a film in a headline: in quotation marks, beside the word *review*, before a year or a rating. A
//! headline that may name another film, a column or no film at all has no title.

use super::film_facts::{only_year, parse_year};
use super::headline_parts::{HeadlinePart, PartKind, is_column, split_parts};
use super::labels::{WordKind, is_word};
use super::person_names::is_full_name;
use super::quoted_title::{QuotedText, may_be_title, quoted_texts, split_off_year, strip_quotes};
use super::rating_lines::stars_at_start;
use super::title_shape::{is_plausible, reads_like_title};
use crate::domain::content_hash::fold_letters;
use crate::domain::rating::Rating;

/// What a headline says about the film.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HeadlineFilm {
    /// The title.
    pub(super) title: Option<String>,
    /// Whether the title counts only if there are credits or a rating as well: a quote may also be of something else.
    pub(super) needs_credits: bool,
    /// Whether the title counts only if the credits name the directors of one film.
    pub(super) needs_director: bool,
    pub(super) year: Option<i16>,
    pub(super) rating: Option<Rating>,
    /// Whether the review is of several films.
    pub(super) is_double: bool,
}

/// Reads a headline. `is_in_body` tells whether a text occurs in the body of the review.
pub(super) fn read_headline(
    headline: &str,
    language: Option<&str>,
    is_in_body: &dyn Fn(&str) -> bool,
) -> HeadlineFilm {
    let (text, rating) = split_off_rating(headline.trim());
    if let Some((before, year)) = split_off_year(&text)
        && split_parts(&before).last().is_some_and(|part| part.kind != PartKind::Text)
    {
        // `X Movie Review (2009)`
        let film = read_headline(&before, language, is_in_body);
        return HeadlineFilm { year: film.year.or(Some(year)), rating: rating.or(film.rating), ..film };
    }
    let mut film = HeadlineFilm { rating, ..HeadlineFilm::default() };
    if has_phrase(&text, WordKind::DoubleFeature) {
        return HeadlineFilm { is_double: true, rating: None, ..film };
    }
    if names_two_years(&text) || is_digest(&text) || is_about_something_else(&text) {
        return film;
    }
    let Some(quotes) = quoted_texts(&text) else { return film };
    match quotes.as_slice() {
        [] => {}
        [quote] => {
            read_quote(&text, quote, &mut film);
            return film;
        }
        [first, .., last] => {
            // `'A' and 'B'` are two films; a second quote elsewhere may be a comparison.
            let between = text.get(first.end..last.start).unwrap_or_default().trim().to_lowercase();
            let joins = [
                "and", "&", "+", "/", "vs", "vs.", ",", "und", "et", "y", "e", "och", "og", "en", "i", "・",
                "と", "and", "with",
            ];
            film.is_double = quotes.len() == 2 && joins.contains(&between.as_str()) || quotes.len() > 2;
            let mut marked = quotes.iter().filter(|quote| quote.marks_title);
            if let (false, Some(quote), None) = (film.is_double, marked.next(), marked.next()) {
                read_quote(&text, quote, &mut film);
            }
            if film.is_double {
                film.rating = None;
            }
            return film;
        }
    }
    let may_be_english = language.is_none_or(|tag| tag.to_ascii_lowercase().starts_with("en"));
    let parts = split_parts(&text);
    if let Some((title, year)) =
        title_of_parts(&text, &parts, film.rating.is_some(), may_be_english, is_in_body)
    {
        film.title = Some(title);
        film.year = year;
    } else if let Some((title, year)) = split_off_year(&text).filter(|(title, _)| {
        parts.len() == 1 && is_plausible(title) && !title.contains([',', ';', '/', '&', '+'])
    }) {
        // `Salt and Oars (1974)` may be two films.
        (film.title, film.year) = (Some(strip_quotes(&title).to_owned()), Some(year));
        film.needs_director = true;
    }
    film
}

/// Reads a headline with one quoted text.
fn read_quote(text: &str, quote: &QuotedText, film: &mut HeadlineFilm) {
    if !may_be_title(&quote.text) {
        return;
    }
    let around = format!(
        "{} {}",
        text.get(..quote.start).unwrap_or_default(),
        text.get(quote.end..).unwrap_or_default()
    );
    let after = text.get(quote.end..).unwrap_or_default().trim_start();
    film.year =
        after.strip_prefix(['(', '（']).and_then(|rest| rest.split([')', '）']).next()).and_then(only_year);
    let parts = split_parts(&around);
    let has_review = parts.iter().any(|part| part.kind != PartKind::Text) || names_review(&around);
    film.needs_credits = !(has_review || quote.marks_title || film.year.is_some() || film.rating.is_some());
    let (title, year) =
        split_off_year(&quote.text).map_or((quote.text.clone(), None), |(title, year)| (title, Some(year)));
    film.year = film.year.or(year);
    film.title = Some(title);
}

/// Whether a word of a text, or two or three of them, mean *review*.
fn names_review(text: &str) -> bool {
    has_phrase(text, WordKind::Review)
}

/// Whether up to three words of a text in their order are a word of a kind.
fn has_phrase(text: &str, kind: WordKind) -> bool {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",:;|()[]【】–—：!?".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    (1..=3).any(|length| words.windows(length).any(|window| is_word(&window.join(" "), kind)))
}

/// Whether a headline names two years in brackets, and so two films or a film and its remake.
fn names_two_years(text: &str) -> bool {
    let mut years = text
        .split(['(', '（'])
        .skip(1)
        .filter_map(|part| part.split([')', '）']).next())
        .filter_map(only_year);
    years.next().is_some_and(|first| years.any(|year| year != first))
}

/// Whether a headline is like `The Year in Review`.
fn is_digest(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("in review") || lower.contains("under review")
}

/// Whether a headline is of a review of something that is not a film, such as a book or a season of a series.
fn is_about_something_else(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || ",:;|()[]【】–—：!?\"'".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    let is_number = |word: &str| {
        word.bytes().all(|b| b.is_ascii_digit())
            || matches!(word, "one" | "two" | "three" | "four" | "five" | "i" | "ii" | "iii")
    };
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
        is_season
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

/// Returns the title and year that the parts of a headline without quotation marks name.
fn title_of_parts(
    text: &str,
    parts: &[HeadlinePart<'_>],
    has_rating: bool,
    may_be_english: bool,
    is_in_body: &dyn Fn(&str) -> bool,
) -> Option<(String, Option<i16>)> {
    let marker = parts.iter().position(|part| part.kind != PartKind::Text);
    let is_confirmed = |title: &str| fold_letters(title).chars().count() >= 4 && is_in_body(title);
    let range = parts_of_title(parts, marker)?;
    let first = range.first()?;
    // A title that a year ends is complete, and what follows is not part of it.
    let dated = range.iter().position(|part| split_off_year(part.text).is_some());
    let is_marked = marker.is_some() || has_rating;
    if dated.is_none() && !is_marked {
        return None;
    }
    let last = dated.unwrap_or(range.len() - 1);
    let joined = text.get(first.start..range.get(last)?.end)?.trim();
    let (whole, year) =
        split_off_year(joined).map_or((joined.to_owned(), None), |(title, year)| (title, Some(year)));
    let is_english =
        may_be_english && marker.is_none_or(|at| parts.get(at).is_some_and(|part| part.is_english));
    let accept = |title: &str, is_sure: bool| {
        let title = without_edition(without_maker(title));
        let confirmed = is_confirmed(title);
        let fits = is_plausible(title) && (confirmed || is_sure && reads_like_title(title, is_english));
        fits.then(|| strip_quotes(title).to_owned())
    };
    if last == 0 {
        return Some((accept(&whole, true)?, year));
    }
    // Several parts: a title with a colon, a column before a title, or a remark after it.
    if parse_year(first.text).is_some() {
        // `2001: A Space Odyssey`, or a film of that year.
        return Some((accept(&whole, false)?, year));
    }
    if is_column(first.text) {
        let second = range.get(1)?;
        let rest = text.get(second.start..range.get(last)?.end)?.trim();
        let rest = split_off_year(rest).map_or(rest.to_owned(), |(title, _)| title);
        return Some((accept(&rest, last == 1)?, year));
    }
    if is_confirmed(&whole) {
        return Some((accept(&whole, false)?, year));
    }
    let second = range.get(1)?;
    if dated.is_none() {
        let is_remark = is_remark(second.text);
        return Some((accept(first.text, is_remark || second.follows_bar)?, None));
    }
    // `Horror in the 90s: X (1992)` or `Mission: Impossible (1996)`
    let tail = text.get(second.start..range.get(last)?.end).and_then(split_off_year)?;
    Some((accept(&tail.0, false)?, Some(tail.1)))
}

/// Returns a title without the edition after it, as in `Stalker (Criterion)`.
fn without_edition(title: &str) -> &str {
    let edition = title.strip_suffix(')').and_then(|title| title.rsplit_once('('));
    edition.filter(|(_, edition)| is_column(edition)).map_or(title, |(title, _)| title.trim_end())
}

/// Returns a title without the director after it, as in `Stalker, de Andrei Tarkovsky`.
fn without_maker(title: &str) -> &str {
    const MAKERS: [&str; 9] =
        [", by ", ", de ", ", di ", ", von ", ", van ", ", av ", ", af ", ", del ", ", por "];
    let cut = MAKERS.iter().filter_map(|word| title.rsplit_once(word)).find(|(_, name)| is_full_name(name));
    cut.map_or(title, |(title, _)| title)
}

/// Returns the parts that may be the title, given the part that says *review*.
fn parts_of_title<'a, 'b>(
    parts: &'a [HeadlinePart<'b>],
    marker: Option<usize>,
) -> Option<Vec<&'a HeadlinePart<'b>>> {
    let Some(at) = marker else { return Some(parts.iter().collect()) };
    let part = parts.get(at)?;
    let before = parts.get(..at)?;
    let after = parts.get(at + 1..)?;
    Some(match part.kind {
        // `X – Review`, `X | Film Review | a subtitle`; `X: Kritik zum neuen Film`
        PartKind::Review | PartKind::ReviewOf if !before.is_empty() => before.iter().collect(),
        // `Review: X`, `Blu-ray Review: X`
        PartKind::Review => after.iter().collect(),
        // `Kritik zu X: ein Postbote`
        PartKind::ReviewOf => std::iter::once(part).chain(after).collect(),
        // `X Review: a bold film`, `Cannes 2016: X review`
        PartKind::TitleOfReview if before.iter().all(|part| is_column(part.text)) => vec![part],
        PartKind::TitleOfReview => before.iter().chain(std::iter::once(part)).collect(),
        PartKind::Text => return None,
    })
}

/// Whether what follows a title is a remark and not the second part of the title.
fn is_remark(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower =
        words.iter().skip(1).filter(|word| word.chars().next().is_some_and(char::is_lowercase)).count();
    text.starts_with(char::is_lowercase)
        || (words.len() >= 5 && lower * 2 >= words.len())
        || words.len() > 8
        || text.ends_with(['!', '?', '.'])
        || (words.len() >= 3
            && matches!(
                words.first(),
                Some(
                    &("A"
                        | "An"
                        | "Ein"
                        | "Eine"
                        | "Un"
                        | "Une"
                        | "Una"
                        | "Um"
                        | "Uma"
                        | "Een"
                        | "En"
                        | "Et")
                )
            )
            && lower > 0)
}

/// Splits a rating off a headline: after a separator, in brackets, or a row of stars at either end.
fn split_off_rating(headline: &str) -> (String, Option<Rating>) {
    let parse = |text: &str| Rating::parse(text).filter(|rating| rating.as_str().chars().count() > 1);
    if let Some((rest, inner)) =
        headline.strip_suffix([')', ']']).and_then(|text| text.rsplit_once(['(', '[']))
        && let Some(rating) = parse(inner)
    {
        return (rest.trim().to_owned(), Some(rating));
    }
    for (at, c) in headline.char_indices().rev().take(60) {
        if !matches!(c, ':' | '-' | '–' | '—' | '|' | ',' | '：' | '｜' | ' ' | '/') {
            continue;
        }
        let tail = headline.get(at + c.len_utf8()..).unwrap_or_default().trim();
        let is_explicit = tail.contains(['/', '★', '☆', '⭐', '%']) || c != ' ';
        let asterisks = || (tail.starts_with("**") && c == ' ').then(|| Rating::parse_labelled(tail))?;
        if c != '/'
            && let Some(rating) = is_explicit.then(|| parse(tail)).flatten().or_else(asterisks)
        {
            // A longer tail may be the whole rating: `3 1/2 stars`.
            let longer = headline.get(..at).and_then(|before| before.trim_end().rsplit_once(' ')).and_then(
                |(head, word)| {
                    let rating = parse(&format!("{word} {tail}"))?;
                    Some((head.to_owned(), rating))
                },
            );
            let (rest, rating) =
                longer.unwrap_or_else(|| (headline.get(..at).unwrap_or_default().to_owned(), rating));
            let rest =
                rest.trim_end_matches(|c: char| c.is_whitespace() || ":-–—|,：｜".contains(c)).to_owned();
            if !rest.is_empty() {
                return (rest, Some(rating));
            }
        }
    }
    if let Some((rating, rest)) = stars_at_start(headline) {
        return (rest.to_owned(), Some(rating));
    }
    (headline.to_owned(), None)
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
        && !text.contains(['@', ':', '：'])
        && !names_review(text)
}

#[cfg(test)]
mod tests;
