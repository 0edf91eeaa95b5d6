//! Extracts the credits of a review: the lines that name the people who made the film, its release date and the critic's
//! rating, and the film that the headline names. Extracted lines are removed from the body, since pages show them
//! separately. An ambiguous line stays in the body and has no effect.

mod body_lines;
mod credit_blocks;
mod credit_line;
mod film_facts;
mod film_in_headline;
mod headline_columns;
mod headline_parts;
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
use super::html::{self, Node};
use crate::domain::content_hash::fold_letters;
use crate::domain::credit_evidence::{CreditCertainty, CreditEvidence, CreditField, CreditOrigin};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use body_lines::BodyLine;
use credit_blocks::{BlockCredit, CreditBlocks, agreed_rating, find_blocks, parse_lines};
use credit_line::{CreditLine, CreditValue};
use film_in_headline::{HeadlineFilm, is_title_case, read_headline};
pub use headline_columns::{ColumnEntry, HeadlineColumns};
use labels::{WordKind, is_word};
use person_names::{PersonNames, SharedSurname};
use quoted_title::{split_off_year, strip_quotes};
use rating_lines::{rating_at_end, stars_at_start};

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
    if headline.is_double || blocks.is_double {
        extractor.set_aside(&headline, &blocks);
    } else {
        for credit in &blocks.credits {
            extractor.take(credit);
        }
        extractor.take_rating(&blocks, &headline, &lines, &parsed);
        extractor.take_title(title, &headline, &blocks, &lines, &nodes, &is_in_body);
        extractor.take_year(&headline, &blocks);
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
        } else if let Some(found) = rating_at_end(lines, parsed) {
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

    /// Uses the title that a label, the line above the credits or the headline gives.
    fn take_title(
        &mut self,
        text: &str,
        headline: &HeadlineFilm,
        blocks: &CreditBlocks,
        lines: &[BodyLine],
        nodes: &[Node],
        is_in_body: &dyn Fn(&str) -> bool,
    ) {
        if !self.credits.film.title.is_empty() {
            return;
        }
        if let Some(line) = blocks.line_above.and_then(|at| Some((at, lines.get(at)?)))
            && let Some((title, year)) = title_above(&line.1.text, text, headline)
        {
            self.removed.insert(line.0);
            // The headline's form is the usual one: `Brother Anvil` and not `BROTHER ANVIL`.
            let title = headline.title.clone().unwrap_or(title);
            self.credits.film.year = self.credits.film.year.or(year);
            self.set_title(title, CreditOrigin::LineAbove, CreditCertainty::Implied);
            return;
        }
        let has_credits = !blocks.credits.is_empty() || self.credits.rating.is_some();
        let has_what_it_needs = (!headline.needs_credits || has_credits)
            && (!headline.needs_director || !self.credits.film.directors.is_empty());
        match &headline.title {
            Some(title) if has_what_it_needs => {
                let certainty =
                    if is_in_body(title) { CreditCertainty::Stated } else { CreditCertainty::Implied };
                let title = without_director(title, &self.credits.film.directors).to_owned();
                let title = emphasized_beginning(&title, nodes).unwrap_or(title);
                self.set_title(form_in_body(&title, lines), CreditOrigin::Headline, certainty);
            }
            Some(title) => {
                self.record(
                    CreditField::Title,
                    CreditOrigin::Headline,
                    CreditCertainty::Unsure,
                    title.clone(),
                );
            }
            // The headline may be the title itself, if the text writes it like one.
            None if has_credits && is_title_case(text) => {
                let folded = fold_letters(text);
                let is_emphasized = body_lines::emphasized_texts(nodes)
                    .iter()
                    .any(|emphasized| fold_letters(emphasized) == folded);
                let is_written = || {
                    !self.credits.film.directors.is_empty()
                        && !self.credits.film.stars.is_empty()
                        && capitalized_in_body(text, lines).is_some()
                };
                if (is_emphasized || is_written()) && !folded.is_empty() {
                    let title = form_in_body(strip_quotes(text), lines);
                    self.set_title(title, CreditOrigin::Headline, CreditCertainty::Implied);
                }
            }
            None => {}
        }
    }

    fn set_title(&mut self, title: String, origin: CreditOrigin, certainty: CreditCertainty) {
        self.record(CreditField::Title, origin, certainty, title.clone());
        self.credits.film.title = title;
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

/// Returns the beginning of a title that the text emphasizes, if it does not emphasize all of it: the headline goes on with a
/// sentence, as in `The Meadow Plays It Straight`.
fn emphasized_beginning(title: &str, nodes: &[Node]) -> Option<String> {
    let words = title.split_whitespace().count();
    if words < 4 {
        return None;
    }
    let emphasized = body_lines::emphasized_texts(nodes);
    let folded = fold_letters(title);
    if emphasized.iter().any(|text| fold_letters(text) == folded) {
        return None;
    }
    let begins = |text: &&String| {
        let rest = title.strip_prefix(text.as_str());
        is_title_case(text)
            && rest.is_some_and(|rest| rest.starts_with(' ') && rest.split_whitespace().count() >= 2)
    };
    emphasized.iter().filter(begins).max_by_key(|text| text.len()).cloned()
}

/// Returns a title in capitals as the text writes it.
fn form_in_body(title: &str, lines: &[BodyLine]) -> String {
    let is_in_capitals =
        title.chars().filter(|c| c.is_alphabetic()).count() > 3 && !title.chars().any(char::is_lowercase);
    let found = is_in_capitals.then(|| capitalized_in_body(title, lines)).flatten();
    found.unwrap_or_else(|| title.to_owned())
}

/// Returns how a text writes a title, if its words are capitalized there and not all in capitals.
fn capitalized_in_body(title: &str, lines: &[BodyLine]) -> Option<String> {
    let wanted = title.to_lowercase();
    if wanted.chars().count() < 4 {
        return None;
    }
    lines.iter().find_map(|line| {
        let lower = line.text.to_lowercase();
        let at = lower.find(&wanted)?;
        // Lower case may have another length.
        let found = line.text.get(at..at + wanted.len()).filter(|found| found.to_lowercase() == wanted)?;
        let is_whole = !line.text.get(at + wanted.len()..)?.starts_with(char::is_alphanumeric)
            && !line.text.get(..at)?.ends_with(char::is_alphanumeric);
        let is_inside = line.text.chars().count() > found.chars().count() + 10;
        (is_whole && is_inside && is_title_case(found) && found.chars().any(char::is_lowercase))
            .then(|| found.to_owned())
    })
}

/// Fills an empty list. Returns whether it was empty.
fn fill(field: &mut Vec<String>, names: &[String]) -> bool {
    let is_empty = field.is_empty();
    if is_empty {
        field.extend_from_slice(names);
    }
    is_empty
}

/// Removes the director after a title, as in `Stalker by Andrei Tarkovsky`.
fn without_director<'a>(title: &'a str, directors: &[String]) -> &'a str {
    const PREPOSITIONS: [&str; 9] = ["by", "de", "di", "von", "van", "av", "af", "–", "-"];
    directors
        .iter()
        .find_map(|director| {
            let before = title.strip_suffix(director.as_str())?.trim_end();
            let before = PREPOSITIONS.iter().find_map(|word| before.strip_suffix(word))?;
            before.ends_with(' ').then(|| before.trim_end_matches([' ', ',']))
        })
        .filter(|title| !title.is_empty())
        .unwrap_or(title)
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
        CreditValue::Title(title, _) => (CreditField::Title, title.clone()),
        CreditValue::Published(_) | CreditValue::Nobody | CreditValue::NoField => return None,
    })
}

/// Returns the title and the year of the line above the credits, if it is unambiguous.
fn title_above(line: &str, headline: &str, in_headline: &HeadlineFilm) -> Option<(String, Option<i16>)> {
    let (title, year) = match split_off_year(line) {
        Some((title, year)) => (title, Some(year)),
        None => (strip_quotes(line).to_owned(), None),
    };
    let folded = fold_letters(&title);
    let is_part = !folded.is_empty() && fold_letters(headline).contains(&folded);
    let is_contradicted = in_headline.title.as_ref().is_some_and(|known| fold_letters(known) != folded);
    let is_heading =
        [WordKind::Heading, WordKind::Review, WordKind::Column].into_iter().any(|kind| is_word(&title, kind));
    let is_title = is_part || year.is_some() || is_title_case(&title);
    (is_title && !is_contradicted && !is_heading && !folded.is_empty()).then_some((title, year))
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
