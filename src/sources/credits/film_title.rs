//! Finds the title of the film where no label gives it: above the credits, in the headline, or in a line of its own.

use std::collections::HashMap;

use super::body_lines::{self, BodyLine};
use super::credit_blocks::CreditBlocks;
use super::credit_line::{CreditLine, CreditValue};
use super::film_facts::parse_fact;
use super::film_in_headline::{
    HeadlineFilm, HeadlineKind, TitleCondition, is_title_case, split_off_rating, without_brackets,
    without_maker,
};
use super::labels::{CreditLabel, WordKind, is_word, split_label};
use super::person_names::MAKER_WORDS;
use super::quoted_title::{closing_mark, split_off_year, strip_quotes, year_and_person};
use super::title_shape::{is_plausible, reads_like_title};
use crate::domain::content_hash::fold_letters;
use crate::domain::credit_evidence::{CreditCertainty, CreditOrigin};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::sources::html::Node;

/// Lines in which a label for a rating is looked for.
const MAX_LINES_BEFORE_RATING: usize = 8;

/// The longest line that is a title with its year, in bytes.
const MAX_TITLE_LINE_BYTES: usize = 300;

/// The shortest text that counts as a title only because it is emphasized, in characters.
const MIN_EMPHASIZED_CHARS: usize = 4;

/// What the title is chosen from.
pub(super) struct TitleChoice<'a> {
    pub(super) headline: &'a str,
    /// Whether the headline may be English, whose titles are capitalized.
    pub(super) is_english: bool,
    pub(super) in_headline: &'a HeadlineFilm,
    pub(super) blocks: &'a CreditBlocks,
    pub(super) lines: &'a [BodyLine],
    pub(super) parsed: &'a [CreditLine],
    pub(super) nodes: &'a [Node],
    pub(super) is_in_body: &'a dyn Fn(&str) -> bool,
}

/// A title, and what stands beside it.
#[derive(Debug)]
pub(super) struct FoundTitle {
    pub(super) title: String,
    pub(super) year: Option<i16>,
    pub(super) rating: Option<Rating>,
    pub(super) director: Option<String>,
    pub(super) origin: CreditOrigin,
    pub(super) certainty: CreditCertainty,
    /// The line that says nothing else.
    pub(super) removed_line: Option<usize>,
}

impl FoundTitle {
    fn implied(title: String, origin: CreditOrigin) -> Self {
        let certainty = CreditCertainty::Implied;
        Self { title, year: None, rating: None, director: None, origin, certainty, removed_line: None }
    }
}

