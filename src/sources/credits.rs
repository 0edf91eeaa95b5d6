//! Extracts the credits of a review: the lines that name the people who made the film, its release date and the critic's
//! rating, and the film that the headline names. Extracted lines are removed from the body, since pages show them
//! separately. An ambiguous line stays in the body and has no effect.

mod body_lines;
mod credit_blocks;
mod credit_line;
mod film_facts;
mod film_in_headline;
mod film_title;
mod headline_columns;
mod headline_parts;
mod headline_subject;
mod labelled_ratings;
mod labels;
mod line_segments;
mod person_names;
mod quoted_title;
mod rating_lines;
mod title_shape;

use std::cell::OnceCell;
use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::dates::{DateContext, PartialDate};
use super::html;
use crate::domain::content_hash::fold_letters;
use crate::domain::credit_evidence::{CreditCertainty, CreditEvidence, CreditField, CreditOrigin};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use body_lines::BodyLine;
use credit_blocks::{BlockCredit, CreditBlocks, agreed_rating, find_blocks, parse_lines};
use credit_line::{CreditLine, CreditValue};
use film_in_headline::{HeadlineFilm, HeadlineKind, is_title_case, read_headline};
use film_title::TitleChoice;
pub use headline_columns::{ColumnEntry, HeadlineColumns};
use labelled_ratings::stars_at_start;
use person_names::{PersonNames, SharedSurname};
use rating_lines::{has_contradicting_lines, rating_at_end, rating_of_own_line};

/// Extracted credits, and the body without them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Credits {
    /// The film, as far as it is known.
    pub film: Film,
    /// The critic's rating.
    pub rating: Option<Rating>,
    /// The date of publication that the review states.
    pub published: Option<Date>,
    /// The body without the extracted lines.
    pub body: String,
    /// Where the values were read, and what was read but is not certain enough to be one.
    pub evidence: Vec<CreditEvidence>,
}

/// Extracts the credits from a headline (plain text) and a body that `html::sanitize_review_body` returned. The language, a
/// BCP 47 tag, decides the order of day and month.
pub fn extract(title: &str, body: &str, language: Option<&str>) -> Credits {
    extract_in_column(title, None, body, language)
}

/// Extracts the credits as [`extract`] does. `column` is what follows a known column in the headline.
pub fn extract_in_column(
    title: &str,
    column: Option<&ColumnEntry>,
    body: &str,
    language: Option<&str>,
) -> Credits {
    let mut nodes = html::parse(body);
    let lines = body_lines::read_lines(&nodes);
    let dates = DateContext { zone: &TimeZone::UTC, order: None, language };
    let (parsed, labels_above) = parse_lines(&lines, &dates);
    let blocks = find_blocks(&parsed, &labels_above);
    let folded = OnceCell::new();
    let is_in_body = |text: &str| {
        let all: &String = folded.get_or_init(|| fold_lines(&lines));
        all.contains(&fold_letters(text))
    };
    let of_column = column.and_then(|entry| {
        let headline = read_headline(&format!("Review: {}", entry.rest), language, &is_in_body);
        let title = headline.title.as_deref()?;
        (entry.is_configured || is_in_body(title)).then_some(headline)
    });
    let headline = of_column.unwrap_or_else(|| read_headline(title, language, &is_in_body));
    let mut extractor = Extractor { credits: Credits::default(), removed: HashSet::new() };
    if matches!(headline.kind, HeadlineKind::SeveralFilms | HeadlineKind::News) || blocks.is_double {
        extractor.set_aside(&headline, &blocks);
    } else {
        for credit in &blocks.credits {
            extractor.take(credit);
        }
        extractor.take_possible_title(title, &blocks, &lines);
        extractor.take_rating(&blocks, &headline, &lines, &parsed);
        extractor.take_title(&TitleChoice {
            headline: title,
            is_english: language.is_none_or(|tag| tag.to_ascii_lowercase().starts_with("en")),
            in_headline: &headline,
            blocks: &blocks,
            lines: &lines,
            parsed: &parsed,
            nodes: &nodes,
            is_in_body: &is_in_body,
        });
        extractor.take_year(&headline, &blocks);
        extractor.take_director(headline.director.as_ref(), CreditOrigin::Headline);
    }
    body_lines::remove_lines(&mut nodes, &extractor.removed);
    extractor.credits.body = html::write(&nodes);
    extractor.credits
}

/// The lines as [`fold_letters`] writes them.
fn fold_lines(lines: &[BodyLine]) -> String {
    lines.iter().map(|line| fold_letters(&line.text)).collect::<Vec<_>>().join("|")
}

struct Extractor {
    credits: Credits,
    /// The numbers of the lines that are removed from the body.
    removed: HashSet<usize>,
}

impl Extractor {
    fn record(&mut self, field: CreditField, origin: CreditOrigin, certainty: CreditCertainty, text: String) {
        self.credits.evidence.push(CreditEvidence { field, origin, certainty, text });
    }

