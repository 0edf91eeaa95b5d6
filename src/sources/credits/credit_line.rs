//! Parses a line of a review: credits, a label alone, facts without a label, a rating, something short, or prose.

use super::film_facts::{self, FilmFact, only_year, parse_fact, parse_year};
use super::labelled_ratings::{counted_rating, own_rating, parse_rating, rated, stars_at_start, strip_emoji};
use super::labels::{CreditLabel, LabelForm, Labelled, WordKind, is_word, split_label};
use super::line_segments::split_segments;
use super::person_names::{self, PersonNames, SharedSurname};
use super::quoted_title::{split_off_year, strip_quotes};
use crate::domain::rating::Rating;
use crate::sources::dates::{DateContext, PartialDate, read_partial_date};

/// The maximum length of a line with labels in characters. Longer lines are prose.
const MAX_LINE_CHARS: usize = 700;
const MAX_TITLE_CHARS: usize = 100;
/// The longest title before credits in the same line, in bytes.
const MAX_LEAD_BYTES: usize = 70;
/// The longest value of an unknown label, in characters.
const MAX_UNKNOWN_VALUE_CHARS: usize = 120;

/// What a part of a line says about the film.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CreditValue {
    Directors(Vec<String>),
    Writers(Vec<String>),
    Stars(Vec<String>),
    Released(PartialDate),
    Published(PartialDate),
    Rated(Rating),
    Title(String, Option<i16>),
    /// What follows the word *film*, which may also be about the film: `Film: 16mm`, `Film: excellent`.
    PossibleTitle(String),
    /// A year, and whether a label says that it is the film's.
    Year(i16, bool),
    /// The line says that there is nobody.
    Nobody,
    /// There is no field for it, so it stays in the body.
    NoField,
}

/// A credit, and how its label is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParsedCredit {
    pub(super) value: CreditValue,
    pub(super) form: LabelForm,
}

/// A parsed line.
#[derive(Debug, PartialEq)]
pub(super) enum CreditLine {
    /// Credits with labels. `is_complete` tells whether the line contains nothing else.
    Credits {
        credits: Vec<ParsedCredit>,
        is_complete: bool,
    },
    /// A label whose value is in the next line.
    LabelAlone(Vec<CreditLabel>),
    /// A rating without a label.
    Rated(Rating),
    /// Facts without a label, with the year among them.
    Facts(Option<i16>),
    /// A line with a label that is not known.
    UnknownLabel,
    /// A line that is too short for prose, such as a title or a byline.
    Short,
    Blank,
    Prose,
}

/// Parses a line.
pub(super) fn parse_line(text: &str, dates: &DateContext<'_>) -> CreditLine {
    let text = text.trim();
    if text.is_empty() {
        return CreditLine::Blank;
    }
    if text.chars().count() > MAX_LINE_CHARS {
        return CreditLine::Prose;
    }
    if let Some(Labelled { labels, value: "", form: LabelForm::Separated, .. }) = split_label(text) {
        return CreditLine::LabelAlone(labels);
    }
    if let Some(line) = parse_credits(text, dates) {
        return line;
    }
    // A single letter is a rating only after a label.
    if let Some(rating) = Rating::parse(strip_emoji(text)).filter(|r| r.as_str().chars().count() > 1) {
        return CreditLine::Rated(rating);
    }
    if let Some(facts) = parse_facts(text) {
        return facts;
    }
    if let Some(rating) = own_rating(text).or_else(|| counted_rating(text)) {
        return CreditLine::Rated(rating);
    }
    if has_unknown_label(text) {
        return CreditLine::UnknownLabel;
    }
    let words = text.split_whitespace().count();
    let is_sentence = text.ends_with(['.', ':', ',', ';', '。', '：', '、']) && !text.ends_with("..");
    let is_byline = text.get(..3).is_some_and(|b| b.eq_ignore_ascii_case("by "));
    if text.chars().count() <= MAX_TITLE_CHARS && words <= 14 && (!is_sentence || is_byline) {
        CreditLine::Short
    } else {
        CreditLine::Prose
    }
}