impl TitleChoice<'_> {
    /// Returns the title. `film` is what labels say about the film.
    pub(super) fn find(&self, film: &Film, has_rating: bool) -> Option<FoundTitle> {
        let has_credits = !self.blocks.credits.is_empty() || has_rating || self.has_rating_label();
        if let Some(above) = self.above_the_credits() {
            return Some(above);
        }
        if self.in_headline.title.is_some() {
            return self.in_headline(film, has_credits);
        }
        self.alone_in_a_line()
            .or_else(|| self.the_headline(film, has_credits))
            .or_else(|| self.emphasized(has_credits))
    }

    /// The title that the text emphasizes: the beginning of the headline, as in `Stalker: into the zone`, or what it emphasizes
    /// more often than anything else.
    fn emphasized(&self, has_credits: bool) -> Option<FoundTitle> {
        let may_be_title =
            |text: &&String| is_title_case(text) && text.chars().count() >= MIN_EMPHASIZED_CHARS;
        let emphasized = body_lines::emphasized_texts(self.nodes);
        let marked = body_lines::marked_texts(self.nodes);
        let titles: Vec<&String> = emphasized.iter().filter(may_be_title).collect();
        let may_be_begin = |text: &&String| {
            let rest = self.headline.strip_prefix(text.as_str());
            let is_whole_word = rest.is_some_and(|rest| rest.starts_with([' ', ':', ',']));
            is_whole_word && text.chars().count() >= MIN_EMPHASIZED_CHARS && is_plausible(text)
        };
        let may_be_one = matches!(self.in_headline.kind, HeadlineKind::Plain | HeadlineKind::Other);
        let found = marked.iter().filter(may_be_begin).max_by_key(|text| text.len()).filter(|_| may_be_one);
        let most_often = || {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            for text in &titles {
                *counts.entry(text.as_str()).or_default() += 1;
            }
            let most = counts.values().copied().max().filter(|most| *most > 1)?;
            let mut best = titles.iter().filter(|text| counts.get(text.as_str()) == Some(&most));
            let first = best.next()?;
            best.all(|other| other == first).then_some(*first)
        };
        let title = found.or_else(|| if has_credits && may_be_one { most_often() } else { None })?;
        Some(FoundTitle::implied(title.clone(), CreditOrigin::Text))
    }

    /// Whether the text has these words in quotation marks or italics, as titles are written.
    fn is_quoted(&self, words: &str) -> bool {
        let words = words.trim();
        let is_between_marks = |text: &str, at: usize| {
            let open = text.get(..at).and_then(|before| before.chars().next_back());
            let close = text.get(at + words.len()..).and_then(|after| after.chars().next());
            close.is_some() && open.and_then(closing_mark) == close
        };
        words.chars().count() >= MIN_EMPHASIZED_CHARS
            && (self
                .lines
                .iter()
                .any(|line| line.text.match_indices(words).any(|(at, _)| is_between_marks(&line.text, at)))
                || body_lines::emphasized_texts(self.nodes).iter().any(|text| text == words))
    }

    /// Whether one of the first lines has a label for ratings, such as one whose value is `4 monuments`.
    fn has_rating_label(&self) -> bool {
        let is_rating = |line: &BodyLine| {
            split_label(&line.text).is_some_and(|labelled| {
                let is_number = labelled.value.starts_with(|c: char| c.is_ascii_digit());
                labelled.labels == [CreditLabel::Rating] && is_number && parse_fact(labelled.value).is_none()
            })
        };
        self.lines.iter().take(MAX_LINES_BEFORE_RATING).any(is_rating)
    }

    /// The line above the credits.
    fn above_the_credits(&self) -> Option<FoundTitle> {
        let at = self.blocks.line_above?;
        let (title, year) = title_above(
            &self.lines.get(at)?.text,
            self.headline,
            self.in_headline,
            follows_heading(self.lines, at),
        )?;
        // The headline's form is the usual one: `Brother Anvil` and not `BROTHER ANVIL`.
        let title = self.in_headline.title.clone().unwrap_or(title);
        Some(FoundTitle {
            year,
            removed_line: Some(at),
            ..FoundTitle::implied(title, CreditOrigin::LineAbove)
        })
    }

    /// The title that the headline names, if the review has what that needs.
    fn in_headline(&self, film: &Film, has_credits: bool) -> Option<FoundTitle> {
        let title = self.in_headline.title.as_ref()?;
        let is_met = match self.in_headline.condition {
            TitleCondition::None => true,
            TitleCondition::Credits => has_credits,
            TitleCondition::Director => !film.directors.is_empty(),
        };
        let certainty =
            if (self.is_in_body)(title) { CreditCertainty::Stated } else { CreditCertainty::Implied };
        let title = without_director(title, &film.directors).to_owned();
        let title = emphasized_beginning(&title, self.nodes).unwrap_or(title);
        let title = form_in_body(&title, self.lines);
        is_met.then(|| FoundTitle { certainty, ..FoundTitle::implied(title, CreditOrigin::Headline) })
    }

    /// A title with its year in a line of its own, or the headline again above the facts.
    fn alone_in_a_line(&self) -> Option<FoundTitle> {
        if self.in_headline.kind != HeadlineKind::Plain {
            return None;
        }
        if let Some(line) = title_line(self.lines) {
            return Some(line);
        }
        let year = year_below_headline(self.headline, self.lines, self.parsed)?;
        let title = strip_quotes(self.headline).to_owned();
        Some(FoundTitle { year: Some(year), ..FoundTitle::implied(title, CreditOrigin::Text) })
    }

    /// The headline itself.
    fn the_headline(&self, film: &Film, has_credits: bool) -> Option<FoundTitle> {
        let headline = self.headline;
        // Credits without a title are those of the film in the headline.
        let is_plain = self.in_headline.kind == HeadlineKind::Plain;
        if is_plain && names_people(self.blocks) && reads_like_bare_title(headline, self.is_english) {
            let title = form_in_body(strip_quotes(bare_title(headline)), self.lines);
            return Some(FoundTitle::implied(title, CreditOrigin::Headline));
        }
        // The headline may be the title itself, if the text writes it like one.
        let folded = fold_letters(headline);
        if folded.is_empty() {
            return None;
        }
        if is_plain && is_plausible(headline) && self.is_quoted(headline) {
            return Some(FoundTitle::implied(headline.trim().to_owned(), CreditOrigin::Headline));
        }
        if !has_credits || !is_title_case(headline) {
            return None;
        }
        let emphasized = body_lines::marked_texts(self.nodes);
        let is_emphasized = emphasized.iter().any(|emphasized| fold_letters(emphasized) == folded);
        let is_written = || {
            !film.directors.is_empty()
                && !film.stars.is_empty()
                && capitalized_in_body(headline, self.lines).is_some()
        };
        let title = form_in_body(strip_quotes(headline), self.lines);
        (is_emphasized || is_written()).then(|| FoundTitle::implied(title, CreditOrigin::Headline))
    }
}

