//! What one line near the top of a review is: a credit, a rating, a title, or prose.

use super::dates::{self, When};
use super::headline;
use super::names::{self, Kin};
use crate::domain::rating::Rating;

/// Longer lines are prose.
const LONGEST_LINE: usize = 400;
const LONGEST_TITLE: usize = 100;

/// What a line is.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Directors(Vec<String>),
    Writers(Vec<String>),
    Both(Vec<String>),
    Stars(Vec<String>),
    Released(When),
    Published(When),
    Rated(Rating),
    Title(String, Option<i16>),
    Year(i16),
    /// A credit that we keep no place for: it stays in the body.
    Other,
    /// Too short to be prose: a title, a byline.
    Short,
    Blank,
    Prose,
}

/// A label, whether it needs a colon or its like behind it, and what it announces.
const LABELS: [(&str, bool, Kind); 44] = [
    ("written and directed by", false, Kind::Both),
    ("written & directed by", false, Kind::Both),
    ("directed and written by", false, Kind::Both),
    ("directed & written by", false, Kind::Both),
    ("writer/director", true, Kind::Both),
    ("writer-director", true, Kind::Both),
    ("directed by", false, Kind::Directors),
    ("directors", true, Kind::Directors),
    ("director(s)", true, Kind::Directors),
    ("director", true, Kind::Directors),
    ("written by", false, Kind::Writers),
    ("screenplay by", false, Kind::Writers),
    ("screenplay", true, Kind::Writers),
    ("writers", true, Kind::Writers),
    ("writer(s)", true, Kind::Writers),
    ("writer", true, Kind::Writers),
    ("starring", false, Kind::Stars),
    ("stars", true, Kind::Stars),
    ("cast", true, Kind::Stars),
    ("release date", false, Kind::Released),
    ("released on", false, Kind::Released),
    ("released", false, Kind::Released),
    ("originally published", false, Kind::Published),
    ("published on", false, Kind::Published),
    ("published", false, Kind::Published),
    ("my rating", false, Kind::Rating),
    ("star rating", false, Kind::Rating),
    ("rating", false, Kind::Rating),
    ("grade", false, Kind::Rating),
    ("score", true, Kind::Rating),
    ("verdict", true, Kind::Rating),
    ("film", true, Kind::Title),
    ("movie", true, Kind::Title),
    ("title", true, Kind::Title),
    ("year", true, Kind::Year),
    ("running time", true, Kind::Other),
    ("runtime", true, Kind::Other),
    ("rated", true, Kind::Other),
    ("genre", true, Kind::Other),
    ("distributor", true, Kind::Other),
    ("studio", true, Kind::Other),
    ("cinematography by", false, Kind::Other),
    ("music by", false, Kind::Other),
    ("produced by", false, Kind::Other),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directors,
    Writers,
    Both,
    Stars,
    Released,
    Published,
    Rating,
    Title,
    Year,
    Other,
}

/// Tells what a line is.
pub(super) fn classify(text: &str) -> Line {
    let text = text.trim();
    if text.is_empty() {
        return Line::Blank;
    }
    if text.chars().count() > LONGEST_LINE {
        return Line::Prose;
    }
    if let Some((kind, value)) = labelled(text)
        && let Some(line) = read_value(kind, value, text)
    {
        return line;
    }
    // A lone letter or word is a rating only behind a label.
    if let Some(rating) = Rating::parse(text).filter(|r| r.as_str().chars().count() > 1) {
        return Line::Rated(rating);
    }
    let words = text.split_whitespace().count();
    let sentence = text.ends_with(['.', ':', ',', ';']) && !text.ends_with("..");
    let byline = text.get(..3).is_some_and(|b| b.eq_ignore_ascii_case("by "));
    if text.chars().count() <= LONGEST_TITLE && words <= 14 && (!sentence || byline) {
        Line::Short
    } else {
        Line::Prose
    }
}

fn read_value(kind: Kind, value: &str, text: &str) -> Option<Line> {
    Some(match kind {
        Kind::Directors => Line::Directors(names::names(value, Kin::MayShareName)?),
        Kind::Writers => Line::Writers(names::names(value, Kin::MayShareName)?),
        Kind::Both => Line::Both(names::names(value, Kin::MayShareName)?),
        Kind::Stars => match names::names(value, Kin::AreTwo) {
            Some(names) => Line::Stars(names),
            None => Line::Rated(Rating::parse(value)?),
        },
        Kind::Released => Line::Released(dates::when(value)?),
        Kind::Published => Line::Published(dates::when(value)?),
        Kind::Rating => Line::Rated(Rating::parse(value).or_else(|| Rating::parse(text))?),
        Kind::Title if value.chars().count() > LONGEST_TITLE || value.ends_with('.') => return None,
        Kind::Title => match headline::split_year(value) {
            Some((title, year)) => Line::Title(title, Some(year)),
            None => Line::Title(headline::unquoted(value).to_owned(), None),
        },
        Kind::Year => match dates::when(value)? {
            When::Year(year) => Line::Year(year),
            When::Day(_) | When::Month(_) => return None,
        },
        Kind::Other if value.chars().count() <= LONGEST_TITLE && !value.ends_with('.') => Line::Other,
        Kind::Other => return None,
    })
}

/// The kind of credit that a line begins with, and what follows the label.
fn labelled(text: &str) -> Option<(Kind, &str)> {
    let separators = [':', '-', '\u{2013}', '\u{2014}', '|', '\u{FF1A}'];
    LABELS.iter().find_map(|(label, separated, kind)| {
        let head = text.get(..label.len())?;
        let rest = text.get(label.len()..)?;
        let bare = rest.trim_start();
        let fits = if *separated {
            bare.starts_with(separators)
        } else {
            bare.len() < rest.len() || bare.starts_with(separators)
        };
        let value = bare.trim_start_matches(separators).trim();
        (head.eq_ignore_ascii_case(label) && fits && !value.is_empty()).then_some((*kind, value))
    })
}
