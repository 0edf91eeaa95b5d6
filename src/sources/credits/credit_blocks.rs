//! Finds the blocks of credits among the lines of a review, and the values that they agree on.

use std::collections::HashSet;
use std::ops::Range;

use super::body_lines::BodyLine;
use super::credit_line::{CreditLine, CreditValue, ParsedCredit, parse_line, parse_value};
use super::labels::{CreditLabel, LabelForm, Labelled};
use super::person_names::is_full_name;
use crate::domain::content_hash::fold_letters;
use crate::domain::rating::Rating;
use crate::sources::dates::DateContext;

/// The maximum number of lines before the first credit at the top.
const MAX_LINES_BEFORE: usize = 8;

/// A value, with the lines that state it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BlockCredit {
    pub(super) value: CreditValue,
    pub(super) lines: Vec<usize>,
    /// Whether the lines contain nothing else, so that they can be removed.
    pub(super) is_complete: bool,
}

/// What the blocks of a review say.
#[derive(Debug, Default)]
pub(super) struct CreditBlocks {
    /// The credits in their order.
    pub(super) credits: Vec<BlockCredit>,
    /// The line directly above the first credit of the first block, if it is short.
    pub(super) line_above: Option<usize>,
    /// Whether the blocks are of different films.
    pub(super) is_double: bool,
}

/// Parses all lines. A line below a label is its value.
pub(super) fn parse_lines(
    lines: &[BodyLine],
    dates: &DateContext<'_>,
) -> (Vec<CreditLine>, Vec<Option<usize>>) {
    let mut parsed: Vec<CreditLine> = Vec::with_capacity(lines.len());
    let mut labels_above: Vec<Option<usize>> = Vec::with_capacity(lines.len());
    let mut pending: Option<(usize, Vec<CreditLabel>)> = None;
    for (at, line) in lines.iter().enumerate() {
        let mut kind = if line.is_barrier { CreditLine::Prose } else { parse_line(&line.text, dates) };
        let mut above = None;
        if let Some((label_at, labels)) = pending.take()
            && matches!(
                kind,
                CreditLine::Prose
                    | CreditLine::Short
                    | CreditLine::Rated(_)
                    | CreditLine::UnknownLabel
                    | CreditLine::Facts(_)
                    | CreditLine::Blank
            )
        {
            if kind == CreditLine::Blank {
                pending = Some((label_at, labels));
            } else if let Some(values) =
                value_below(&labels, lines.get(label_at).map_or("", |label| &label.text), &line.text, dates)
            {
                above = Some(label_at);
                let is_same = lines.get(label_at).is_some_and(|label| label.paragraph == line.paragraph);
                let is_list = (line.is_item || is_same || is_full_name(line.text.trim()))
                    && matches!(
                        labels.as_slice(),
                        [CreditLabel::Stars | CreditLabel::Directors | CreditLabel::Writers]
                    );
                let is_complete = !values.contains(&CreditValue::NoField);
                let credits = values
                    .into_iter()
                    .map(|value| ParsedCredit { value, form: LabelForm::Separated })
                    .collect();
                kind = CreditLine::Credits { credits, is_complete };
                if is_list {
                    pending = Some((label_at, labels));
                }
            }
        }
        match &kind {
            CreditLine::LabelAlone(labels) => pending = Some((at, labels.clone())),
            // `Cast: Nora Ek`, with the others in the lines below
            CreditLine::Credits { credits, is_complete: true } if above.is_none() => {
                if let [ParsedCredit { value: CreditValue::Stars(names), form: LabelForm::Separated }] =
                    credits.as_slice()
                    && names.len() == 1
                    && is_list_below(lines, at)
                {
                    pending = Some((at, vec![CreditLabel::Stars]));
                }
            }
            _ => {}
        }
        parsed.push(kind);
        labels_above.push(above);
    }
    (parsed, labels_above)
}

/// Whether the next line of the same paragraph is a name.
fn is_list_below(lines: &[BodyLine], at: usize) -> bool {
    let (Some(line), Some(next)) = (lines.get(at), lines.get(at + 1)) else { return false };
    line.paragraph == next.paragraph && is_full_name(next.text.trim())
}

fn value_below(
    labels: &[CreditLabel],
    label: &str,
    text: &str,
    dates: &DateContext<'_>,
) -> Option<Vec<CreditValue>> {
    let head = label.trim().trim_end_matches([':', '：']);
    let labelled = Labelled { labels: labels.to_vec(), form: LabelForm::Separated, head, value: text.trim() };
    parse_value(&labelled, dates)
}

