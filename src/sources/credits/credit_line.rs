//! Classifies a line near the top of a review as a credit, a rating, a title, or prose.

use super::dates::{self, PartialDate};
use super::film_in_headline;
use super::person_names::{self, SharedSurname};
use crate::domain::rating::Rating;

/// The maximum length of a line in characters. Longer lines are prose.
const MAX_LINE_CHARS: usize = 400;
const MAX_TITLE_CHARS: usize = 100;

/// A classified line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Directors(Vec<String>),
    Writers(Vec<String>),
    DirectorsAndWriters(Vec<String>),
    Stars(Vec<String>),
    Released(PartialDate),
    Published(PartialDate),
    Rated(Rating),
    Title(String, Option<i16>),
    Year(i16),
    /// A credit for which there is no field. It stays in the body.
    Other,
    /// A line that is too short for prose, such as a title or a byline.
    Short,
    Blank,
    Prose,
}

/// The text of each label, whether a separator such as a colon must follow it, and its meaning.
const LABELS: [(&str, bool, Label); 44] = [
    ("written and directed by", false, Label::DirectorsAndWriters),
    ("written & directed by", false, Label::DirectorsAndWriters),
    ("directed and written by", false, Label::DirectorsAndWriters),
    ("directed & written by", false, Label::DirectorsAndWriters),
    ("writer/director", true, Label::DirectorsAndWriters),
    ("writer-director", true, Label::DirectorsAndWriters),
    ("directed by", false, Label::Directors),
    ("directors", true, Label::Directors),
    ("director(s)", true, Label::Directors),
    ("director", true, Label::Directors),
    ("written by", false, Label::Writers),
    ("screenplay by", false, Label::Writers),
    ("screenplay", true, Label::Writers),
    ("writers", true, Label::Writers),
    ("writer(s)", true, Label::Writers),
    ("writer", true, Label::Writers),
    ("starring", false, Label::Stars),
    ("stars", true, Label::Stars),
    ("cast", true, Label::Stars),
    ("release date", false, Label::Released),
    ("released on", false, Label::Released),
    ("released", false, Label::Released),
    ("originally published", false, Label::Published),
    ("published on", false, Label::Published),
    ("published", false, Label::Published),
    ("my rating", false, Label::Rating),
    ("star rating", false, Label::Rating),
    ("rating", false, Label::Rating),
    ("grade", false, Label::Rating),
    ("score", true, Label::Rating),
    ("verdict", true, Label::Rating),
    ("film", true, Label::Title),
    ("movie", true, Label::Title),
    ("title", true, Label::Title),
    ("year", true, Label::Year),
    ("running time", true, Label::Other),
    ("runtime", true, Label::Other),
    ("rated", true, Label::Other),
    ("genre", true, Label::Other),
    ("distributor", true, Label::Other),
    ("studio", true, Label::Other),
    ("cinematography by", false, Label::Other),
    ("music by", false, Label::Other),
    ("produced by", false, Label::Other),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Directors,
    Writers,
    DirectorsAndWriters,
    Stars,
    Released,
    Published,
    Rating,
    Title,
    Year,
    Other,
}

/// Classifies a line.
pub(super) fn classify(text: &str) -> Line {
    let text = text.trim();
    if text.is_empty() {
        return Line::Blank;
    }
    if text.chars().count() > MAX_LINE_CHARS {
        return Line::Prose;
    }
    if let Some((label, value)) = split_label(text)
        && let Some(line) = parse_value(label, value, text)
    {
        return line;
    }
    // A single letter is a rating only after a label.
    if let Some(rating) = Rating::parse(text).filter(|r| r.as_str().chars().count() > 1) {
        return Line::Rated(rating);
    }
    let words = text.split_whitespace().count();
    let is_sentence = text.ends_with(['.', ':', ',', ';']) && !text.ends_with("..");
    let is_byline = text.get(..3).is_some_and(|b| b.eq_ignore_ascii_case("by "));
    if text.chars().count() <= MAX_TITLE_CHARS && words <= 14 && (!is_sentence || is_byline) {
        Line::Short
    } else {
        Line::Prose
    }
}

fn parse_value(label: Label, value: &str, text: &str) -> Option<Line> {
    Some(match label {
        Label::Directors => Line::Directors(person_names::parse_names(value, SharedSurname::Possible)?),
        Label::Writers => Line::Writers(person_names::parse_names(value, SharedSurname::Possible)?),
        Label::DirectorsAndWriters => {
            Line::DirectorsAndWriters(person_names::parse_names(value, SharedSurname::Possible)?)
        }
        Label::Stars => match person_names::parse_names(value, SharedSurname::No) {
            Some(names) => Line::Stars(names),
            None => Line::Rated(Rating::parse(value)?),
        },
        Label::Released => Line::Released(dates::parse_date(value)?),
        Label::Published => Line::Published(dates::parse_date(value)?),
        Label::Rating => Line::Rated(Rating::parse(value).or_else(|| Rating::parse(text))?),
        Label::Title if value.chars().count() > MAX_TITLE_CHARS || value.ends_with('.') => return None,
        Label::Title => match film_in_headline::split_off_year(value) {
            Some((title, year)) => Line::Title(title, Some(year)),
            None => Line::Title(film_in_headline::strip_quotes(value).to_owned(), None),
        },
        Label::Year => match dates::parse_date(value)? {
            PartialDate::Year(year) => Line::Year(year),
            PartialDate::Day(_) | PartialDate::Month(_) => return None,
        },
        Label::Other if value.chars().count() <= MAX_TITLE_CHARS && !value.ends_with('.') => Line::Other,
        Label::Other => return None,
    })
}

/// Returns the label at the start of a line, and the text after it.
fn split_label(text: &str) -> Option<(Label, &str)> {
    let separators = [':', '-', '\u{2013}', '\u{2014}', '|', '\u{FF1A}'];
    LABELS.iter().find_map(|(name, needs_separator, label)| {
        let head = text.get(..name.len())?;
        let rest = text.get(name.len()..)?;
        let trimmed = rest.trim_start();
        let fits = if *needs_separator {
            trimmed.starts_with(separators)
        } else {
            trimmed.len() < rest.len() || trimmed.starts_with(separators)
        };
        let value = trimmed.trim_start_matches(separators).trim();
        (head.eq_ignore_ascii_case(name) && fits && !value.is_empty()).then_some((*label, value))
    })
}
