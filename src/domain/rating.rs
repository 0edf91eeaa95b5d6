//! Ratings, kept exactly as the critic writes them, and their meaning on common scales.

use std::fmt;

/// A rating as the critic writes it, with the scale that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    text: String,
    scale: RatingScale,
}

/// The scale of a rating, with its value on that scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatingScale {
    /// Stars out of five, in half stars: 0 to 10.
    Stars(u8),
    /// Points and their maximum, both in hundredths: `8/10` is 800 of 1000.
    Points(u32, u32),
    /// A letter grade, for which no number is invented.
    Letter,
}

/// A longer text, in characters, is prose and not a rating.
const MAX_LENGTH: usize = 40;

/// Labels that introduce a rating.
const LABELS: [&str; 7] = ["my rating", "star rating", "rating", "grade", "score", "verdict", "stars"];

impl Rating {
    /// Parses a text that consists of a rating, with or without a label such as `Rating:`, and returns `None`
    /// if it says anything else. The label is not part of the rating. `parse(rating.as_str())` returns the
    /// same rating again.
    pub fn parse(text: &str) -> Option<Self> {
        let mut value = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut is_labelled = false;
        loop {
            let bare = strip_brackets(&value);
            let inner = strip_label(bare);
            is_labelled |= inner.is_some();
            let next = inner.unwrap_or(bare).to_owned();
            if next == value {
                break;
            }
            value = next;
        }
        if value.is_empty() || value.chars().count() > MAX_LENGTH {
            return None;
        }
        let scale = parse_letter(&value)
            .or_else(|| parse_stars(&value))
            .or_else(|| parse_fraction(&value))
            .or_else(|| parse_percent(&value))
            .or_else(|| parse_counted_stars(&value))
            // A row of asterisks may also separate sections of a text, so it needs a label.
            .or_else(|| is_labelled.then(|| parse_stars(&value.replace('*', "★")))?)?;
        if is_labelled && value.contains('*') {
            value = value.replace('*', "★");
        }
        Some(Self { text: value, scale })
    }

    /// The rating as the critic writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scale of the rating.
    pub const fn scale(&self) -> RatingScale {
        self.scale
    }

    /// Returns the rating on the scale of 1 to 10 that NeoDB and others use, rounded half up. Returns `None` for
    /// a letter grade, and for zero points, which that scale cannot express.
    pub fn out_of_ten(&self) -> Option<u8> {
        match self.scale {
            RatingScale::Stars(0) | RatingScale::Points(0, _) | RatingScale::Letter => None,
            RatingScale::Stars(halves) => Some(halves.min(10)),
            RatingScale::Points(points, highest) => {
                let tenths = (u64::from(points) * 20 + u64::from(highest)) / (u64::from(highest).max(1) * 2);
                u8::try_from(tenths.clamp(1, 10)).ok()
            }
        }
    }

    /// Returns a sort key from 0 to 1000 that is comparable between scales. It is never shown, since a letter
    /// grade has no agreed value in stars.
    pub fn rank(&self) -> u16 {
        let rank = match self.scale {
            RatingScale::Stars(halves) => u64::from(halves) * 100,
            RatingScale::Points(points, highest) => u64::from(points) * 1000 / u64::from(highest).max(1),
            RatingScale::Letter => {
                let grade = self.grade();
                let at = GRADES.iter().position(|known| *known == grade).unwrap_or_default();
                (at * 1000 / (GRADES.len() - 1)) as u64
            }
        };
        u16::try_from(rank.min(1000)).unwrap_or(1000)
    }

    /// Returns the URL segment shared by all ratings of the same value and scale: `4.5` for stars out of five,
    /// `8-of-10`, `b-plus`.
    pub fn slug(&self) -> String {
        match self.scale {
            RatingScale::Stars(halves) => format_hundredths(u32::from(halves) * 50),
            RatingScale::Points(points, highest) => {
                format!("{}-of-{}", format_hundredths(points), format_hundredths(highest))
            }
            RatingScale::Letter => self.grade().to_lowercase().replace('-', "-minus").replace('+', "-plus"),
        }
    }

    /// Parses what [`Rating::slug`] returns.
    pub fn from_slug(key: &str) -> Option<Self> {
        let text = key.replace("-of-", "/").replace("-plus", "+").replace("-minus", "-").to_uppercase();
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let rating = Self::parse(&if is_number { format!("{text}/5") } else { text })?;
        (rating.slug() == key).then_some(rating)
    }

    /// Returns the canonical form of the rating, such as `★★★½`, `8/10` or `B+`. It parses to an equal value.
    pub fn to_canonical(&self) -> String {
        match self.scale {
            RatingScale::Stars(0) => "☆".repeat(5),
            RatingScale::Stars(halves) => {
                let half = if halves % 2 == 1 { "½" } else { "" };
                "★".repeat(usize::from(halves / 2)) + half
            }
            RatingScale::Points(points, highest) => {
                format!("{}/{}", format_hundredths(points), format_hundredths(highest))
            }
            RatingScale::Letter => self.grade(),
        }
    }

