//! A critic's rating, kept in the critic's own form.

use std::fmt;

/// A rating as the critic writes it, and what it means on common scales.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    shown: String,
    scale: RatingScale,
}

/// The scale that a rating is given on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RatingScale {
    /// Stars out of five, counted in halves: 0 to 10.
    Stars(u8),
    /// Points in hundredths out of a highest number of points in hundredths: `8/10` is 800 of 1000.
    Points(u32, u32),
    /// A letter grade. No number is invented for it.
    Letter,
}

/// Longer texts are prose, not a rating.
const LONGEST: usize = 40;

/// Words that announce a rating.
const LABELS: [&str; 7] = ["my rating", "star rating", "rating", "grade", "score", "verdict", "stars"];

impl Rating {
    /// Reads a rating that is the whole text, with or without a label such as `Rating:`. The label is
    /// not part of what is shown. `parse(rating.shown())` gives the same rating again. None where the
    /// text says anything else besides.
    pub fn parse(text: &str) -> Option<Self> {
        let mut shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut labelled = false;
        loop {
            let bare = bare(&shown);
            let inner = without_label(bare);
            labelled |= inner.is_some();
            let next = inner.unwrap_or(bare).to_owned();
            if next == shown {
                break;
            }
            shown = next;
        }
        if shown.is_empty() || shown.chars().count() > LONGEST {
            return None;
        }
        let scale = letter(&shown)
            .or_else(|| glyphs(&shown))
            .or_else(|| fraction(&shown))
            .or_else(|| percent(&shown))
            .or_else(|| counted_stars(&shown))
            // A row of asterisks also divides one part of a text from the next: only a label tells.
            .or_else(|| labelled.then(|| glyphs(&shown.replace('*', "★")))?)?;
        if labelled && shown.contains('*') {
            shown = shown.replace('*', "★");
        }
        Some(Self { shown, scale })
    }

    /// As the critic writes it, for people.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The scale that it is given on.
    pub const fn scale(&self) -> RatingScale {
        self.scale
    }

    /// The rating on the scale of 1 to 10 that NeoDB and others read, rounded half up. None for a letter,
    /// for which no number is invented, and for no points at all, which that scale cannot say.
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

    /// Where it stands among all ratings, from 0 to 1000. It puts them in order and is never shown: nobody knows how
    /// many stars a `B+` is.
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

    /// The same for all ratings that say the same on the same scale, fit for an address: `4.5` for stars out of
    /// five, `8-of-10`, `b-plus`.
    pub fn slug(&self) -> String {
        match self.scale {
            RatingScale::Stars(halves) => decimal(u32::from(halves) * 50),
            RatingScale::Points(points, highest) => format!("{}-of-{}", decimal(points), decimal(highest)),
            RatingScale::Letter => self.grade().to_lowercase().replace('-', "-minus").replace('+', "-plus"),
        }
    }

    /// The rating that has this key.
    pub fn from_slug(key: &str) -> Option<Self> {
        let text = key.replace("-of-", "/").replace("-plus", "+").replace("-minus", "-").to_uppercase();
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let rating = Self::parse(&if is_number { format!("{text}/5") } else { text })?;
        (rating.slug() == key).then_some(rating)
    }

    /// The plainest form of what it says: `★★★½`, `8/10`, `B+`. It can be parsed.
    pub fn to_canonical(&self) -> String {
        match self.scale {
            RatingScale::Stars(0) => "☆".repeat(5),
            RatingScale::Stars(halves) => {
                let half = if halves % 2 == 1 { "½" } else { "" };
                "★".repeat(usize::from(halves / 2)) + half
            }
            RatingScale::Points(points, highest) => format!("{}/{}", decimal(points), decimal(highest)),
            RatingScale::Letter => self.grade(),
        }
    }

    /// A letter grade in ASCII.
    fn grade(&self) -> String {
        self.shown.replace(['\u{2212}', '\u{2013}'], "-")
    }
}

/// Letter grades, the best last.
const GRADES: [&str; 15] =
    ["F-", "F", "F+", "D-", "D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A", "A+"];