/// Finds the blocks: lines without prose between them.
pub(super) fn find_blocks(parsed: &[CreditLine], labels_above: &[Option<usize>]) -> CreditBlocks {
    let mut blocks = CreditBlocks::default();
    let mut has_block = false;
    for range in runs(parsed) {
        let is_first = parsed
            .get(..range.start)
            .is_some_and(|before| before.iter().all(|line| *line == CreditLine::Blank));
        let Some(block) = read_block(parsed, labels_above, &range, is_first) else { continue };
        if !has_block {
            let of_film = block
                .iter()
                .find(|credit| !matches!(credit.value, CreditValue::Year(_, false)))
                .or(block.first());
            let first = of_film.and_then(|credit| credit.lines.iter().min().copied());
            blocks.line_above = first.and_then(|first| line_above(parsed, &range, first));
            has_block = true;
        }
        blocks.credits.extend(block);
    }
    blocks.is_double = names_two_films(&blocks.credits) || names_other_directors(parsed, &blocks.credits);
    blocks
}

/// Whether a line beyond the blocks, with a label that is surely one, names directors of another film.
fn names_other_directors(parsed: &[CreditLine], credits: &[BlockCredit]) -> bool {
    let Some(known) = credits.iter().find_map(|credit| match &credit.value {
        CreditValue::Directors(names) => Some(names),
        _ => None,
    }) else {
        return false;
    };
    let known: HashSet<String> = known.iter().map(|name| fold_letters(name)).collect();
    let differs = |names: &[String]| !names.iter().any(|name| known.contains(&fold_letters(name)));
    parsed.iter().any(|line| match line {
        CreditLine::Credits { credits, .. } => credits.iter().any(|credit| {
            matches!(&credit.value, CreditValue::Directors(names) if credit.form == LabelForm::Separated && differs(names))
        }),
        _ => false,
    })
}

/// Returns the ranges of lines that no prose interrupts.
fn runs(parsed: &[CreditLine]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (at, line) in parsed.iter().enumerate() {
        if *line == CreditLine::Prose {
            if start < at {
                runs.push(start..at);
            }
            start = at + 1;
        }
    }
    if start < parsed.len() {
        runs.push(start..parsed.len());
    }
    runs
}

/// The credits of lines that may be a block.
#[derive(Default)]
struct BlockCandidate {
    credits: Vec<(LabelForm, BlockCredit)>,
    /// The kinds of credits with labels.
    kinds: HashSet<u8>,
    has_facts: bool,
}

impl BlockCandidate {
    /// Adds the credits of a line. `above` is the line of their label.
    fn add(&mut self, at: usize, above: Option<usize>, found: &[ParsedCredit], is_complete: bool) {
        for ParsedCredit { value, form } in found {
            self.has_facts |= matches!(value, CreditValue::Year(..));
            self.kinds.insert(kind_number(value));
            if let Some((_, last)) = self.credits.last_mut()
                && above.is_some_and(|above| last.lines.first() == Some(&above))
                && join_names(&mut last.value, value)
            {
                last.lines.push(at);
                continue;
            }
            let lines = above.into_iter().chain([at]).collect();
            self.credits.push((*form, BlockCredit { value: value.clone(), lines, is_complete }));
        }
    }

    /// Returns the credits if they are a block. The first block is at the top; prose precedes the others, so that a single
    /// line there may be something else.
    fn into_block(mut self, is_first: bool) -> Option<Vec<BlockCredit>> {
        let values = || self.credits.iter().map(|(form, credit)| (form, &credit.value));
        let has_people = values().any(|(_, value)| is_people(value));
        let has_strong =
            values().any(|(form, value)| !form.is_weak() && !matches!(value, CreditValue::Rated(_)));
        let is_only_facts = values().all(|(_, value)| matches!(value, CreditValue::Year(_, false)));
        // `By Ada Lund` beside a rating names the critic.
        let other_kinds = self.kinds.iter().filter(|kind| **kind != RATING_KIND).count();
        if !(has_strong || self.has_facts || other_kinds > 1) {
            self.credits.retain(|(form, _)| !form.is_weak());
        }
        // `Written by` before a text may also name the critic.
        if let [(LabelForm::Spaced, BlockCredit { value: CreditValue::Writers(_), .. })] =
            self.credits.as_slice()
        {
            return None;
        }
        let is_block = if is_first {
            !is_only_facts && !self.credits.is_empty()
        } else {
            has_people && self.kinds.len() + usize::from(self.has_facts) > 1
        };
        is_block.then(|| self.credits.into_iter().map(|(_, credit)| credit).collect())
    }
}

