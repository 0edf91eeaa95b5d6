//! Finds the rating at the beginning or the end of a review, which platforms may follow with lines of their own.

use super::body_lines::BodyLine;
use super::credit_line::{CreditLine, CreditValue};
use super::labelled_ratings::is_star;
use super::labels::{CreditLabel, split_label};
use crate::domain::rating::Rating;

/// The maximum number of lines after the rating.
const MAX_LINES_AFTER: usize = 6;

/// A rating that a line contains.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LineRating {
    pub(super) rating: Rating,
    /// The number of the line.
    pub(super) line: usize,
    /// Whether the line consists of the rating, so that it can be removed.
    pub(super) is_whole_line: bool,
}

/// Returns the ratings that are lines of their own or have a label, with the numbers of their lines.
fn own_lines(parsed: &[CreditLine]) -> impl Iterator<Item = (usize, &Rating, bool)> {
    parsed.iter().enumerate().filter_map(|(at, line)| match line {
        CreditLine::Rated(rating) => Some((at, rating, true)),
        CreditLine::Credits { credits, is_complete } => {
            credits.iter().find_map(|credit| match &credit.value {
                CreditValue::Rated(rating) => Some((at, rating, *is_complete && credits.len() == 1)),
                _ => None,
            })
        }
        _ => None,
    })
}

/// Whether lines, or their ends, give different ratings on one scale: the text is about several films, or parts of one.
pub(super) fn has_contradicting_lines(lines: &[BodyLine], parsed: &[CreditLine]) -> bool {
    let of_lines = own_lines(parsed).map(|(_, rating, _)| rating.clone());
    let of_texts = parsed.iter().zip(lines).filter_map(|(kind, line)| {
        let is_text = matches!(kind, CreditLine::Prose | CreditLine::Short);
        let ends_with_rating = line
            .text
            .trim_end_matches(['.', '!', ')', ' '])
            .ends_with(|c: char| c.is_ascii_digit() || is_star(c));
        (is_text && ends_with_rating).then(|| rating_at_end_of_text(&line.text))?
    });
    let mut ratings = of_lines.chain(of_texts);
    let Some(first) = ratings.next() else { return false };
    ratings.any(|other| first.contradicts(&other))
}

/// Finds the first rating that is a line of its own, wherever it stands.
pub(super) fn rating_of_own_line(parsed: &[CreditLine]) -> Option<LineRating> {
    let (line, rating, is_whole_line) = own_lines(parsed).next()?;
    Some(LineRating { rating: rating.clone(), line, is_whole_line })
}

/// Finds the rating at the end of a review.
pub(super) fn rating_at_end(lines: &[BodyLine], parsed: &[CreditLine]) -> Option<LineRating> {
    let mut seen = 0;
    for (at, line) in lines.iter().enumerate().rev() {
        let kind = parsed.get(at)?;
        if is_platform_text(&line.text) || *kind == CreditLine::Blank {
            continue;
        }
        if line.is_barrier || seen >= MAX_LINES_AFTER {
            return None;
        }
        seen += 1;
        match kind {
            CreditLine::Rated(rating) => {
                return Some(LineRating { rating: rating.clone(), line: at, is_whole_line: true });
            }
            CreditLine::Credits { credits, is_complete } => {
                let rating = credits.iter().find_map(|credit| match &credit.value {
                    CreditValue::Rated(rating) => Some(rating.clone()),
                    _ => None,
                });
                if let Some(rating) = rating {
                    let is_whole_line = *is_complete && credits.len() == 1;
                    return Some(LineRating { rating, line: at, is_whole_line });
                }
            }
            CreditLine::Prose => {
                let rating = rating_at_end_of_text(&line.text).or_else(|| labelled_at_start(&line.text))?;
                return Some(LineRating { rating, line: at, is_whole_line: false });
            }
            CreditLine::Short => {
                if let Some(rating) = rating_at_end_of_text(&line.text) {
                    return Some(LineRating { rating, line: at, is_whole_line: false });
                }
            }
            _ => {}
        }
    }
    None
}

/// Finds the rating in the first sentence of a text: `Verdict: 7/10. A film that …`
fn labelled_at_start(text: &str) -> Option<Rating> {
    let (sentence, _) = text.split_once(". ")?;
    let labelled = split_label(sentence).filter(|labelled| labelled.labels == [CreditLabel::Rating])?;
    let is_explicit = labelled.value.contains(|c: char| c == '/' || is_star(c));
    is_explicit.then(|| Rating::parse_labelled(labelled.value))?
}

/// Finds the rating in the last words of a text: a row of stars, a labelled one, or one with its unit and scale.
fn rating_at_end_of_text(text: &str) -> Option<Rating> {
    let text = text.trim();
    let trimmed = text.trim_end_matches(['.', '!', ')', ']', ' ']);
    let sentence_start = trimmed.rfind(['.', '!', '?', ':', '。', '(', '[']).map_or(0, |at| {
        // A decimal point ends no sentence, and a colon follows a label.
        let before = trimmed.get(..at).unwrap_or_default();
        let is_decimal = before.ends_with(|c: char| c.is_ascii_digit())
            && trimmed.get(at + 1..).is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        let from = if is_decimal || trimmed.get(at..).is_some_and(|rest| rest.starts_with(':')) {
            before
        } else {
            trimmed
        };
        from.rfind(['.', '!', '?', '。', '(', '[']).map_or(0, |start| {
            start + from.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        })
    });
    let sentence = trimmed.get(sentence_start..)?.trim();
    // `… in all of Egypt! 2/5!`
    let is_named = sentence.contains([':', '/']) && sentence.contains(|c: char| c.is_ascii_digit());
    let labelled = || is_named.then(|| Rating::parse(sentence))?;
    let stars = || {
        let start = text
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_star(*c) || matches!(c, '½' | ' ' | ')' | '('))
            .last()?
            .0;
        let row = text.get(start..)?.trim();
        (row.chars().filter(|c| is_star(*c)).count() >= 2).then(|| Rating::parse(row))?
    };
    stars().or_else(labelled).or_else(|| Rating::find_in_sentence(sentence))
}

/// Whether a line is what a platform adds to a review.
fn is_platform_text(text: &str) -> bool {
    const STARTS: [&str; 18] = [
        "share this",
        "share on",
        "share:",
        "share",
        "click to share",
        "like this",
        "related",
        "loading",
        "the post ",
        "tags:",
        "filed under",
        "posted in",
        "continue reading",
        "read more",
        "teilen",
        "partager",
        "condividi",
        "comparte",
    ];
    let lower = text.trim().to_lowercase();
    STARTS
        .iter()
        .any(|start| lower.starts_with(start) && (lower.len() < 60 || lower.contains("appeared first on")))
        || lower.contains(" appeared first on ")
        || lower.contains("was originally published in")
}
