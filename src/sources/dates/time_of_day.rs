//! The time of day in a date, and the zone that follows it.

use jiff::civil::{Date, DateTime, Time};

use super::tokens::DateToken;
use super::zones::{self, ZoneName};

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    hour: i64,
    minute: i64,
    second: i64,
}

impl TimeOfDay {
    /// Returns this time on a day. 24:00 is midnight at its end, and a leap second counts as the one before it.
    pub(super) fn on(self, date: Date) -> Option<DateTime> {
        let (date, hour) = if self.hour == 24 { (date.tomorrow().ok()?, 0) } else { (date, self.hour) };
        let second = self.second.min(59);
        let small = |number: i64| i8::try_from(number).ok();
        Some(date.to_datetime(Time::new(small(hour)?, small(self.minute)?, small(second)?, 0).ok()?))
    }
}

/// Takes the time of day and the zone after it out of the tokens. Returns `None` if the time does not exist.
pub(super) fn take(tokens: &mut Vec<DateToken>) -> Option<(Option<TimeOfDay>, ZoneName)> {
    let Some((start, mut end, mut time)) = find(tokens) else { return Some((None, ZoneName::Missing)) };
    let is_half_day = |token: Option<&DateToken>| match token {
        Some(DateToken::Word(word)) => match word.as_str() {
            "am" | "午前" | "上午" | "오전" => Some(false),
            "pm" | "午後" | "下午" | "오후" => Some(true),
            _ => None,
        },
        _ => None,
    };
    let mut first = start;
    let after = is_half_day(tokens.get(end));
    let before = start.checked_sub(1).and_then(|index| is_half_day(tokens.get(index)));
    if after.is_some() {
        end += 1;
    } else if before.is_some() {
        first -= 1;
    }
    match after.or(before) {
        Some(true) if time.hour < 12 => time.hour += 12,
        Some(false) if time.hour == 12 => time.hour = 0,
        _ => {}
    }
    let (zone, length) = zones::read(tokens.get(end..).unwrap_or_default());
    end += length;
    tokens.drain(first..end);
    let exists = time.hour <= 24 && time.minute < 60 && time.second <= 60;
    exists.then_some((Some(time), zone))
}

/// Words before a time in Danish, Norwegian, Swedish, Finnish, Italian and Polish. The hour may stand alone after them.
const HOUR_WORDS: [&str; 7] = ["kl", "klokken", "klockan", "klo", "kello", "ore", "godz"];

/// Words before a time that may stand before a date, too. After these and after those, a full stop separates hour and minute.
const TIME_WORDS: [&str; 12] = ["um", "om", "at", "alle", "à", "às", "las", "o", "ob", "v", "в", "о"];

/// Words after a time whose hour and minute a full stop separates, in German, French, Dutch and English.
const TIME_UNITS: [&str; 6] = ["uhr", "h", "uur", "hrs", "am", "pm"];

/// Whether a date begins with a number, a full stop and these tokens.
fn goes_on_as_date(rest: &[DateToken]) -> bool {
    matches!(rest, [DateToken::Symbol('.' | '/'), DateToken::Number { .. }, ..])
}

/// Whether the number before these tokens can be minutes, and not a day before the name of its month.
fn may_end_time(rest: &[DateToken]) -> bool {
    match rest {
        [] | [DateToken::Symbol(_), ..] => true,
        [DateToken::Word(word), ..] => matches!(word.as_str(), "min" | "mn" | "m"),
        [DateToken::Number { .. }, ..] => false,
    }
}