/// Reads the credits of lines that may be a block. Returns `None` if they are not one.
fn read_block(
    parsed: &[CreditLine],
    labels_above: &[Option<usize>],
    range: &Range<usize>,
    is_first: bool,
) -> Option<Vec<BlockCredit>> {
    let mut candidate = BlockCandidate::default();
    let mut before = 0;
    for at in range.clone() {
        match parsed.get(at)? {
            CreditLine::Credits { credits, is_complete } => {
                candidate.add(at, labels_above.get(at).copied().flatten(), credits, *is_complete);
            }
            CreditLine::Rated(rating) => {
                let value = CreditValue::Rated(rating.clone());
                candidate.add(at, None, &[ParsedCredit { value, form: LabelForm::Separated }], true);
            }
            CreditLine::Facts(year) => {
                candidate.has_facts = true;
                if let Some(year) = year {
                    let credit = BlockCredit {
                        value: CreditValue::Year(*year, false),
                        lines: vec![at],
                        is_complete: false,
                    };
                    candidate.credits.push((LabelForm::Separated, credit));
                }
            }
            CreditLine::Short | CreditLine::UnknownLabel | CreditLine::LabelAlone(_)
                if candidate.kinds.is_empty() =>
            {
                before += 1;
                if before > MAX_LINES_BEFORE {
                    return None;
                }
            }
            _ => {}
        }
    }
    candidate.into_block(is_first)
}

const fn is_people(value: &CreditValue) -> bool {
    matches!(value, CreditValue::Directors(_) | CreditValue::Writers(_) | CreditValue::Stars(_))
}

const RATING_KIND: u8 = 5;

/// A number for each kind of credit.
const fn kind_number(value: &CreditValue) -> u8 {
    match value {
        CreditValue::Directors(_) => 0,
        CreditValue::Writers(_) => 1,
        CreditValue::Stars(_) => 2,
        CreditValue::Released(_) => 3,
        CreditValue::Published(_) => 4,
        CreditValue::Rated(_) => RATING_KIND,
        CreditValue::Title(..) => 6,
        CreditValue::Year(..) => 7,
        CreditValue::Nobody => 8,
        CreditValue::NoField => 9,
        CreditValue::PossibleTitle(_) => 10,
    }
}

/// Adds the names of the next item of a list. Returns whether both are of the same kind.
fn join_names(list: &mut CreditValue, next: &CreditValue) -> bool {
    match (list, next) {
        (CreditValue::Directors(names), CreditValue::Directors(more))
        | (CreditValue::Writers(names), CreditValue::Writers(more))
        | (CreditValue::Stars(names), CreditValue::Stars(more)) => {
            for name in more {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            true
        }
        _ => false,
    }
}

/// Returns the short line directly above the first credit.
fn line_above(parsed: &[CreditLine], range: &Range<usize>, first: usize) -> Option<usize> {
    let is_passed = |at: &usize| matches!(parsed.get(*at), Some(CreditLine::Blank | CreditLine::Facts(_)));
    let at = (range.start..first).rev().find(|at| !is_passed(at))?;
    (parsed.get(at) == Some(&CreditLine::Short)).then_some(at)
}

/// Whether credits name different directors or titles.
fn names_two_films(credits: &[BlockCredit]) -> bool {
    let folded = |names: &[String]| names.iter().map(|name| fold_letters(name)).collect::<HashSet<String>>();
    let directors: Vec<HashSet<String>> = credits
        .iter()
        .filter_map(|credit| match &credit.value {
            CreditValue::Directors(names) => Some(folded(names)),
            _ => None,
        })
        .collect();
    let titles: HashSet<String> = credits
        .iter()
        .filter_map(|credit| match &credit.value {
            CreditValue::Title(title, _) => Some(fold_letters(title)),
            _ => None,
        })
        .collect();
    let differ = directors.first().is_some_and(|first| {
        directors.iter().any(|other| !other.is_subset(first) && !first.is_subset(other))
    });
    differ || titles.len() > 1
}

/// Returns the rating of the blocks, and the index of its credit. Ratings on the same scale that contradict each other are
/// none: they may be of parts of the film.
pub(super) fn agreed_rating(credits: &[BlockCredit]) -> Option<(usize, Rating)> {
    let mut ratings = credits.iter().enumerate().filter_map(|(at, credit)| match &credit.value {
        CreditValue::Rated(rating) => Some((at, rating)),
        _ => None,
    });
    let (at, first) = ratings.next()?;
    (!ratings.any(|(_, other)| first.contradicts(other))).then(|| (at, first.clone()))
}
