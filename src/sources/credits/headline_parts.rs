//! Splits a headline at colons, dashes and bars, and finds the part that says *review*.

use super::film_facts::parse_year;
use super::labels::{WordKind, is_word};

/// What a part of a headline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    /// Anything else, such as a title.
    Text,
    /// It says only that this is a review: `Movie Review`, `TIFF Review`.
    Review,
    /// The title of `Review of X`.
    ReviewOf,
    /// The title of `X Review`.
    TitleOfReview,
}

/// A part of a headline, without the words that say *review* beside a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadlinePart<'a> {
    pub(super) text: &'a str,
    /// Where `text` is in the headline, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: PartKind,
    /// Whether the words for *review* are English, or there are none.
    pub(super) is_english: bool,
    /// Whether a bar precedes it.
    pub(super) follows_bar: bool,
}

/// The longest phrase for *review*, in words.
const MAX_PHRASE_WORDS: usize = 5;

/// Splits a headline.
pub(super) fn split_parts(headline: &str) -> Vec<HeadlinePart<'_>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut follows_bar = false;
    let chars: Vec<(usize, char)> = headline.char_indices().collect();
    for (index, (at, c)) in chars.iter().copied().enumerate() {
        let after = at + c.len_utf8();
        let rest = headline.get(after..).unwrap_or_default();
        let is_spaced_before =
            index.checked_sub(1).and_then(|b| chars.get(b)).is_some_and(|(_, b)| b.is_whitespace());
        let is_spaced_after = rest.is_empty() || rest.starts_with(char::is_whitespace);
        match c {
            '[' | '【' | '［' | '(' | '（' if depth == 0 => {
                let close = match c {
                    '[' => ']',
                    '【' => '】',
                    '［' => '］',
                    '(' => ')',
                    _ => '）',
                };
                if let Some(width) = bracketed_part(c, rest, close) {
                    push(headline, start, at, follows_bar, &mut parts);
                    push(headline, after, after + width, false, &mut parts);
                    start = after + width + close.len_utf8();
                    follows_bar = false;
                } else {
                    depth += 1;
                }
                continue;
            }
            ')' | '）' | ']' | '】' | '］' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let separates = match c {
            '：' | '|' | '｜' | '—' | '～' => true,
            '-' => is_spaced_before && is_spaced_after,
            ':' | '–' => is_spaced_before || is_spaced_after,
            ',' => {
                start_of_review(rest.trim_start())
                    && is_review(rest.split([':', '–', '|', ',']).next().unwrap_or_default())
            }
            '/' | '／' => {
                headline.get(..at).is_some_and(|before| before.ends_with(|c: char| u32::from(c) > 0x3000))
            }
            _ => false,
        };
        if separates && depth == 0 && at >= start {
            push(headline, start, at, follows_bar, &mut parts);
            start = after;
            follows_bar = matches!(c, '|' | '｜');
        }
    }
    push(headline, start, headline.len(), follows_bar, &mut parts);
    parts
}

/// Returns the length of what brackets enclose, if it is a part of its own: a word for *review*, or a title before one.
fn bracketed_part(open: char, rest: &str, close: char) -> Option<usize> {
    let inner = rest.split(close).next()?;
    let after = rest.get(inner.len() + close.len_utf8()..)?.trim_start();
    let is_title =
        matches!(open, '[' | '【' | '［') && start_of_review(after) && parse_year(inner.trim()).is_none();
    let is_bracketed_column =
        matches!(open, '[' | '【' | '［') && is_column(inner.trim()) && parse_year(inner.trim()).is_none();
    (is_review(inner) || is_title || is_bracketed_column).then_some(inner.len())
}

/// Adds a part, if it is not blank.
fn push<'a>(
    headline: &'a str,
    start: usize,
    end: usize,
    follows_bar: bool,
    parts: &mut Vec<HeadlinePart<'a>>,
) {
    let Some(raw) = headline.get(start..end) else { return };
    let text = raw.trim();
    if text.is_empty() {
        return;
    }
    let start = start + (raw.len() - raw.trim_start().len());
    let whole = HeadlinePart {
        text,
        start,
        end: start + text.len(),
        kind: PartKind::Text,
        is_english: true,
        follows_bar,
    };
    parts.push(classify(whole));
}

/// Finds the words for *review* in a part.
fn classify(part: HeadlinePart<'_>) -> HeadlinePart<'_> {
    let text = part.text;
    if is_review(text) {
        return HeadlinePart { kind: PartKind::Review, is_english: is_english(text), ..part };
    }
    let spaces: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    for at in spaces.iter().take(MAX_PHRASE_WORDS).rev() {
        let (Some(phrase), Some(title)) = (text.get(..*at), text.get(*at + 1..)) else { continue };
        let title = title.trim();
        let last = phrase.rsplit(' ').next().unwrap_or_default();
        let is_complete = !is_english(phrase) || matches!(last, "of") || phrase.contains(' ');
        if is_word(phrase, WordKind::Review) && is_complete {
            let start = part.end - title.len();
            return HeadlinePart {
                text: title,
                start,
                kind: PartKind::ReviewOf,
                is_english: is_english(phrase),
                ..part
            };
        }
    }
    for at in spaces.iter().rev().take(MAX_PHRASE_WORDS).rev() {
        let (Some(title), Some(phrase)) = (text.get(..*at), text.get(*at + 1..)) else { continue };
        if is_word(phrase, WordKind::Review) {
            let title = title.trim_end_matches([' ', ',']);
            let end = part.start + title.len();
            return HeadlinePart {
                text: title,
                end,
                kind: PartKind::TitleOfReview,
                is_english: is_english(phrase),
                ..part
            };
        }
    }
    part
}

/// Whether a text says only that this is a review, perhaps in a column or at a festival.
fn is_review(text: &str) -> bool {
    let text = text.trim();
    if is_word(text, WordKind::Review) {
        return true;
    }
    let spaces = text.match_indices(' ').map(|(at, _)| at);
    spaces.into_iter().any(|at| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) else { return false };
        let is_byline = matches!(after.split(' ').next(), Some("by" | "von" | "par" | "por" | "av" | "door"));
        is_column(before) && is_word(after, WordKind::Review)
            || is_word(before, WordKind::Review) && (is_column(after) || is_byline)
    })
}

/// Whether a text begins with a word for *review*.
fn start_of_review(text: &str) -> bool {
    let ends = text
        .char_indices()
        .filter(|(_, c)| c.is_whitespace() || ",:;|-–—：".contains(*c))
        .map(|(at, _)| at)
        .chain(std::iter::once(text.len()));
    ends.take(MAX_PHRASE_WORDS).any(|end| text.get(..end).is_some_and(|head| is_word(head, WordKind::Review)))
}

/// Whether words for *review* are English.
fn is_english(phrase: &str) -> bool {
    let lower = phrase.to_lowercase();
    lower.contains("review") || lower.contains("revisited")
}

/// Whether a text names a column, a festival or a medium, as in `Cannes 2016` or `Blu-ray`.
pub(super) fn is_column(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    !words.is_empty()
        && (is_word(text, WordKind::Column)
            || words.iter().all(|word| {
                parse_year(word).is_some()
                    || word.starts_with(['#', '\'', '\u{2019}'])
                    || is_word(word, WordKind::Column)
            }))
}