/// Returns the year in the second line of a text whose first line is its headline.
fn year_below_headline(headline: &str, lines: &[BodyLine], parsed: &[CreditLine]) -> Option<i16> {
    let first = fold_letters(&lines.first()?.text);
    let CreditLine::Facts(year) = parsed.get(1)? else { return None };
    year.filter(|_| !first.is_empty() && first == fold_letters(headline))
}

/// Returns the only title that has a line of its own with its year, and perhaps its director or a rating: `Stalker (1979) ★★★★`,
/// `Stalker (Andrei Tarkovsky, 1979)`.
fn title_line(lines: &[BodyLine]) -> Option<FoundTitle> {
    let may_be_dated =
        |line: &&BodyLine| line.text.len() <= MAX_TITLE_LINE_BYTES && line.text.contains(['(', '（', '[']);
    let mut found = lines.iter().filter(may_be_dated).filter_map(|line| {
        let (text, rating) = split_off_rating(&line.text);
        let (title, year) = split_off_year(&text)?;
        let director = year_and_person(&text).map(|(_, person)| person);
        let is_title = is_plausible(&title) && (is_title_case(&title) || director.is_some());
        is_title.then(|| FoundTitle {
            year: Some(year),
            rating,
            director,
            ..FoundTitle::implied(title, CreditOrigin::Text)
        })
    });
    let first = found.next()?;
    found.all(|other| other.title == first.title).then_some(first)
}

/// Whether the line before one is the heading of credits, such as `Film facts`.
fn follows_heading(lines: &[BodyLine], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| lines.get(before));
    before.is_some_and(|line| is_word(line.text.trim_end_matches([':', '：']), WordKind::Heading))
}

/// Whether credits name a director or actors.
fn names_people(blocks: &CreditBlocks) -> bool {
    let is_people = |value: &CreditValue| matches!(value, CreditValue::Directors(_) | CreditValue::Stars(_));
    blocks.credits.iter().any(|credit| is_people(&credit.value))
}

/// Returns a headline without the director or the brackets after the title.
fn bare_title(headline: &str) -> &str {
    without_brackets(without_maker(headline))
}

/// Whether a headline of one part can be the title: short, and no sentence.
fn reads_like_bare_title(headline: &str, is_english: bool) -> bool {
    const MAX_WORDS: usize = 6;
    /// So few words are hardly a sentence.
    const MAX_SHORT_WORDS: usize = 2;
    let title = bare_title(headline);
    let words = title.split_whitespace().count();
    let is_short = words <= MAX_SHORT_WORDS && !title.contains([',', ';']);
    words <= MAX_WORDS && is_plausible(title) && (is_short || reads_like_title(title, is_english))
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

/// Removes the director after a title, as in `Stalker by Andrei Tarkovsky`.
fn without_director<'a>(title: &'a str, directors: &[String]) -> &'a str {
    directors
        .iter()
        .find_map(|director| {
            let before = title.strip_suffix(director.as_str())?.trim_end();
            let words = MAKER_WORDS.iter().chain(&["–", "-"]);
            let before = words.into_iter().find_map(|word| before.strip_suffix(word))?;
            before.ends_with(' ').then(|| before.trim_end_matches([' ', ',']))
        })
        .filter(|title| !title.is_empty())
        .unwrap_or(title)
}

/// Returns the title and the year of the line above the credits, if it is unambiguous.
fn title_above(
    line: &str,
    headline: &str,
    in_headline: &HeadlineFilm,
    follows_heading: bool,
) -> Option<(String, Option<i16>)> {
    let (title, year) = match split_off_year(line) {
        Some((title, year)) => (title, Some(year)),
        None => (strip_quotes(line).to_owned(), None),
    };
    let folded = fold_letters(&title);
    let is_part = !folded.is_empty() && fold_letters(headline).contains(&folded);
    let is_contradicted = in_headline.title.as_ref().is_some_and(|known| fold_letters(known) != folded);
    // `Screenplay Ada Lund` and `Sundance Film Festival` are no titles.
    let is_credit = split_label(&title).is_some();
    let is_festival = title.to_lowercase().split_whitespace().any(|word| {
        ["festival", "filmfest", "fest", "festivalen", "cinema", "cinemas", "premiere"].contains(&word)
    });
    if !is_part && (is_credit || is_festival || !title.contains(char::is_alphabetic)) {
        return None;
    }
    let is_heading =
        [WordKind::Heading, WordKind::Review, WordKind::Column].into_iter().any(|kind| is_word(&title, kind));
    let is_title = is_part || year.is_some() || follows_heading || is_title_case(&title);
    (is_title && !is_contradicted && !is_heading && !folded.is_empty()).then_some((title, year))
}