    /// Records what is said about two films, without using it.
    fn set_aside(&mut self, headline: &HeadlineFilm, blocks: &CreditBlocks) {
        if let Some(title) = &headline.title {
            self.record(CreditField::Title, CreditOrigin::Headline, CreditCertainty::Unsure, title.clone());
        }
        for credit in &blocks.credits {
            if let Some((field, text)) = describe(&credit.value) {
                self.record(field, CreditOrigin::Block, CreditCertainty::Unsure, text);
            }
        }
    }

    /// Uses a credit if there is a field for it that is empty. The line is removed if all of it is used.
    fn take(&mut self, credit: &BlockCredit) {
        let film = &mut self.credits.film;
        let is_used = match &credit.value {
            CreditValue::Directors(names) => fill(&mut film.directors, names),
            CreditValue::Writers(names) => fill(&mut film.writers, names),
            CreditValue::Stars(names) => fill(&mut film.stars, names),
            CreditValue::Released(PartialDate::Day(day)) if film.release_date.is_none() => {
                film.release_date = Some((*day).into());
                true
            }
            CreditValue::Released(PartialDate::Year(year)) | CreditValue::Year(year, true)
                if film.year.is_none_or(|known| known == *year) =>
            {
                film.year = Some(*year);
                true
            }
            // There is no field for the month, so the line stays in the body.
            CreditValue::Released(PartialDate::Month(year)) => {
                film.year = film.year.or(Some(*year));
                false
            }
            CreditValue::Published(PartialDate::Day(day)) if self.credits.published.is_none() => {
                self.credits.published = Some(*day);
                true
            }
            CreditValue::Title(title, year) if film.title.is_empty() => {
                film.title.clone_from(title);
                film.year = film.year.or(*year);
                true
            }
            CreditValue::Nobody => true,
            _ => false,
        };
        if is_used {
            if let Some((field, text)) = describe(&credit.value) {
                self.record(field, CreditOrigin::Block, CreditCertainty::Stated, text);
            }
            if credit.is_complete {
                self.removed.extend(&credit.lines);
            }
        }
    }

    /// Uses what follows the word *film* as the title, if the headline or the text has it, too.
    fn take_possible_title(&mut self, headline: &str, blocks: &CreditBlocks, lines: &[BodyLine]) {
        let found = blocks.credits.iter().find_map(|credit| match &credit.value {
            CreditValue::PossibleTitle(title) => Some((credit, title)),
            _ => None,
        });
        let Some((credit, title)) = found else { return };
        let folded = fold_letters(title);
        let is_elsewhere = fold_letters(headline).contains(&folded)
            || lines
                .iter()
                .enumerate()
                .any(|(at, line)| !credit.lines.contains(&at) && fold_letters(&line.text).contains(&folded));
        if !folded.is_empty() && is_elsewhere && is_title_case(title) {
            self.take(&BlockCredit { value: CreditValue::Title(title.clone(), None), ..credit.clone() });
        }
    }

    /// Uses the rating of the blocks, the headline, the last line or the first one.
    fn take_rating(
        &mut self,
        blocks: &CreditBlocks,
        headline: &HeadlineFilm,
        lines: &[BodyLine],
        parsed: &[CreditLine],
    ) {
        let has_block_rating =
            blocks.credits.iter().any(|credit| matches!(credit.value, CreditValue::Rated(_)));
        let (rating, origin, certainty) = if let Some((at, rating)) = agreed_rating(&blocks.credits) {
            if let Some(credit) = blocks.credits.get(at).filter(|credit| credit.is_complete) {
                self.removed.extend(&credit.lines);
            }
            (rating, CreditOrigin::Block, CreditCertainty::Stated)
        } else if has_block_rating {
            for credit in &blocks.credits {
                if let (CreditValue::Rated(_), Some((field, text))) = (&credit.value, describe(&credit.value))
                {
                    self.record(field, CreditOrigin::Block, CreditCertainty::Unsure, text);
                }
            }
            return;
        } else if let Some(rating) = headline.rating.clone() {
            (rating, CreditOrigin::Headline, CreditCertainty::Stated)
        } else if has_contradicting_lines(lines, parsed) {
            return;
        } else if let Some(found) = rating_at_end(lines, parsed).or_else(|| rating_of_own_line(parsed)) {
            let certainty = if found.is_whole_line {
                self.removed.insert(found.line);
                CreditCertainty::Stated
            } else {
                CreditCertainty::Implied
            };
            (found.rating, CreditOrigin::LastLine, certainty)
        } else if let Some((rating, _)) = lines.first().and_then(|line| stars_at_start(&line.text)) {
            (rating, CreditOrigin::FirstLine, CreditCertainty::Implied)
        } else {
            return;
        };
        self.record(CreditField::Rating, origin, certainty, rating.as_str().to_owned());
        self.credits.rating = Some(rating);
    }