/// Hundredths as a decimal: `3.5`, `10`.
fn decimal(hundredths: u32) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Without brackets or a full stop around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text).trim_end();
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
            return inner.trim();
        }
    }
    text
}

/// What follows a label and its colon; none where there is no label.
fn without_label(text: &str) -> Option<&str> {
    LABELS.iter().find_map(|label| {
        let head = text.get(..label.len())?;
        let rest = text.get(label.len()..)?;
        let separated = rest.starts_with([':', ' ', '-', '\u{2013}', '\u{2014}']);
        let rest = rest.trim_start_matches([':', ' ', '-', '\u{2013}', '\u{2014}']);
        (head.eq_ignore_ascii_case(label) && separated && !rest.is_empty()).then_some(rest)
    })
}

fn letter(text: &str) -> Option<RatingScale> {
    let mut chars = text.chars();
    let grade = matches!(chars.next()?, 'A'..='D' | 'F');
    let sign = chars.next();
    let signed = sign.is_none_or(|c| matches!(c, '+' | '-' | '\u{2212}' | '\u{2013}'));
    (grade && signed && chars.next().is_none()).then_some(RatingScale::Letter)
}

/// `★★★½`, `★★★☆☆`, `★★★ 1/2`, `★★★½ out of 4`.
fn glyphs(text: &str) -> Option<RatingScale> {
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
        // Without a word about it, a row of stars is out of five, if that is enough of them.
        0 if total <= 5 => 500,
        0 => 1000,
        _ => total * 100,
    });
    scale(full * 100 + half * 50, highest)
}

/// `3.5/5`, `3½ out of 5`, `8/10`, `3.5 / 5 stars`.
fn fraction(text: &str) -> Option<RatingScale> {
    let (points, highest) = split_scale(text)?;
    scale(number(points)?, highest)
}

fn percent(text: &str) -> Option<RatingScale> {
    scale(number(text.strip_suffix('%')?)?, 10_000)
}

/// `3½ stars`, `three and a half stars`.
fn counted_stars(text: &str) -> Option<RatingScale> {
    let lower = text.to_lowercase();
    let count = lower.strip_suffix("stars").or_else(|| lower.strip_suffix("star"))?;
    let points = number(count)?;
    (points % 50 == 0).then(|| scale(points, 500)).flatten()
}

/// What stands before and after `/` or `out of`, the second as hundredths.
fn split_scale(text: &str) -> Option<(&str, u32)> {
    let lower = text.to_ascii_lowercase();
    let (at, width) = match lower.rfind("out of") {
        Some(at) => (at, "out of".len()),
        None => (lower.rfind('/')?, 1),
    };
    let highest = lower.get(at + width..)?.trim();
    let highest = highest.strip_suffix("stars").unwrap_or(highest).trim();
    let highest = number(highest)?;
    let known = matches!(highest, 400 | 500 | 600 | 1000 | 2000 | 10_000);
    known.then_some(())?;
    let points = text.get(..at)?.trim();
    let points = points.strip_suffix("stars").unwrap_or(points).trim();
    Some((points, highest))
}

const WORDS: [&str; 11] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// Hundredths: `3`, `3.5`, `3,5`, `3½`, `3 1/2`, `three and a half`.
fn number(text: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    for half in [" and a half", "½", " 1/2"] {
        if let Some(whole) = text.strip_suffix(half) {
            let whole = whole.trim();
            let whole = if whole.is_empty() && half == "½" { 0 } else { number(whole)? };
            return (whole % 100 == 0).then_some(whole + 50);
        }
    }
    if let Some(n) = WORDS.iter().position(|w| *w == text) {
        return u32::try_from(n * 100).ok();
    }
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((&text, "0"));
    let digits =
        |t: &str, most: usize| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
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
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_critics_own_form_is_kept_and_understood() {
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
    fn nothing_is_invented_from_other_texts() {
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
    fn ratings_have_an_order_and_an_address() {
        let told = |text: &str| {
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
            assert_eq!(told(text), (key.to_owned(), plain.to_owned(), rank), "{text}");
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
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = Rating::parse(&text);
        }
    }
}
