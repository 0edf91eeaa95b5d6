//! Parses ratings. The grammar is a value, perhaps with a unit, and perhaps a scale: `★★★½`, `3.5/5`, `3½ stars out of 4`,
//! `dreieinhalb von fünf Sternen`.

use super::RatingScale;
use super::tokens::{PlacedPart, RatingPart, StarRow, tokenize};

/// A longer text, in characters, is prose and not a rating.
pub(super) const MAX_CHARS: usize = 40;
/// The longest text with a rating and a remark, in words.
const MAX_WORDS: usize = 20;
/// The longest remark after a rating, in words: `4/5 – Recommended`.
const MAX_REMARK_WORDS: usize = 6;
/// The longest unit of a critic's own, in words.
const MAX_UNIT_WORDS: usize = 3;
/// The longest rating within a sentence, in parts.
const MAX_SENTENCE_PARTS: usize = 7;

/// Whether a label says that the text is a rating. Some texts are ratings only then, such as `***`, which otherwise
/// separates sections, and `4 of 5`, which may number the parts of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RatingContext {
    Labelled,
    Bare,
}

/// Parses a rating, with or without brackets around it and a remark after it. Returns the rating without them.
pub(super) fn parse(value: &str, context: RatingContext) -> Option<(String, RatingScale)> {
    if value.split_whitespace().nth(MAX_WORDS).is_some() {
        return None;
    }
    if let Some(letter) = parse_letter(value) {
        return Some((value.to_owned(), letter));
    }
    let parts = tokenize(value);
    if parts.len() > 3 * MAX_CHARS {
        return None;
    }
    let (scale, used) = without_remark(&parts, context).find_map(|kept| {
        let bare: Vec<RatingPart> =
            kept.iter().map(|(part, _)| *part).filter(|part| !is_bracket(*part)).collect();
        Some((parse_parts(&bare, context)?, kept))
    })?;
    let start = used.iter().find(|(part, _)| !is_bracket(*part))?.1.start;
    let end = used.iter().rfind(|(part, _)| !is_bracket(*part))?.1.end;
    let text = value.get(start..end)?;
    let text = if text.matches('(').count() == text.matches(')').count() {
        text.to_owned()
    } else {
        text.replace(['(', ')'], "")
    };
    (text.chars().count() <= MAX_CHARS).then(|| (text.replace('*', "★"), scale))
}

const fn is_bracket(part: RatingPart) -> bool {
    matches!(part, RatingPart::Open | RatingPart::Close)
}

/// Returns the parts, and then the parts without a remark in brackets or after a dash, a colon or a comma.
fn without_remark(parts: &[PlacedPart], context: RatingContext) -> impl Iterator<Item = &[PlacedPart]> {
    let full_stops = parts.iter().rev().take_while(|(part, _)| *part == RatingPart::Separator).count();
    let parts = parts.get(..parts.len() - full_stops).unwrap_or_default();
    let cut = parts.iter().enumerate().skip(1).find_map(|(at, (part, _))| {
        let remark = parts.get(at + 1..)?;
        let is_remark = |(part, _): &PlacedPart| {
            matches!(
                part,
                RatingPart::Word
                    | RatingPart::Of
                    | RatingPart::StarUnit
                    | RatingPart::PointUnit
                    | RatingPart::Separator
                    | RatingPart::Open
                    | RatingPart::Close
            )
        };
        let starts = matches!(part, RatingPart::Separator | RatingPart::Open);
        (starts && remark.len() <= MAX_REMARK_WORDS && remark.iter().all(is_remark)).then_some(at)
    });
    // `6.5 out of 10 lost suitcases`
    let counted = match parts {
        [
            (RatingPart::Number(_), _),
            (RatingPart::OutOf | RatingPart::Of, _),
            (RatingPart::Number(_), _),
            rest @ ..,
        ] if context == RatingContext::Labelled
            && rest.len() <= MAX_UNIT_WORDS
            && rest.iter().all(|(part, _)| *part == RatingPart::Word) =>
        {
            parts.get(..3)
        }
        _ => None,
    };
    std::iter::once(parts).chain(cut.and_then(|at| parts.get(..at))).chain(counted)
}

