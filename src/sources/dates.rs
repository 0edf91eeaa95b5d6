//! Reads dates as feeds write them: RFC 822 and RFC 3339, ISO 8601 with and without a zone, numeric dates, Unix times, and
//! months in all languages of Unicode CLDR.
//!
//! A date is never guessed. If a text can mean two days, and neither the other dates of the feed nor its language say which,
//! it has no date. jiff and chrono each read one format at a time and know only English names.

mod date_order;
mod month_names;
mod time_of_day;
mod tokens;
mod zones;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::domain::time::Timestamp;
pub use date_order::{DateOrder, proven_order};
use month_names::{MonthName, find_month};
use tokens::{DateToken, tokenize};
use zones::ZoneName;

/// The longest text that is read as a date, in characters.
const MAX_CHARS: usize = 100;

/// The years that the date of a text may have. Some software writes 0001 or 9999 if there is no date, and no feed is older.
pub const YEARS: std::ops::RangeInclusive<i64> = 1970..=2200;

/// What the feed says about its dates.
#[derive(Debug, Clone)]
pub struct DateContext<'a> {
    /// The zone of dates that name none.
    pub zone: &'a TimeZone,
    /// Whether the day or the month comes first in numeric dates, if that is known.
    pub order: Option<DateOrder>,
    /// The language of the feed, as a BCP 47 tag.
    pub language: Option<&'a str>,
}

/// A date that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDate {
    /// The moment. It is midnight if there was no time of day.
    pub at: Timestamp,
    /// The zone that the text names.
    pub zone: Option<TimeZone>,
    /// Whether the text has a time of day.
    pub has_time: bool,
}

/// Why a text has no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// It is not a date, or not one of a plausible year.
    #[error("it cannot be read as a date")]
    Unreadable,
    /// It can mean two days.
    #[error("it can mean more than one day")]
    Ambiguous,
}

/// Reads a date.
///
/// # Errors
/// See [`DateError`].
pub fn read_date(text: &str, context: &DateContext<'_>) -> Result<ReadDate, DateError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_CHARS {
        return Err(DateError::Unreadable);
    }
    let (text, named_zone) = zones::take_tz_name(text);
    let mut tokens = tokenize(&text);
    if let Some(at) = unix_time(&tokens) {
        return Ok(ReadDate { at, zone: Some(TimeZone::UTC), has_time: true });
    }
    let (time, zone) = time_of_day::take(&mut tokens).ok_or(DateError::Unreadable)?;
    // An offset is certain; a zone beside it says where the offset applies (RFC 9557 section 3.4).
    let zone = match (zone, named_zone) {
        (ZoneName::Offset(zone), _) | (_, Some(zone)) | (ZoneName::Abbreviation(zone), None) => Some(zone),
        (ZoneName::Unknown | ZoneName::Missing, None) => None,
    };
    let date = read_day(&tokens, context)?;
    let (date, has_time) = match time {
        Some(time) => (time.on(date).ok_or(DateError::Unreadable)?, true),
        None => (date.to_datetime(jiff::civil::Time::midnight()), false),
    };
    let at = to_timestamp(date, zone.as_ref().unwrap_or(context.zone)).ok_or(DateError::Unreadable)?;
    Ok(ReadDate { at, zone, has_time })
}

/// The years in which films are made. The first film is from 1888.
const FILM_YEARS: std::ops::RangeInclusive<i64> = 1888..=2100;

/// A day, or the parts of it that a text states with certainty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialDate {
    /// A complete date.
    Day(Date),
    /// The year of a month, or of a day whose month is ambiguous.
    Month(i16),
    /// A year.
    Year(i16),
}

/// Returns the year if a film may have been made in it.
pub fn film_year(year: i64) -> Option<i16> {
    i16::try_from(year).ok().filter(|_| FILM_YEARS.contains(&year))
}

