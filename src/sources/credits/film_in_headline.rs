//! Finds the title of a film in a headline: in quotation marks, beside the word *review*, before a year or a rating. A
//! headline that may name another film, a column or no film at all has no title.

use super::film_facts::{FilmFact, only_year, parse_fact, parse_year};
use super::headline_parts::{HeadlinePart, PartKind, is_column, split_parts};
use super::headline_subject::{
    has_phrase, is_about_something_else, is_digest, is_news, names_review, names_two_years,
};
use super::labelled_ratings::stars_at_start;
use super::labels::{CreditLabel, WordKind, is_word, split_label};
use super::person_names::{after_maker_word, is_full_name};
use super::quoted_title::{
    QuotedText, may_be_title, quoted_texts, split_off_year, strip_quotes, year_and_person,
};
use super::title_shape::{is_plausible, reads_like_title};
use crate::domain::content_hash::fold_letters;
use crate::domain::rating::Rating;

/// What the rest of a review must have for the title in a headline to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TitleCondition {
    #[default]
    None,
    /// Credits or a rating: a quote may also be of something else.
    Credits,
    /// The directors of one film.
    Director,
}

/// What a headline is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum HeadlineKind {
    #[default]
    Other,
    /// One part without a word for *review*, which may itself be the title.
    Plain,
    /// A review of several films.
    SeveralFilms,
    /// A review of something that is not a film, or of a film and its remake.
    NoFilm,
    /// News about a film and no review.
    News,
}

/// What a headline says about the film.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HeadlineFilm {
    /// The title.
    pub(super) title: Option<String>,
    /// What the title needs to count.
    pub(super) condition: TitleCondition,
    pub(super) kind: HeadlineKind,
    pub(super) year: Option<i16>,
    pub(super) rating: Option<Rating>,
    /// The director, if brackets name one beside the year: `Stalker (Andrei Tarkovsky, 1979)`.
    pub(super) director: Option<String>,
}

/// Reads a headline. `is_in_body` tells whether a text occurs in the body of the review.
pub(super) fn read_headline(
    headline: &str,
    language: Option<&str>,
    is_in_body: &dyn Fn(&str) -> bool,
) -> HeadlineFilm {
    let (text, rating) = split_off_rating(headline.trim());
    if let Some((title, year)) = title_before_comma(&text).filter(|_| rating.is_some()) {
        return HeadlineFilm { title: Some(title), year: Some(year), rating, ..HeadlineFilm::default() };
    }
    if let Some((before, year)) = split_off_year(&text)
        && split_parts(&before).last().is_some_and(|part| part.kind != PartKind::Text)
    {
        // `X Movie Review (2009)`
        let film = read_headline(&before, language, is_in_body);
        return HeadlineFilm { year: film.year.or(Some(year)), rating: rating.or(film.rating), ..film };
    }
    let mut film = HeadlineFilm { rating, ..HeadlineFilm::default() };
    if has_phrase(&text, WordKind::DoubleFeature) {
        return HeadlineFilm { kind: HeadlineKind::SeveralFilms, rating: None, ..film };
    }
    if is_digest(&text) {
        return HeadlineFilm { kind: HeadlineKind::SeveralFilms, rating: None, ..film };
    }
    if names_two_years(&text) || is_about_something_else(&text) {
        return HeadlineFilm { kind: HeadlineKind::NoFilm, ..film };
    }
    let Some(quotes) = quoted_texts(&text) else { return film };
    if is_news(&text, &quotes) {
        film.kind = HeadlineKind::News;
    }
    film.director =
        year_and_person(&text).or_else(|| year_and_person(up_to_bracket(&text))).map(|(_, person)| person);
    if let Some((dated, director)) = split_off_maker(&text) {
        // `Stalker (1979), by Andrei Tarkovsky`
        let film = HeadlineFilm { director: Some(director.to_owned()), ..film };
        return read_unquoted(dated.to_owned(), film, language, is_in_body);
    }
    match quotes.as_slice() {
        [] => read_unquoted(text, film, language, is_in_body),
        [quote] => read_quoted(&text, quote, film, is_in_body),
        [first, .., last] => {
            // `'A' and 'B'` are two films; a second quote elsewhere may be a comparison.
            let between = text.get(first.end..last.start).unwrap_or_default().trim().to_lowercase();
            let joins = [
                "and", "&", "+", "/", "vs", "vs.", ",", "und", "et", "y", "e", "och", "og", "en", "i", "・",
                "と", "with",
            ];
            if quotes.len() == 2 && joins.contains(&between.as_str()) || quotes.len() > 2 {
                return HeadlineFilm { kind: HeadlineKind::SeveralFilms, rating: None, ..film };
            }
            let mut marked = quotes.iter().filter(|quote| quote.marks_title);
            if let (Some(quote), None) = (marked.next(), marked.next()) {
                read_quote(&text, quote, &mut film);
            }
            film
        }
    }
}