    /// Returns a letter grade in ASCII.
    fn grade(&self) -> String {
        self.text.replace(['\u{2212}', '\u{2013}'], "-")
    }
}

/// The letter grades, worst first.
const GRADES: [&str; 15] =
    ["F-", "F", "F+", "D-", "D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A", "A+"];

/// Formats hundredths as a decimal: `3.5`, `10`.
fn format_hundredths(hundredths: u32) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Removes surrounding brackets and a final full stop.
fn strip_brackets(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text).trim_end();
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
            return inner.trim();
        }
    }
    text
}

/// Returns the text after a label and its separator, or `None` if there is no label.
fn strip_label(text: &str) -> Option<&str> {
    LABELS.iter().find_map(|label| {
        let head = text.get(..label.len())?;
        let rest = text.get(label.len()..)?;
        let separated = rest.starts_with([':', ' ', '-', '\u{2013}', '\u{2014}']);
        let rest = rest.trim_start_matches([':', ' ', '-', '\u{2013}', '\u{2014}']);
        (head.eq_ignore_ascii_case(label) && separated && !rest.is_empty()).then_some(rest)
    })
}

fn parse_letter(text: &str) -> Option<RatingScale> {
    let mut chars = text.chars();
    let grade = matches!(chars.next()?, 'A'..='D' | 'F');
    let sign = chars.next();
    let signed = sign.is_none_or(|c| matches!(c, '+' | '-' | '\u{2212}' | '\u{2013}'));
    (grade && signed && chars.next().is_none()).then_some(RatingScale::Letter)
}

/// Parses `★★★½`, `★★★☆☆`, `★★★ 1/2` and `★★★½ out of 4`.
fn parse_stars(text: &str) -> Option<RatingScale> {
    let (row, highest) = match split_scale(text) {
        Some((row, highest)) if row.contains(['★', '\u{2B50}', '\u{1F31F}']) => (row, Some(highest)),
        _ => (text, None),
    };
    let row = row.replace("1/2", "½").replace("stars", "");
    let (mut full, mut half, mut empty) = (0_u32, 0_u32, 0_u32);
    for c in row.chars().filter(|c| !c.is_whitespace() && *c != '\u{FE0F}') {
        match c {
            '★' | '\u{2B50}' | '\u{1F31F}' if half == 0 && empty == 0 => full += 1,
            '½' | '⯨' if half == 0 && empty == 0 => half = 1,
            '☆' => empty += 1,
            _ => return None,
        }
    }
    let total = full + half + empty;
    if total == 0 || total > 10 || (full == 0 && half == 0 && empty < 4) {
        return None;
    }
    let highest = highest.unwrap_or(match empty {
        // Unless the text says otherwise, up to five stars are out of five.
        0 if total <= 5 => 500,
        0 => 1000,
        _ => total * 100,
    });
    scale(full * 100 + half * 50, highest)
}

/// Parses `3.5/5`, `3½ out of 5`, `8/10` and `3.5 / 5 stars`.
fn parse_fraction(text: &str) -> Option<RatingScale> {
    let (points, highest) = split_scale(text)?;
    scale(parse_hundredths(points)?, highest)
}

fn parse_percent(text: &str) -> Option<RatingScale> {
    scale(parse_hundredths(text.strip_suffix('%')?)?, 10_000)
}

/// Parses `3½ stars` and `three and a half stars`.
fn parse_counted_stars(text: &str) -> Option<RatingScale> {
    let lower = text.to_lowercase();
    let count = lower.strip_suffix("stars").or_else(|| lower.strip_suffix("star"))?;
    let points = parse_hundredths(count)?;
    (points % 50 == 0).then(|| scale(points, 500)).flatten()
}

/// Splits the text at `/` or `out of` and returns the first part, and the second part in hundredths.
fn split_scale(text: &str) -> Option<(&str, u32)> {
    let lower = text.to_ascii_lowercase();
    let (at, width) = match lower.rfind("out of") {
        Some(at) => (at, "out of".len()),
        None => (lower.rfind('/')?, 1),
    };
    let highest = lower.get(at + width..)?.trim();
    let highest = highest.strip_suffix("stars").unwrap_or(highest).trim();
    let highest = parse_hundredths(highest)?;
    let known = matches!(highest, 400 | 500 | 600 | 1000 | 2000 | 10_000);
    known.then_some(())?;
    let points = text.get(..at)?.trim();
    let points = points.strip_suffix("stars").unwrap_or(points).trim();
    Some((points, highest))
}