/// Reads the release date of a film: a day, a month or a year.
pub fn read_partial_date(text: &str, context: &DateContext<'_>) -> Option<PartialDate> {
    let text = text.trim();
    if text.chars().count() > MAX_CHARS {
        return None;
    }
    let tokens = tokenize(text);
    match collect_parts(&tokens, context).and_then(|parts| day_fields(&parts, context)) {
        Ok((year, month, day)) => {
            let film_year = film_year(year)?;
            match (month, day) {
                (None, _) => Some(PartialDate::Year(film_year)),
                (Some(_), None) => Some(PartialDate::Month(film_year)),
                (Some(month), Some(day)) => {
                    let date = Date::new(film_year, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
                    date.ok().map(PartialDate::Day)
                }
            }
        }
        Err(DateError::Ambiguous) => {
            let mut years = tokens.iter().filter_map(|token| match token {
                DateToken::Number { value, digits: 4, .. } => film_year(*value),
                _ => None,
            });
            years.next().filter(|_| years.next().is_none()).map(PartialDate::Month)
        }
        Err(DateError::Unreadable) => None,
    }
}

fn to_timestamp(date: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    Some(Timestamp::from_millis(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
}

/// Returns the moment of a text that is a Unix time, in seconds or milliseconds.
fn unix_time(tokens: &[DateToken]) -> Option<Timestamp> {
    let [DateToken::Number { value, digits, .. }] = tokens else { return None };
    match digits {
        9 | 10 => Some(Timestamp::from_millis(value * 1000)),
        13 => Some(Timestamp::from_millis(*value)),
        _ => None,
    }
}

/// The numbers of a date, and what is known about them.
#[derive(Default)]
struct DayParts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    /// Numbers without a name: value, digits, and the character before it.
    numbers: Vec<(i64, usize, Option<char>)>,
    has_month_name: bool,
}

/// Reads the day from what is left of a text without its time of day. A part that is missing is the first one.
fn read_day(tokens: &[DateToken], context: &DateContext<'_>) -> Result<Date, DateError> {
    let parts = collect_parts(tokens, context)?;
    let (year, month, day) = day_fields(&parts, context)?;
    let small = |number: Option<i64>| i8::try_from(number.unwrap_or(1)).map_err(|_| DateError::Unreadable);
    if !YEARS.contains(&year) {
        return Err(DateError::Unreadable);
    }
    let year = i16::try_from(year).map_err(|_| DateError::Unreadable)?;
    Date::new(year, small(month)?, small(day)?).map_err(|_| DateError::Unreadable)
}

/// Returns the year, and the month and the day if they are stated.
fn day_fields(
    parts: &DayParts,
    context: &DateContext<'_>,
) -> Result<(i64, Option<i64>, Option<i64>), DateError> {
    let (year, month, day) = match (parts.has_month_name, parts.numbers.as_slice()) {
        _ if parts.year.is_some() && parts.numbers.is_empty() => (parts.year, parts.month, parts.day),
        (true, [(year, 4, _)]) => (Some(*year), parts.month, None),
        (true, [(year, 4, _), (day, 1 | 2, _)] | [(day, 1 | 2, _), (year, 4, _)]) => {
            (Some(*year), parts.month, Some(*day))
        }
        (true, [(day, 1 | 2, _), (year, 2, _)]) => (Some(full_year(*year)), parts.month, Some(*day)),
        (false, [(year, 4, _)]) => (Some(*year), None, None),
        (false, [(value, 8, _)]) => (Some(value / 10_000), Some(value / 100 % 100), Some(value % 100)),
        (false, [(year, 4, _), (month, 1 | 2, _)] | [(month, 1 | 2, _), (year, 4, _)]) => {
            (Some(*year), Some(*month), None)
        }
        (false, [(year, 4, _), (month, 1 | 2, _), (day, 1 | 2, _)]) => {
            (Some(*year), Some(*month), Some(*day))
        }
        (false, [(one, 1 | 2, _), (other, 1 | 2, separator), (year, digits @ (2 | 4), _)]) => {
            let (day, month) = date_order::day_and_month(*one, *other, *separator, context)?;
            (Some(if *digits == 2 { full_year(*year) } else { *year }), Some(month), Some(day))
        }
        _ => return Err(DateError::Unreadable),
    };
    match (year, month, day) {
        (None, ..) | (_, None, Some(_)) => Err(DateError::Unreadable),
        (Some(year), ..) => Ok((year, month, day)),
    }
}

/// Two digits of a year mean one near the present (RFC 2822 section 4.3).
const fn full_year(two_digits: i64) -> i64 {
    if two_digits < 50 { 2000 + two_digits } else { 1900 + two_digits }
}

/// Words between the parts of a date, in several languages, and the endings of ordinal numbers.
const IGNORED_WORDS: [&str; 48] = [
    "t",
    "at",
    "on",
    "of",
    "the",
    "st",
    "nd",
    "rd",
    "th",
    "de",
    "del",
    "di",
    "den",
    "der",
    "am",
    "um",
    "uhr",
    "le",
    "er",
    "e",
    "ème",
    "eme",
    "el",
    "à",
    "a",
    "às",
    "o",
    "os",
    "kl",
    "klo",
    "kello",
    "klokken",
    "klockan",
    "alle",
    "ore",
    "ob",
    "om",
    "v",
    "las",
    "godz",
    "о",
    "г",
    "года",
    "року",
    "в",
    "у",
    "d",
    "และ",
];

fn collect_parts(tokens: &[DateToken], context: &DateContext<'_>) -> Result<DayParts, DateError> {
    let mut parts = DayParts::default();
    let mut separator = None;
    let (mut is_first_month, mut is_ambiguous) = (false, false);
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token {
            DateToken::Symbol(symbol) => separator = Some(*symbol),
            DateToken::Number { value, digits, .. } => {
                let field = match tokens.get(index) {
                    Some(DateToken::Word(unit)) => match unit.as_str() {
                        "年" | "년" => Some(&mut parts.year),
                        "月" | "월" => Some(&mut parts.month),
                        "日" | "일" | "号" => Some(&mut parts.day),
                        _ => None,
                    },
                    _ => None,
                };
                match field {
                    Some(field) if field.is_none() => {
                        *field = Some(*value);
                        index += 1;
                    }
                    Some(_) => return Err(DateError::Unreadable),
                    None => parts.numbers.push((*value, *digits, separator)),
                }
                separator = None;
            }
            DateToken::Word(word) if IGNORED_WORDS.contains(&word.as_str()) => {}
            DateToken::Word(word) => {
                let next = match tokens.get(index) {
                    Some(DateToken::Word(next)) => Some(format!("{word} {next}")),
                    _ => None,
                };
                let (found, words) = match next.as_deref().map(|two| find_month(two, context.language)) {
                    Some(found @ (MonthName::Known(_) | MonthName::Ambiguous)) => (found, 2),
                    _ => (find_month(word, context.language), 1),
                };
                let is_first = index == 1;
                match found {
                    // The first word may be a weekday that is written like a month: `mar. 15 mai`.
                    MonthName::Known(month) if !parts.has_month_name || is_first_month => {
                        parts.month = Some(month);
                        parts.has_month_name = true;
                        is_first_month = is_first;
                        is_ambiguous = false;
                        index += words - 1;
                    }
                    MonthName::Ambiguous if !parts.has_month_name => is_ambiguous = true,
                    _ if is_first => {}
                    // A weekday may follow the date: "3 May 2023, Wednesday".
                    _ if index == tokens.len() && parts.has_all() => {}
                    _ => return Err(DateError::Unreadable),
                }
            }
        }
    }
    if is_ambiguous {
        return Err(DateError::Ambiguous);
    }
    Ok(parts)
}

impl DayParts {
    fn has_all(&self) -> bool {
        let named = [self.year, self.month, self.day].into_iter().flatten().count();
        named + self.numbers.len() >= 3
    }
}

#[cfg(test)]
mod tests;