/// Reads a headline with one text in quotation marks.
fn read_quoted(
    text: &str,
    quote: &QuotedText,
    mut film: HeadlineFilm,
    is_in_body: &dyn Fn(&str) -> bool,
) -> HeadlineFilm {
    // `Stalker (1979) “What was that?”`
    let before = text.get(..quote.start).and_then(|before| split_off_year(up_to_bracket(before)));
    if let Some((title, year)) = before.filter(|(title, _)| is_plausible(title)) {
        let (title, condition) = (Some(title), TitleCondition::Credits);
        return HeadlineFilm { title, year: Some(year), condition, ..film };
    }
    read_quote(text, quote, &mut film);
    let is_whole = quote.start == 0 && quote.end == text.len();
    if is_whole && is_in_body(&quote.text) {
        film.condition = TitleCondition::None;
    }
    film
}

/// Returns the title and the year of Letterboxd's headline `Stalker, 1979 - ★★★★½`, given what is before the rating.
fn title_before_comma(text: &str) -> Option<(String, i16)> {
    let (title, year) = text.rsplit_once(", ")?;
    Some((title.to_owned(), parse_year(year)?)).filter(|(title, _)| is_plausible(title))
}

/// Reads a headline without quotation marks.
fn read_unquoted(
    text: String,
    mut film: HeadlineFilm,
    language: Option<&str>,
    is_in_body: &dyn Fn(&str) -> bool,
) -> HeadlineFilm {
    let may_be_english = language.is_none_or(|tag| tag.to_ascii_lowercase().starts_with("en"));
    let (text, rating) = separate_remark(text);
    film.rating = film.rating.or(rating);
    let parts = split_parts(&text);
    let is_plain = matches!(parts.as_slice(), [HeadlinePart { kind: PartKind::Text, .. }]);
    if is_plain && film.kind == HeadlineKind::Other {
        film.kind = HeadlineKind::Plain;
    }
    if let Some((title, year)) =
        title_of_parts(&text, &parts, film.rating.is_some(), may_be_english, is_in_body)
    {
        return HeadlineFilm { title: Some(title), year, ..film };
    }
    let found = match parts.as_slice() {
        // `Salt and Oars (1974)` may be two films.
        [_] => split_off_year(&text)
            .filter(|(title, _)| is_plausible(title) && !title.contains([',', ';', '/', '&', '+']))
            .map(|(title, year)| (title, Some(year))),
        [head, tail] if head.kind == PartKind::Text && tail.kind == PartKind::Text => {
            title_of_two_parts(&text, head.text, tail.text)
        }
        _ => None,
    };
    let Some((title, year)) = found else { return film };
    let condition = if film.director.is_some() { TitleCondition::None } else { TitleCondition::Director };
    HeadlineFilm { title: Some(strip_quotes(&title).to_owned()), year, condition, ..film }
}

/// Returns the title and year of a headline such as `Popcorn Friday: Okja` or `Mission: Impossible (1996)`.
fn title_of_two_parts(text: &str, head: &str, tail: &str) -> Option<(String, Option<i16>)> {
    if has_column_word(head) {
        let (title, year) =
            split_off_year(tail).map_or((tail.to_owned(), None), |(title, year)| (title, Some(year)));
        return (is_plausible(&title) && reads_like_title(&title, true)).then_some((title, year));
    }
    let (title, year) = split_off_year(text)?;
    is_plausible(&title).then_some((title, Some(year)))
}

/// Whether a part of a headline has a word of columns, the name of a day or a decade.
fn has_column_word(text: &str) -> bool {
    const DAYS: [&str; 7] =
        ["montags", "dienstags", "mittwochs", "donnerstags", "freitags", "samstags", "sonntags"];
    text.split_whitespace().any(|word| {
        let lower = word.to_lowercase();
        let is_decade = lower.strip_suffix('s').is_some_and(|number| {
            let number = number.trim_start_matches(['\'', '\u{2019}']);
            matches!(number.len(), 2 | 4) && number.bytes().all(|b| b.is_ascii_digit())
        });
        is_decade || is_word(word, WordKind::Column) || DAYS.iter().any(|day| lower.starts_with(day))
    })
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
    if !(has_review || quote.marks_title || film.year.is_some() || film.rating.is_some()) {
        film.condition = TitleCondition::Credits;
    }
    let (title, year) =
        split_off_year(&quote.text).map_or((quote.text.clone(), None), |(title, year)| (title, Some(year)));
    film.year = film.year.or(year);
    film.title = Some(title);
}

