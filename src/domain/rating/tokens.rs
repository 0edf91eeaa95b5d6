//! Splits the text of a rating into numbers, rows of stars and known words.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// A part of a rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RatingPart {
    /// A number in hundredths.
    Number(u32),
    /// A half after a number.
    Half,
    /// A row of stars.
    Stars(StarRow),
    /// A word such as *stars*.
    StarUnit,
    /// A word such as *points*.
    PointUnit,
    /// `/` or *out of*: the scale follows.
    OutOf,
    /// *of*: the scale may follow.
    Of,
    /// The scale precedes: `5点満点中4点`.
    Reverse,
    Percent,
    /// A thumb; whether it points up.
    Thumb(bool),
    Open,
    Close,
    /// A dash, colon, comma or similar.
    Separator,
    /// Any other word.
    Word,
    /// Anything else.
    Other,
}

/// The stars of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct StarRow {
    pub(super) full: u32,
    pub(super) half: u32,
    pub(super) empty: u32,
    /// Whether asterisks stand for stars.
    pub(super) has_asterisks: bool,
}

/// A part, and where it is in the text.
pub(super) type PlacedPart = (RatingPart, Range<usize>);

/// The longest known phrase in words.
const MAX_PHRASE_WORDS: usize = 3;

static WORDS: LazyLock<HashMap<&'static str, RatingPart>> = LazyLock::new(|| {
    let lines = include_str!("words.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let word = fields.next()?;
            let part = match fields.next()? {
                "number" => RatingPart::Number(fields.next()?.parse().ok()?),
                "half" => RatingPart::Half,
                "star" => RatingPart::StarUnit,
                "point" => RatingPart::PointUnit,
                "out-of" => RatingPart::OutOf,
                "of" => RatingPart::Of,
                "reverse" => RatingPart::Reverse,
                "thumb-up" => RatingPart::Thumb(true),
                "thumb-down" => RatingPart::Thumb(false),
                _ => return None,
            };
            Some((word, part))
        })
        .collect()
});

const FULL_STARS: [char; 26] = [
    '★',
    '\u{2B50}',
    '\u{1F31F}',
    '✭',
    '✮',
    '✯',
    '✪',
    '✫',
    '✬',
    '⭑',
    '🟊',
    '✦',
    '✱',
    '✶',
    '✷',
    '✸',
    '♥',
    '❤',
    '●',
    '⚫',
    '🔴',
    '🟠',
    '🟡',
    '🟢',
    '🔵',
    '🟣',
];
const HALF_STARS: [char; 4] = ['⯨', '⯩', '⯪', '⯫'];
const EMPTY_STARS: [char; 11] = ['☆', '✩', '✰', '⚝', '⭒', '✧', '♡', '○', '⚪', '◯', '🤍'];

/// Splits a text.
pub(super) fn tokenize(text: &str) -> Vec<PlacedPart> {
    let raw = split_raw(text);
    let mut parts: Vec<PlacedPart> = Vec::new();
    let mut at = 0;
    while let Some((piece, range)) = raw.get(at) {
        if let RawPiece::Known(part) = piece {
            parts.push((*part, range.clone()));
            at += 1;
            continue;
        }
        let phrase = |words: usize| {
            let pieces = raw.get(at..at + words)?;
            let all_words: Option<Vec<&str>> = pieces.iter().map(|(piece, _)| piece.word()).collect();
            let part = *WORDS.get(all_words?.join(" ").as_str())?;
            Some((part, words, range.start..pieces.last()?.1.end))
        };
        let found = (1..=MAX_PHRASE_WORDS).rev().find_map(phrase);
        let (part, words, range) = found.unwrap_or((RatingPart::Word, 1, range.clone()));
        parts.push((part, range));
        at += words;
    }
    parts
}

enum RawPiece {
    Word(String),
    Known(RatingPart),
}

impl RawPiece {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Known(_) => None,
        }
    }
}