/// Parses a line that begins with a label, or with facts that labels follow.
fn parse_credits(text: &str, dates: &DateContext<'_>) -> Option<CreditLine> {
    // `★★★½ D: Ada Lindqvist. Nora Ek, Jon Vale.`, `Credits: Written and directed by Ada Lindqvist.`
    if let Some((rating, rest)) = stars_at_start(text).filter(|(_, rest)| split_label(rest).is_some()) {
        let CreditLine::Credits { mut credits, .. } = parse_credits(rest, dates)? else { return None };
        credits.push(ParsedCredit { value: CreditValue::Rated(rating), form: LabelForm::Separated });
        return Some(CreditLine::Credits { credits, is_complete: false });
    }
    if let Some((heading, rest)) = text.split_once(": ")
        && is_word(heading, WordKind::Heading)
        && split_label(rest).is_some()
    {
        return parse_credits(rest, dates);
    }
    // `(2012, dir. Ada Lindqvist)`
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let text = inner.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(text);
    if !may_have_credits(text) {
        return None;
    }
    let segments = split_segments(text);
    let mut credits: Vec<ParsedCredit> = Vec::new();
    let mut loose: Vec<&str> = Vec::new();
    let mut is_complete = true;
    let mut has_labels = false;
    for segment in &segments {
        let Some(labelled) = split_label(segment).filter(|labelled| !labelled.value.is_empty()) else {
            loose.push(segment);
            continue;
        };
        let parsed = match parse_value(&labelled, dates) {
            Some(parsed) => parsed,
            // `DE 2018` is no name after `de`.
            None if labelled.form.is_weak() => {
                loose.push(segment);
                continue;
            }
            None if segments.len() > 1 && is_brief(labelled.value) => vec![CreditValue::NoField],
            None => return None,
        };
        has_labels = true;
        is_complete &=
            parsed.iter().all(|value| !matches!(value, CreditValue::NoField | CreditValue::Year(_, false)));
        credits.extend(parsed.into_iter().map(|value| ParsedCredit { value, form: labelled.form }));
    }
    if !has_labels {
        return None;
    }
    if !loose.is_empty() {
        add_loose_segments(&loose, &mut credits)?;
        is_complete = false;
    }
    Some(CreditLine::Credits { credits, is_complete })
}

/// Whether a line begins with a label, or a label follows a fact or what may be a title. Other lines are not split, since that
/// takes time.
fn may_have_credits(text: &str) -> bool {
    if split_label(text).is_some() {
        return true;
    }
    let first = text.split([',', '|', '｜', '.', '/', ';']).next().unwrap_or_default();
    if parse_fact(first).is_some() {
        return true;
    }
    let ends = text
        .char_indices()
        .filter(|(_, c)| matches!(c, '.' | '|' | '｜' | ';' | ',' | '–' | '\u{A0}') || c.is_whitespace());
    ends.take_while(|(at, _)| *at <= MAX_LEAD_BYTES).any(|(at, c)| {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default().trim_start();
        rest.starts_with(|c: char| c.is_uppercase() || !c.is_ascii())
            && split_label(rest).is_some_and(|labelled| {
                let has_colon = rest
                    .get(labelled.head.len()..)
                    .is_some_and(|after| after.trim_start().starts_with([':', '：']));
                !labelled.value.is_empty()
                    && (has_colon
                        || matches!(c, '.' | '|' | '｜' | ';') && labelled.form == LabelForm::Spaced)
            })
    })
}