    /// Uses the title that the line above the credits, the headline or another line gives, if no label gives it.
    fn take_title(&mut self, choice: &TitleChoice<'_>) {
        let film = &self.credits.film;
        if !film.title.is_empty() {
            return;
        }
        let Some(found) = choice.find(film, self.credits.rating.is_some()) else {
            if let Some(title) = &choice.in_headline.title {
                let (field, origin) = (CreditField::Title, CreditOrigin::Headline);
                self.record(field, origin, CreditCertainty::Unsure, title.clone());
            }
            return;
        };
        self.record(CreditField::Title, found.origin, found.certainty, found.title.clone());
        self.credits.film.title = found.title;
        self.removed.extend(found.removed_line);
        if let Some(year) = found.year.filter(|_| self.credits.film.year.is_none()) {
            self.record(CreditField::Year, found.origin, found.certainty, year.to_string());
            self.credits.film.year = Some(year);
        }
        self.take_director(found.director.as_ref(), found.origin);
        if let Some(rating) = found.rating.filter(|_| self.credits.rating.is_none()) {
            self.record(CreditField::Rating, found.origin, found.certainty, rating.as_str().to_owned());
            self.credits.rating = Some(rating);
        }
    }

    /// Uses the director in brackets beside the title, if no label names one.
    fn take_director(&mut self, director: Option<&String>, origin: CreditOrigin) {
        let film = &self.credits.film;
        if let Some(director) = director.filter(|_| film.directors.is_empty() && !film.title.is_empty()) {
            self.record(CreditField::Directors, origin, CreditCertainty::Implied, director.clone());
            self.credits.film.directors.push(director.clone());
        }
    }

    /// Uses the year that the headline, a list of facts or the date of release gives, if no label gives it.
    fn take_year(&mut self, headline: &HeadlineFilm, blocks: &CreditBlocks) {
        if self.credits.film.year.is_some() {
            return;
        }
        let is_same_film = headline
            .title
            .as_ref()
            .is_none_or(|title| fold_letters(title).starts_with(&fold_letters(&self.credits.film.title)));
        let in_headline = headline
            .year
            .filter(|_| is_same_film)
            .map(|year| (year, CreditOrigin::Headline, CreditCertainty::Stated));
        let mut years = blocks.credits.iter().filter_map(|credit| match credit.value {
            CreditValue::Year(year, false) => Some(year),
            _ => None,
        });
        let first = years.next().filter(|first| years.all(|other| other == *first));
        let in_facts = first.map(|year| (year, CreditOrigin::Block, CreditCertainty::Implied));
        let of_release = || {
            let day = self.credits.film.release_date?;
            Some((day.year(), CreditOrigin::Block, CreditCertainty::Implied))
        };
        if let Some((year, origin, certainty)) = in_headline.or(in_facts).or_else(of_release) {
            self.record(CreditField::Year, origin, certainty, year.to_string());
            self.credits.film.year = Some(year);
        }
    }
}

/// Fills an empty list. Returns whether it was empty.
fn fill(field: &mut Vec<String>, names: &[String]) -> bool {
    let is_empty = field.is_empty();
    if is_empty {
        field.extend_from_slice(names);
    }
    is_empty
}

/// Returns the field of a value, and the value as text.
fn describe(value: &CreditValue) -> Option<(CreditField, String)> {
    Some(match value {
        CreditValue::Directors(names) => (CreditField::Directors, names.join(", ")),
        CreditValue::Writers(names) => (CreditField::Writers, names.join(", ")),
        CreditValue::Stars(names) => (CreditField::Stars, names.join(", ")),
        CreditValue::Released(PartialDate::Day(day)) => (CreditField::ReleaseDate, day.to_string()),
        CreditValue::Released(PartialDate::Month(year) | PartialDate::Year(year))
        | CreditValue::Year(year, _) => (CreditField::Year, year.to_string()),
        CreditValue::Rated(rating) => (CreditField::Rating, rating.as_str().to_owned()),
        CreditValue::Title(title, _) | CreditValue::PossibleTitle(title) => {
            (CreditField::Title, title.clone())
        }
        CreditValue::Published(_) | CreditValue::Nobody | CreditValue::NoField => return None,
    })
}

/// Returns the names in a text that consists of names of people: none if it says that there is nobody, and `None` if a part of
/// it is no name. *Joel and Ethan Coen* share a surname and stay together, unless they are actors (`is_cast`).
pub(super) fn names_of_people(text: &str, is_cast: bool) -> Option<Vec<String>> {
    let shared = if is_cast { SharedSurname::No } else { SharedSurname::Possible };
    match person_names::parse_names(text, shared)? {
        PersonNames::Names(names) => Some(names),
        PersonNames::Nobody => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests;
