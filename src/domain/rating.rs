//! Ratings, kept exactly as the critic writes them, and their meaning on common scales.

mod parse;
mod tokens;

use std::fmt;

use parse::RatingContext;

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
    /// A thumb; whether it points up.
    Thumb(bool),
}

/// A longer text, in characters, is prose and not a rating.
const MAX_CHARS: usize = 80;
/// In a longer sentence, in characters, no rating is looked for.
const MAX_SENTENCE_CHARS: usize = 240;

/// Labels that introduce a rating.
const LABELS: [&str; 14] = [
    "my rating",
    "star rating",
    "overall rating",
    "final rating",
    "final score",
    "final grade",
    "final verdict",
    "rating",
    "grade",
    "score",
    "verdict",
    "overall",
    "stars",
    "final",
];

impl Rating {
    /// Parses a text that consists of a rating, with or without a label such as `Rating:`, brackets around it, or a remark
    /// after it such as `(recommended)`. Returns `None` if it says anything else. Label and remark are not part of the
    /// rating. `parse(rating.as_str())` returns the same rating again.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_in(text, RatingContext::Bare)
    }

    /// Parses a text like [`Rating::parse`], if a label that is not part of it says that it is a rating.
    pub fn parse_labelled(text: &str) -> Option<Self> {
        Self::parse_in(text, RatingContext::Labelled)
    }

    /// Finds the only rating in a sentence that names a unit and a scale, such as `I give it 3.5 stars out of 5`.
    pub fn find_in_sentence(sentence: &str) -> Option<Self> {
        if sentence.chars().count() > MAX_SENTENCE_CHARS {
            return None;
        }
        let (text, _) = parse::find_in_sentence(sentence)?;
        Self::parse_labelled(&text)
    }

    fn parse_in(text: &str, mut context: RatingContext) -> Option<Self> {
        if text.chars().count() > MAX_CHARS {
            return None;
        }
        let narrow: String = text.chars().map(narrow_character).collect();
        let mut value = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
        loop {
            let bare = strip_brackets(&value);
            let inner = strip_label(bare);
            if inner.is_some() {
                context = RatingContext::Labelled;
            }
            let next = inner.unwrap_or(bare).to_owned();
            if next == value {
                break;
            }
            value = next;
        }
        let (text, scale) = parse::parse(&value, context)?;
        let rating = Self { text, scale };
        // What only the label made clear is written out.
        let is_clear = parse::parse(&rating.text, RatingContext::Bare)
            .is_some_and(|again| again == (rating.text.clone(), scale));
        Some(if is_clear { rating } else { Self { text: rating.to_canonical(), scale } })
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
    /// a letter grade or a thumb, and for zero points, which that scale cannot express.
    pub fn out_of_ten(&self) -> Option<u8> {
        match self.scale {
            RatingScale::Stars(0)
            | RatingScale::Points(0, _)
            | RatingScale::Letter
            | RatingScale::Thumb(_) => None,
            RatingScale::Stars(halves) => Some(halves.min(10)),
            RatingScale::Points(points, highest) => {
                let tenths = (u64::from(points) * 20 + u64::from(highest)) / (u64::from(highest).max(1) * 2);
                u8::try_from(tenths.clamp(1, 10)).ok()
            }
        }
    }

    /// Whether another rating gives another value on the same scale.
    pub fn contradicts(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.scale) == std::mem::discriminant(&other.scale)
            && self.slug() != other.slug()
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
            RatingScale::Thumb(is_up) => {
                if is_up {
                    800
                } else {
                    200
                }
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
            RatingScale::Thumb(is_up) => if is_up { "thumbs-up" } else { "thumbs-down" }.to_owned(),
            RatingScale::Letter => self.grade().to_lowercase().replace('-', "-minus").replace('+', "-plus"),
        }
    }

    /// Parses what [`Rating::slug`] returns.
    pub fn from_slug(key: &str) -> Option<Self> {
        if let Some(thumb) = key.strip_prefix("thumbs-") {
            return Self::parse(&format!("thumbs {thumb}")).filter(|rating| rating.slug() == key);
        }
        let text = key.replace("-of-", "/").replace("-plus", "+").replace("-minus", "-").to_uppercase();
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let rating = Self::parse(&if is_number { format!("{text}/5") } else { text })?;
        (rating.slug() == key).then_some(rating)
    }

    /// Returns the canonical form of the rating, such as `★★★½`, `8/10` or `B+`. After a label it parses to an equal value.
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
            RatingScale::Thumb(is_up) => if is_up { "👍" } else { "👎" }.to_owned(),
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

/// Returns the usual form of a full-width character.
fn narrow_character(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