/// Finds the only rating in a sentence that names a unit and a scale, such as `I give it 3.5 stars out of 5`.
pub(super) fn find_in_sentence(sentence: &str) -> Option<(String, RatingScale)> {
    let parts = tokenize(sentence);
    let mut found: Option<(String, RatingScale)> = None;
    let mut at = 0;
    while at < parts.len() {
        let window = (3..=MAX_SENTENCE_PARTS).rev().find_map(|length| {
            let window = parts.get(at..at + length)?;
            let bare: Vec<RatingPart> = window.iter().map(|(part, _)| *part).collect();
            let has = |wanted: &[RatingPart]| bare.iter().any(|part| wanted.contains(part));
            let is_explicit = has(&[RatingPart::StarUnit]) && has(&[RatingPart::OutOf, RatingPart::Of]);
            let scale = is_explicit.then(|| parse_one(&bare, RatingContext::Labelled))??;
            let text = sentence.get(window.first()?.1.start..window.last()?.1.end)?;
            Some((length, (text.to_owned(), scale)))
        });
        match window {
            Some((_, other)) if found.as_ref().is_some_and(|first| *first != other) => return None,
            Some((length, rating)) => {
                found = Some(rating);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Parses a letter grade such as `B+`.
fn parse_letter(text: &str) -> Option<RatingScale> {
    let mut chars = text.chars();
    let grade = matches!(chars.next()?, 'A'..='D' | 'F');
    let sign = chars.next();
    let signed = sign.is_none_or(|c| matches!(c, '+' | '-' | '\u{2212}' | '\u{2013}'));
    (grade && signed && chars.next().is_none()).then_some(RatingScale::Letter)
}

fn parse_parts(parts: &[RatingPart], context: RatingContext) -> Option<RatingScale> {
    if let Some(scale) = parse_one(parts, context) {
        return Some(scale);
    }
    // The same rating in two forms, such as `★★★★☆ (4/5)`: the one that names its scale counts.
    (1..parts.len()).find_map(|at| {
        let (first, second) = parts.split_at_checked(at)?;
        let (([RatingPart::Stars(stars)], named) | (named, [RatingPart::Stars(stars)])) = (first, second)
        else {
            return None;
        };
        let scale = parse_one(named, RatingContext::Labelled)?;
        let points = match scale {
            RatingScale::Stars(halves) => u32::from(halves) * 50,
            RatingScale::Points(points, _) => points,
            RatingScale::Letter | RatingScale::Thumb(_) => return None,
        };
        (stars.full * 100 + stars.half * 50 == points).then_some(scale)
    })
}

fn parse_one(parts: &[RatingPart], context: RatingContext) -> Option<RatingScale> {
    parse_special_form(parts, context).or_else(|| parse_usual_form(parts, context))
}

/// Parses a value, perhaps with a unit and a scale.
fn parse_usual_form(parts: &[RatingPart], context: RatingContext) -> Option<RatingScale> {
    use RatingPart::{Half, Number, Of, OutOf, Percent, PointUnit, StarUnit, Stars};
    let row = match parts {
        [Stars(row), ..] => Some(*row),
        _ => None,
    };
    let (mut points, mut rest) = quantity(parts)?;
    let mut has_unit = row.is_some();
    let mut has_star_unit = row.is_some();
    if let [unit @ (StarUnit | PointUnit), after @ ..] = rest {
        has_unit = true;
        has_star_unit |= *unit == StarUnit;
        rest = after;
        if let [Half, after @ ..] = rest
            && points.is_multiple_of(100)
        {
            points += 50;
            rest = after;
        }
    }
    // `3.5 kernels out of 5`: the unit is the critic's own.
    if let ([RatingPart::Word, after @ ..], true) = (rest, context == RatingContext::Labelled && !has_unit)
        && matches!(after, [OutOf, Number(_)])
    {
        rest = after;
    }
    match rest {
        [] => match row {
            Some(row) => row_scale(row, context),
            None => has_star_unit.then(|| star_scale(points))?,
        },
        [Percent] if row.is_none() => known_scale(points, 10_000),
        [connector @ (OutOf | Of), scale @ (Number(_) | Stars(_)), unit @ ..] => {
            let highest = match scale {
                Number(highest) => *highest,
                Stars(row) if row.half == 0 => (row.full + row.empty) * 100,
                _ => return None,
            };
            has_unit |= matches!(unit, [StarUnit | PointUnit]);
            // `65 of 100` numbers the parts of no series.
            let is_percentage = highest == 10_000 && points >= 1_000;
            let is_clear =
                *connector == OutOf || has_unit || is_percentage || context == RatingContext::Labelled;
            (is_clear && matches!(unit, [] | [StarUnit | PointUnit])).then(|| known_scale(points, highest))?
        }
        _ => None,
    }
}

/// Parses thumbs, `½`, `☆4.5`, `⭐ 4/5` and `5点満点中4点`.
fn parse_special_form(parts: &[RatingPart], context: RatingContext) -> Option<RatingScale> {
    use RatingPart::{Half, Number, Of, OutOf, PointUnit, Reverse, StarUnit, Stars, Thumb};
    match parts {
        [Thumb(up)] | [Number(100 | 200), Thumb(up)] => Some(RatingScale::Thumb(*up)),
        [Thumb(up), Thumb(other)] if up == other => Some(RatingScale::Thumb(*up)),
        [Half] => scale(50, 500),
        // `☆4.5`, `星4つ`
        [
            Stars(
                StarRow { full: 1, half: 0, empty: 0, has_asterisks: false }
                | StarRow { full: 0, half: 0, empty: 1, .. },
            )
            | StarUnit,
            rest @ ..,
        ] if matches!(rest, [Number(_), ..]) => {
            // `⭐ 4/5`: the star says only that a rating follows.
            if rest.contains(&OutOf) || rest.contains(&Of) {
                return parse_one(rest, context);
            }
            let (points, rest) = quantity(rest)?;
            let rest = if let [StarUnit | PointUnit, rest @ ..] = rest { rest } else { rest };
            if rest.is_empty() { star_scale(points) } else { None }
        }
        [Number(highest), Reverse, rest @ ..] => {
            let (points, rest) = quantity(rest)?;
            matches!(rest, [] | [PointUnit | StarUnit]).then(|| known_scale(points, *highest))?
        }
        _ => None,
    }
}

/// Takes a value from the front of the parts. It is in hundredths.
fn quantity(parts: &[RatingPart]) -> Option<(u32, &[RatingPart])> {
    use RatingPart::{Half, Number, Stars};
    match parts {
        [Number(whole), Half, rest @ ..] if whole.is_multiple_of(100) => Some((whole + 50, rest)),
        [Number(points), rest @ ..] => Some((*points, rest)),
        [Half, rest @ ..] => Some((50, rest)),
        [Stars(row), Half, rest @ ..] if row.half == 0 && row.empty == 0 => Some((row.full * 100 + 50, rest)),
        [Stars(row), rest @ ..] => Some((row.full * 100 + row.half * 50, rest)),
        _ => None,
    }
}

/// The scale of a row of stars that names none.
fn row_scale(row: StarRow, context: RatingContext) -> Option<RatingScale> {
    let total = row.full + row.half + row.empty;
    let is_separator = row.has_asterisks && row.half == 0 && context == RatingContext::Bare;
    // Five empty stars may also be those that readers can click.
    let is_blank = row.full == 0 && row.half == 0 && (row.empty < 4 || context == RatingContext::Bare);
    if is_separator || total > 10 || is_blank {
        return None;
    }
    let highest = match row.empty {
        // Unless the text says otherwise, up to five stars are out of five.
        0 if total <= 5 => 500,
        0 => 1000,
        _ => total * 100,
    };
    scale(row.full * 100 + row.half * 50, highest)
}

/// The scale of a number of stars that names none.
fn star_scale(points: u32) -> Option<RatingScale> {
    (points <= 500 && points.is_multiple_of(50)).then(|| scale(points, 500))?
}

/// The scale of points, if critics use it.
fn known_scale(points: u32, highest: u32) -> Option<RatingScale> {
    matches!(highest, 400 | 500 | 600 | 1000 | 2000 | 10_000).then(|| scale(points, highest))?
}

fn scale(points: u32, highest: u32) -> Option<RatingScale> {
    if points > highest {
        return None;
    }
    match (highest, points % 50) {
        (500, 0) => u8::try_from(points / 50).ok().map(RatingScale::Stars),
        _ => Some(RatingScale::Points(points, highest)),
    }
}