/// Adds what stands between labels: facts, or the other names of a list. Returns `None` if it is prose.
fn add_loose_segments(loose: &[&str], credits: &mut Vec<ParsedCredit>) -> Option<()> {
    let facts: Vec<Option<FilmFact>> = loose.iter().map(|segment| parse_facts_of(segment)).collect();
    let has_facts = facts.iter().any(Option::is_some);
    let is_short = |segment: &&str| segment.chars().count() <= 60 && !segment.ends_with(['!', '?']);
    if !has_facts {
        let names: Option<Vec<String>> = loose
            .iter()
            .map(|segment| person_names::is_full_name(segment).then(|| (*segment).to_owned()))
            .collect();
        match (names, credits.last_mut()) {
            (Some(names), Some(ParsedCredit { value: CreditValue::Stars(stars), .. })) => {
                stars.extend(names);
                return Some(());
            }
            // `D: Ada Lindqvist. Nora Ek, Jon Vale.`
            (_, Some(ParsedCredit { value: CreditValue::Directors(_), form: LabelForm::Initial })) => {
                if let [list] = loose
                    && let Some(PersonNames::Names(stars)) =
                        person_names::parse_names(list, SharedSurname::No)
                    && stars.len() > 1
                    && stars.iter().all(|name| person_names::is_full_name(name))
                {
                    credits.push(ParsedCredit { value: CreditValue::Stars(stars), form: LabelForm::Initial });
                    return Some(());
                }
            }
            _ => {}
        }
        // A sentence after a credit makes the line prose.
        return loose
            .iter()
            .all(|segment| is_short(segment) && segment.split_whitespace().count() <= 5)
            .then_some(());
    }
    if !loose.iter().all(is_short) {
        return None;
    }
    let mut years = facts.iter().filter_map(|fact| match fact {
        Some(FilmFact::Year(year)) => Some(*year),
        _ => None,
    });
    if let (Some(year), None) = (years.next(), years.next()) {
        credits.push(ParsedCredit { value: CreditValue::Year(year, false), form: LabelForm::Separated });
    }
    Some(())
}

/// Returns the year of a list of facts such as `USA 1986, 98 min.`, or another fact of it.
fn parse_facts_of(text: &str) -> Option<FilmFact> {
    if let Some(fact) = parse_fact(text) {
        return Some(fact);
    }
    let facts: Vec<FilmFact> = text.split([',', '.']).filter_map(parse_fact).collect();
    facts.iter().find(|fact| matches!(fact, FilmFact::Year(_))).or(facts.first()).copied()
}