const NUMBER_WORDS: [&str; 11] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// Parses `3`, `3.5`, `3,5`, `3½`, `3 1/2` and `three and a half` as hundredths.
fn parse_hundredths(text: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    for half in [" and a half", "½", " 1/2"] {
        if let Some(whole) = text.strip_suffix(half) {
            let whole = whole.trim();
            let whole = if whole.is_empty() && half == "½" { 0 } else { parse_hundredths(whole)? };
            return (whole % 100 == 0).then_some(whole + 50);
        }
    }
    if let Some(n) = NUMBER_WORDS.iter().position(|w| *w == text) {
        return u32::try_from(n * 100).ok();
    }
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((&text, "0"));
    let digits = |t: &str, max: usize| (1..=max).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 3) || !digits(part, 2) {
        return None;
    }
    let hundredths: u32 = format!("{part:0<2}").parse().ok()?;
    Some(whole.parse::<u32>().ok()? * 100 + hundredths)
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

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_critics_own_form_is_kept_and_parsed() {
        for (text, shown, scale, ten) in [
            ("★★★½", "★★★½", RatingScale::Stars(7), Some(7)),
            ("★★★☆☆", "★★★☆☆", RatingScale::Stars(6), Some(6)),
            ("Rating: ★★★ 1/2", "★★★ 1/2", RatingScale::Stars(7), Some(7)),
            ("★★★½ out of 4", "★★★½ out of 4", RatingScale::Points(350, 400), Some(9)),
            ("3.5/5", "3.5/5", RatingScale::Stars(7), Some(7)),
            ("(3,5 / 5)", "3,5 / 5", RatingScale::Stars(7), Some(7)),
            ("3½ stars", "3½ stars", RatingScale::Stars(7), Some(7)),
            ("Three and a half stars", "Three and a half stars", RatingScale::Stars(7), Some(7)),
            ("3.5 out of 5", "3.5 out of 5", RatingScale::Stars(7), Some(7)),
            ("½/5", "½/5", RatingScale::Stars(1), Some(1)),
            ("8/10", "8/10", RatingScale::Points(800, 1000), Some(8)),
            ("Score: 87/100", "87/100", RatingScale::Points(8700, 10_000), Some(9)),
            ("Rating: 3.7/5", "3.7/5", RatingScale::Points(370, 500), Some(7)),
            ("Grade:  B+", "B+", RatingScale::Letter, None),
            ("grade - A", "A", RatingScale::Letter, None),
            ("0/5", "0/5", RatingScale::Stars(0), None),
            ("Rating: ***½", "★★★½", RatingScale::Stars(7), Some(7)),
        ] {
            let rating = Rating::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((rating.as_str(), rating.scale(), rating.out_of_ten()), (shown, scale, ten), "{text}");
            assert_eq!(Rating::parse(rating.as_str()), Some(rating), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_ratings() {
        for text in [
            "",
            "R",
            "Rating: PG-13",
            "Rating: R",
            "***",
            "6/5",
            "24/7",
            "9/11",
            "A film",
            "Grade:",
            "stars",
            "3.5/5 and worth it",
            "★ is born",
            "2001",
            "5 stars out of 4",
        ] {
            assert_eq!(Rating::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ratings_have_a_rank_and_a_slug() {
        let parsed = |text: &str| {
            let rating = Rating::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                Rating::parse(&rating.to_canonical()).map(|r| r.slug()),
                Some(rating.slug()),
                "{text}"
            );
            assert_eq!(
                Rating::from_slug(&rating.slug()).map(|r| r.to_canonical()),
                Some(rating.to_canonical()),
                "{text}"
            );
            (rating.slug(), rating.to_canonical(), rating.rank())
        };
        for (text, key, plain, rank) in [
            ("Rating: ★★★ 1/2", "3.5", "★★★½", 700),
            ("3.5/5", "3.5", "★★★½", 700),
            ("★★★★★", "5", "★★★★★", 1000),
            ("½/5", "0.5", "½", 100),
            ("0/5", "0", "☆☆☆☆☆", 0),
            ("8/10", "8-of-10", "8/10", 800),
            ("3.7/5", "3.7-of-5", "3.7/5", 740),
            ("Grade: B+", "b-plus", "B+", 785),
            ("A\u{2212}", "a-minus", "A-", 857),
            ("F", "f", "F", 71),
        ] {
            assert_eq!(parsed(text), (key.to_owned(), plain.to_owned(), rank), "{text}");
        }
        for wrong in ["", "4.50", "6", "B+", "x", "8/10", "\u{0}"] {
            assert_eq!(Rating::from_slug(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_parsed_rating_is_parsed_again(text in "(Rating: |Grade: |\\()?[★☆½0-9A-F/.,+ %*a-z()-]{0,12}") {
            if let Some(rating) = Rating::parse(&text) {
                prop_assert_eq!(Rating::parse(rating.as_str()), Some(rating));
            }
        }

        #[test]
        fn no_text_causes_a_panic(text in ".{0,60}") {
            let _ = Rating::parse(&text);
        }
    }
}