fn split_raw(text: &str) -> Vec<(RawPiece, Range<usize>)> {
    let mut found: Vec<(RawPiece, Range<usize>)> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let start = text.len() - rest.len();
        let follows_value =
            matches!(found.last(), Some((RawPiece::Known(RatingPart::Number(_) | RatingPart::Stars(_)), _)));
        let (piece, width) = if c.is_whitespace() || matches!(c, '\u{FE0F}' | '\u{200D}') {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        } else if follows_value && is_half_fraction(rest) {
            (RawPiece::Known(RatingPart::Half), 3)
        } else if c.is_ascii_digit() {
            let (value, width) = number(rest);
            (RawPiece::Known(value.map_or(RatingPart::Other, RatingPart::Number)), width)
        } else if let Some((row, width)) = star_row(rest) {
            (RawPiece::Known(RatingPart::Stars(row)), width)
        } else if c.is_alphabetic() {
            let is_word = |c: char| c.is_alphabetic() || matches!(c, '\'' | '\u{2019}');
            let width = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (RawPiece::Word(rest.get(..width).unwrap_or_default().to_lowercase()), width)
        } else {
            let part = match c {
                '½' => RatingPart::Half,
                '/' | '\u{2044}' => RatingPart::OutOf,
                '%' => RatingPart::Percent,
                '(' | '[' => RatingPart::Open,
                ')' | ']' => RatingPart::Close,
                '-' | '\u{2013}' | '\u{2014}' | ':' | ',' | ';' | '|' | '.' | '!' | '•' | '·' => {
                    RatingPart::Separator
                }
                '👍' => RatingPart::Thumb(true),
                '👎' => RatingPart::Thumb(false),
                _ => RatingPart::Other,
            };
            (RawPiece::Known(part), c.len_utf8())
        };
        found.push((piece, start..start + width));
        rest = rest.get(width..).unwrap_or_default();
    }
    found
}

/// Whether a text begins with `1/2` that is a fraction on its own.
fn is_half_fraction(text: &str) -> bool {
    text.strip_prefix("1/2").is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Reads `3`, `3.5` or `3,5` as hundredths, and returns its length.
fn number(text: &str) -> (Option<u32>, usize) {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    let fraction = text.get(whole..).and_then(|rest| rest.strip_prefix(['.', ','])).map_or(0, digits);
    let width = if fraction == 0 { whole } else { whole + 1 + fraction };
    if whole > 3 || fraction > 2 {
        return (None, width);
    }
    let value = || {
        let part = text.get(width - fraction..width)?;
        let part: u32 = format!("{part:0<2}").parse().ok()?;
        Some(text.get(..whole)?.parse::<u32>().ok()? * 100 + part)
    };
    (value(), width)
}

/// Reads a row of stars, with spaces between them, and returns its length. A fraction after it is no part of the row.
fn star_row(text: &str) -> Option<(StarRow, usize)> {
    let mut row = StarRow::default();
    let mut width = 0;
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let is_started = row.full > 0;
        match c {
            _ if FULL_STARS.contains(&c) && row.half == 0 && row.empty == 0 => row.full += 1,
            '*' if row.half == 0 && row.empty == 0 => {
                row.full += 1;
                row.has_asterisks = true;
            }
            '½' if is_started && row.half == 0 && row.empty == 0 => row.half = 1,
            _ if HALF_STARS.contains(&c) && row.half == 0 && row.empty == 0 => row.half = 1,
            '1' if is_started && row.half == 0 && row.empty == 0 && is_half_fraction(rest) => {
                row.half = 1;
                width = at + 3;
                continue;
            }
            // The rest of `1/2`.
            '/' | '2' if width > at => continue,
            _ if EMPTY_STARS.contains(&c) => row.empty += 1,
            ' ' | '\u{A0}' | '\u{FE0F}' => continue,
            _ => break,
        }
        width = at + c.len_utf8();
    }
    (row.full + row.half + row.empty > 0).then_some((row, width))
}