/// Parses a line such as `2023 | PG-13 | 2h 15m | Drama`, `(El Postino; Italia 1994)` or `American film from 2009`.
fn parse_facts(text: &str) -> Option<CreditLine> {
    let in_brackets = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    if let Some(inner) = in_brackets.filter(|inner| !inner.contains('(') && inner.contains([';', ',']))
        && let Some(year) = only_year(inner)
    {
        return Some(CreditLine::Facts(Some(year)));
    }
    if let Some((before, year)) = text.rsplit_once(' ')
        && let Some(year) = parse_year(year)
        && before.split_whitespace().count() <= 4
        && before.split_whitespace().any(|word| matches!(word.to_lowercase().as_str(), "film" | "movie"))
        && before.split_whitespace().last().is_some_and(|word| word.starts_with(char::is_lowercase))
    {
        return Some(CreditLine::Facts(Some(year)));
    }
    let items: Vec<&str> = text
        .split([',', '|', '/', ';', '•', '·', '–', '(', ')', '／', '、'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect();
    let facts: Vec<FilmFact> = items.iter().filter_map(|item| parse_fact(item)).collect();
    let is_list = items.len() > 1 && facts.len() > 1 && facts.len() * 2 >= items.len();
    let is_short = items.iter().all(|item| item.split_whitespace().count() <= 4);
    let is_year = items.len() == 1 && matches!(facts.as_slice(), [FilmFact::Year(_)]);
    if !(is_list && is_short || is_year) {
        return None;
    }
    let years: Vec<i16> = facts
        .iter()
        .filter_map(|fact| match fact {
            FilmFact::Year(year) => Some(*year),
            _ => None,
        })
        .collect();
    match years.as_slice() {
        [year] => Some(CreditLine::Facts(Some(*year))),
        _ => Some(CreditLine::Facts(None)),
    }
}

/// Parses the value after labels. `None` means that the line is prose, or another kind of line.
pub(super) fn parse_value(labelled: &Labelled<'_>, dates: &DateContext<'_>) -> Option<Vec<CreditValue>> {
    let value = labelled.value;
    let mut parsed = Vec::new();
    for label in &labelled.labels {
        match label {
            CreditLabel::Directors | CreditLabel::Writers | CreditLabel::Stars => {
                parsed.extend(parse_people(*label, labelled)?);
            }
            CreditLabel::Released => {
                parsed.push(CreditValue::Released(read_partial_date(strip_places(value), dates)?));
            }
            CreditLabel::Published => {
                parsed.push(CreditValue::Published(read_partial_date(strip_places(value), dates)?));
            }
            CreditLabel::Rating => parsed.push(CreditValue::Rated(parse_rating(labelled)?)),
            CreditLabel::Title => parsed.push(parse_title(labelled)?),
            CreditLabel::Year => parsed.push(CreditValue::Year(
                film_facts::only_year(value).filter(|_| value.chars().count() <= 40)?,
                true,
            )),
            CreditLabel::Country => match film_facts::only_year(value) {
                Some(year) if is_brief(value) => parsed.push(CreditValue::Year(year, false)),
                _ if is_brief(value) => parsed.push(CreditValue::NoField),
                _ => return None,
            },
            CreditLabel::Other if rated(labelled).is_some() => {
                parsed.extend(rated(labelled).map(CreditValue::Rated));
            }
            // `casting` names the cast only in French.
            CreditLabel::Other
                if labelled.head.trim().eq_ignore_ascii_case("casting") && is_french(dates) =>
            {
                parsed.extend(parse_people(CreditLabel::Stars, labelled)?);
            }
            CreditLabel::OriginalTitle | CreditLabel::Other if is_brief(value) => {
                parsed.push(match parse_facts(value) {
                    Some(CreditLine::Facts(Some(year))) if *label == CreditLabel::Other => {
                        CreditValue::Year(year, false)
                    }
                    _ => CreditValue::NoField,
                });
            }
            CreditLabel::OriginalTitle | CreditLabel::Other => return None,
        }
    }
    Some(parsed)
}

fn is_french(dates: &DateContext<'_>) -> bool {
    dates.language.is_some_and(|tag| tag.to_ascii_lowercase().starts_with("fr"))
}

/// Whether a value is no sentence.
fn is_brief(value: &str) -> bool {
    let words = value.split_whitespace().count();
    let ends_like_sentence = value.ends_with(['.', '!', '?', '。']) && words > 6;
    value.chars().count() <= 2 * MAX_TITLE_CHARS && words <= 30 && !ends_like_sentence
}

fn parse_people(label: CreditLabel, labelled: &Labelled<'_>) -> Option<Vec<CreditValue>> {
    let value = labelled.value;
    // `Stars: 3.5` is a rating.
    if label == CreditLabel::Stars && labelled.form == LabelForm::Separated {
        let rating = Rating::parse_labelled(value)
            .filter(|_| value.chars().count() > 1 || value.starts_with(|c: char| c.is_ascii_digit()));
        let counted = || {
            Rating::parse(&format!("{value} stars")).filter(|_| labelled.head.eq_ignore_ascii_case("stars"))
        };
        if let Some(rating) = rating.or_else(counted) {
            return Some(vec![CreditValue::Rated(rating)]);
        }
    }
    let (names, year, has_facts) = split_off_facts(value);
    let shared = if label == CreditLabel::Stars { SharedSurname::No } else { SharedSurname::Possible };
    let mut parsed = Vec::new();
    match person_names::parse_names(names, shared)? {
        PersonNames::Nobody => parsed.push(CreditValue::Nobody),
        PersonNames::Names(mut names) => parsed.push({
            if labelled.form == LabelForm::Preposition && label != CreditLabel::Stars && names.len() > 1 {
                // `Regi Ada Lund, Drama`
                names.retain(|name| person_names::is_full_name(name));
            }
            match label {
                CreditLabel::Directors => CreditValue::Directors(names),
                CreditLabel::Writers => CreditValue::Writers(names),
                _ => CreditValue::Stars(names),
            }
        }),
    }
    if let Some(year) = year {
        parsed.push(CreditValue::Year(year, false));
    } else if has_facts {
        parsed.push(CreditValue::NoField);
    }
    Some(parsed)
}

/// Splits `Sean Baker, USA, 2024, 139 min` into the names and the year after them.
fn split_off_facts(value: &str) -> (&str, Option<i16>, bool) {
    let mut names = value.trim();
    let mut year = None;
    let mut has_facts = false;
    let mut countries_end = None;
    while let Some((before, item)) = names.rsplit_once([',', '(', '/', '|', '–']) {
        match parse_fact(item) {
            Some(FilmFact::Country) => {
                // A country alone may be a name.
                countries_end.get_or_insert(names);
            }
            Some(FilmFact::Year(found)) if year.is_none() => {
                year = Some(found);
                has_facts = true;
                countries_end = None;
            }
            Some(_) => {
                has_facts = true;
                countries_end = None;
            }
            None => break,
        }
        names = before.trim();
    }
    if let Some(end) = countries_end.filter(|_| !has_facts) {
        return (end, None, false);
    }
    (names, year, has_facts)
}

/// Removes remarks such as `(USA)` or `公開` around a date.
fn strip_places(value: &str) -> &str {
    let value = value.split(['(', '（', '|', '｜']).next().unwrap_or(value).trim();
    ["公開", "より公開", "全国公開", "から公開", "개봉", "日本公開"]
        .iter()
        .find_map(|end| value.strip_suffix(end))
        .unwrap_or(value)
        .trim()
}

fn parse_title(labelled: &Labelled<'_>) -> Option<CreditValue> {
    let value = labelled.value;
    // `Film: 4/5` is a rating of the film.
    if let Some(rating) = Rating::parse_labelled(value).filter(|rating| rating.as_str().chars().count() > 1) {
        return Some(CreditValue::Rated(rating));
    }
    if value.chars().count() > MAX_TITLE_CHARS
        || value.ends_with(['.', ',', '。'])
        || value.split_whitespace().count() > 14
    {
        return None;
    }
    let is_possible =
        matches!(labelled.head.trim().to_lowercase().as_str(), "film" | "movie" | "filmen" | "映画" | "영화");
    let stripped = strip_quotes(value);
    Some(match split_off_year(value) {
        Some((title, year)) => CreditValue::Title(title, Some(year)),
        None if is_possible && stripped == value => CreditValue::PossibleTitle(value.to_owned()),
        None => CreditValue::Title(stripped.to_owned(), None),
    })
}

/// Whether a line is short and has the form of a label and a value.
fn has_unknown_label(text: &str) -> bool {
    let Some((label, value)) = text.split_once([':', '：']) else { return false };
    let (label, value) = (label.trim(), value.trim());
    let is_brief = label.split_whitespace().count() <= 2 && value.split_whitespace().count() <= 6;
    let starts_like_label = is_brief || label.chars().next().is_some_and(|c| !c.is_lowercase());
    let is_sentence = value.ends_with(['.', '!', '?', '。']) && value.split_whitespace().count() > 6;
    starts_like_label
        && label.chars().count() <= 40
        && label.split_whitespace().count() <= 5
        && !value.is_empty()
        && value.chars().count() <= MAX_UNKNOWN_VALUE_CHARS
        && value.split_whitespace().count() <= 16
        && !is_sentence
}