/// Finds the time: where it begins, where it ends, and what it is.
fn find(tokens: &[DateToken]) -> Option<(usize, usize, TimeOfDay)> {
    (0..tokens.len()).find_map(|start| {
        let (time, length) = match tokens.get(start..)? {
            // 20180215T103000
            [
                DateToken::Word(t),
                DateToken::Number { value, digits: digits @ (4 | 6), is_glued: true },
                ..,
            ] if t == "t" => {
                let value = if *digits == 4 { value * 100 } else { *value };
                (TimeOfDay { hour: value / 10_000, minute: value / 100 % 100, second: value % 100 }, 2)
            }
            [
                DateToken::Number { value: hour, digits: 1 | 2, .. },
                DateToken::Symbol(':'),
                DateToken::Number { value: minute, digits: 2, .. },
                rest @ ..,
            ] => {
                let (second, length) = match rest {
                    [
                        DateToken::Symbol(':'),
                        DateToken::Number { value, digits: 1 | 2, .. },
                        DateToken::Symbol('.' | ','),
                        DateToken::Number { is_glued: true, .. },
                        ..,
                    ] => (*value, 7),
                    [DateToken::Symbol(':'), DateToken::Number { value, digits: 1 | 2, .. }, ..] => {
                        (*value, 5)
                    }
                    _ => (0, 3),
                };
                (TimeOfDay { hour: *hour, minute: *minute, second }, length)
            }
            // 20h30, 20 h 30, 20h30min
            [
                DateToken::Number { value: hour, digits: 1 | 2, .. },
                DateToken::Word(h),
                DateToken::Number { value: minute, digits: 2, is_glued },
                rest @ ..,
            ] if h == "h" && (*is_glued || may_end_time(rest)) => {
                let has_unit = matches!(rest, [DateToken::Word(_), ..]) && may_end_time(rest);
                (TimeOfDay { hour: *hour, minute: *minute, second: 0 }, 3 + usize::from(has_unit))
            }
            rest => named_time(tokens.get(..start)?, rest)?,
        };
        Some((start, start + length, time))
    })
}

/// Reads a time that a word before or after it shows to be one, at the beginning of the tokens. `before` are those before it.
fn named_time(before: &[DateToken], tokens: &[DateToken]) -> Option<(TimeOfDay, usize)> {
    Some(match tokens {
        // kl. 20.30, klo 20.30, ore 20.30, um 20.30
        [
            DateToken::Word(word),
            DateToken::Number { value: hour, digits: 1 | 2, .. },
            DateToken::Symbol('.'),
            DateToken::Number { value: minute, digits: 2, is_glued: true },
            rest @ ..,
        ] if (HOUR_WORDS.contains(&word.as_str()) || TIME_WORDS.contains(&word.as_str()))
            && !goes_on_as_date(rest) =>
        {
            let has_unit =
                matches!(rest, [DateToken::Word(unit), ..] if TIME_UNITS[..4].contains(&unit.as_str()));
            (TimeOfDay { hour: *hour, minute: *minute, second: 0 }, 4 + usize::from(has_unit))
        }
        // 20.30 Uhr, 8.30 pm
        [
            DateToken::Number { value: hour, digits: 1 | 2, .. },
            DateToken::Symbol('.'),
            DateToken::Number { value: minute, digits: 2, is_glued: true },
            DateToken::Word(unit),
            ..,
        ] if TIME_UNITS.contains(&unit.as_str()) && !before.ends_with(&[DateToken::Symbol('.')]) => {
            let is_half_day = matches!(unit.as_str(), "am" | "pm");
            (TimeOfDay { hour: *hour, minute: *minute, second: 0 }, if is_half_day { 3 } else { 4 })
        }
        // kl. 20, klo 20
        [DateToken::Word(word), DateToken::Number { value: hour, digits: 1 | 2, .. }, rest @ ..]
            if HOUR_WORDS.contains(&word.as_str())
                && !matches!(rest, [DateToken::Symbol(':' | '.'), ..])
                && may_end_time(rest) =>
        {
            (TimeOfDay { hour: *hour, minute: 0, second: 0 }, 2)
        }
        // 20 Uhr, 3 pm
        [DateToken::Number { value: hour, digits: 1 | 2, .. }, DateToken::Word(unit), ..]
            if TIME_UNITS.contains(&unit.as_str()) =>
        {
            let length = if matches!(unit.as_str(), "am" | "pm") { 1 } else { 2 };
            (TimeOfDay { hour: *hour, minute: 0, second: 0 }, length)
        }
        _ => return None,
    })
}