/// Separates the remark after a year, if the headline says *review*: `[Review] Stalker (1979) Into the Zone`. A rating at the
/// beginning of the remark is returned.
fn separate_remark(text: String) -> (String, Option<Rating>) {
    if !split_parts(&text).iter().any(|part| part.kind != PartKind::Text) {
        return (text, None);
    }
    let Some((before, rest)) = text.split_once(')').filter(|(before, _)| {
        before.rsplit_once('(').is_some_and(|(_, inner)| only_year(inner).is_some() && inner.len() <= 60)
    }) else {
        return (text, None);
    };
    let remark = rest.trim_start();
    if remark.is_empty() || remark == rest || remark.starts_with([':', '-', '–', '—', '|', '/', ',']) {
        return (text, None);
    }
    let width: usize =
        remark.chars().take_while(|c| matches!(c, '*' | '★' | '☆' | '½')).map(char::len_utf8).sum();
    let (stars, remark) = remark.split_at_checked(width).unwrap_or(("", remark));
    let rating = if width > 1 { Rating::parse_labelled(stars) } else { None };
    (format!("{before}) | {}", remark.trim_start()), rating)
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
        let title = without_edition(without_maker(without_anniversary(title)));
        let title = if is_confirmed(title) { title } else { without_brackets(title) };
        let confirmed = is_confirmed(title);
        let fits = is_plausible(title) && (confirmed || is_sure && reads_like_title(title, is_english));
        fits.then(|| strip_quotes(title).to_owned())
    };
    if last == 0 {
        return Some((accept(&whole, true)?, year));
    }
    // Several parts: a title with a colon, a column before a title, or a remark after it.
    if let Some(head) = parse_year(first.text) {
        // `2001: A Space Odyssey (1968)`, or a column about the films of a year.
        return Some((accept(&whole, year.is_some_and(|year| year != head))?, year));
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
    if last == 1 && is_sequel(second.text) {
        return Some((accept(&whole, true)?, year));
    }
    if dated.is_none() {
        let is_remark = is_remark(second.text);
        return Some((accept(first.text, is_remark || second.follows_bar)?, None));
    }
    // `Horror in the 90s: X (1992)` or `Mission: Impossible (1996)`
    let tail = text.get(second.start..range.get(last)?.end).and_then(split_off_year)?;
    Some((accept(&tail.0, false)?, Some(tail.1)))
}

/// Returns a title without the edition or the certificate after it, as in `Stalker (Criterion)`.
fn without_edition(title: &str) -> &str {
    let edition = title.strip_suffix(')').and_then(|title| title.rsplit_once('('));
    let is_edition = |text: &str| is_column(text) || parse_fact(text) == Some(FilmFact::Certificate);
    edition.filter(|(_, edition)| is_edition(edition)).map_or(title, |(title, _)| title.trim_end())
}

/// Returns a title without what brackets after it add: a certificate, another title or a name.
pub(super) fn without_brackets(title: &str) -> &str {
    let Some((before, inner)) = title.strip_suffix(')').and_then(|title| title.rsplit_once('(')) else {
        return title;
    };
    let before = before.trim_end();
    let goes_on = before.rsplit(' ').next().is_some_and(|word| word.starts_with(char::is_lowercase));
    let is_addition = parse_fact(inner).is_some() || inner.starts_with(char::is_uppercase);
    if is_addition && !goes_on && !before.is_empty() { before } else { title }
}

/// Returns the title of `X 50th anniversary review`, of which `50th` is left.
fn without_anniversary(title: &str) -> &str {
    let is_ordinal = |word: &str| {
        let number = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    title.rsplit_once(' ').filter(|(_, last)| is_ordinal(last)).map_or(title, |(title, _)| title)
}

/// Whether a text is the second part of the title of a sequel, such as `Part Two` or `Vol. 1`.
fn is_sequel(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "part", "vol", "volume", "chapter", "episode", "teil", "kapitel", "partie", "chapitre", "parte",
        "capitolo", "deel", "del", "część",
    ];
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().trim_end_matches('.').to_lowercase();
    let number = words.next().unwrap_or_default();
    WORDS.contains(&first.as_str())
        && words.next().is_none()
        && (number.starts_with(|c: char| c.is_ascii_digit()) || number.starts_with(char::is_uppercase))
}

/// Returns a text up to the end of its first brackets.
fn up_to_bracket(text: &str) -> &str {
    text.find([')', '）']).and_then(|at| text.get(..=at)).unwrap_or(text)
}

/// Splits the director off a title with its year.
fn split_off_maker(text: &str) -> Option<(&str, &str)> {
    let (dated, maker) = text.rsplit_once(", ")?;
    let name = after_maker_word(maker).filter(|name| is_full_name(name))?;
    split_off_year(dated).is_some().then_some((dated, name))
}

/// Returns a title without the director after it, as in `Stalker, de Andrei Tarkovsky`.
pub(super) fn without_maker(title: &str) -> &str {
    let cut = title.rsplit_once(", ");
    cut.filter(|(_, maker)| after_maker_word(maker).is_some_and(is_full_name))
        .map_or(title, |(title, _)| title)
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
pub(super) fn split_off_rating(headline: &str) -> (String, Option<Rating>) {
    let parse = |text: &str| Rating::parse(text).filter(|rating| rating.as_str().len() > 1);
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
        let is_explicit = tail.contains(['/', '★', '☆', '⭐', '%', '👍', '👎']) || c != ' ';
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
            // `Stalker (1979) Betyg: 6/10`
            let rest = match rest.rsplit_once(' ') {
                Some((before, label)) if is_rating_label(label) => before.trim_end().to_owned(),
                _ => rest,
            };
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

/// Whether a word is a label for ratings, which no title ends with.
fn is_rating_label(word: &str) -> bool {
    split_label(word)
        .is_some_and(|labelled| labelled.labels == [CreditLabel::Rating] && labelled.value.is_empty())
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
