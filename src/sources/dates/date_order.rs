//! Whether the day or the month comes first in numeric dates.

use super::{DateContext, DateError, DateToken, time_of_day, tokenize, zones};

/// The order of day and month in numeric dates such as `03/12/2025`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 3 December 2025.
    DayFirst,
    /// March 12, 2025.
    MonthFirst,
}

/// Returns the order that the dates of a feed prove, each on its own, unless they contradict each other.
pub fn proven_order<'a>(texts: impl Iterator<Item = &'a str>) -> Option<DateOrder> {
    let mut proven = None;
    for text in texts {
        match order_of(text) {
            Some(order) if proven.is_some_and(|other| other != order) => return None,
            Some(order) => proven = Some(order),
            None => {}
        }
    }
    proven
}

fn order_of(text: &str) -> Option<DateOrder> {
    let (text, _) = zones::take_tz_name(text);
    let mut tokens = tokenize(&text);
    time_of_day::take(&mut tokens)?;
    let has_words = tokens.iter().any(|token| matches!(token, DateToken::Word(word) if word != "t"));
    let numbers: Vec<(i64, usize)> = tokens
        .iter()
        .filter_map(|token| match token {
            DateToken::Number { value, digits, .. } => Some((*value, *digits)),
            _ => None,
        })
        .collect();
    match numbers.as_slice() {
        [(13..=31, 1 | 2), (1..=12, 1 | 2), (_, 2 | 4)] if !has_words => Some(DateOrder::DayFirst),
        [(1..=12, 1 | 2), (13..=31, 1 | 2), (_, 2 | 4)] if !has_words => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// Returns the day and the month of two numbers before a year. `separator` stands between them.
pub(super) fn day_and_month(
    one: i64,
    other: i64,
    separator: Option<char>,
    context: &DateContext<'_>,
) -> Result<(i64, i64), DateError> {
    // Only a day is larger than 12. Where a full stop separates them, the day always comes first.
    let order = match (one, other) {
        (13.., 13..) => return Err(DateError::Unreadable),
        (13.., 1..=12) => Some(DateOrder::DayFirst),
        (1..=12, 13..) => Some(DateOrder::MonthFirst),
        (one, other) if one == other || separator == Some('.') => Some(DateOrder::DayFirst),
        _ => context.order.or_else(|| context.language.and_then(language_order)),
    };
    match order {
        Some(DateOrder::DayFirst) => Ok((one, other)),
        Some(DateOrder::MonthFirst) => Ok((other, one)),
        None => Err(DateError::Ambiguous),
    }
}

/// Languages whose short dates begin with the day, by CLDR and in all countries but those of [`is_mixed`]. Those that are not
/// here begin with the year or the month, or are too rare to be sure.
const DAY_FIRST: [&str; 66] = [
    "ar", "as", "ast", "be", "bg", "bn", "br", "bs", "ca", "co", "cs", "cy", "da", "de", "dsb", "el", "es",
    "et", "fi", "fo", "fr", "fur", "fy", "ga", "gd", "gl", "gsw", "gu", "he", "hi", "hr", "hsb", "hy", "id",
    "is", "it", "ka", "kn", "lb", "lv", "mk", "ml", "mr", "ms", "mt", "nb", "nl", "nn", "no", "oc", "pa",
    "pl", "pt", "rm", "ro", "ru", "sc", "sk", "sl", "sq", "sr", "ta", "th", "tr", "uk", "vi",
];
/// Countries whose English begins with the day, and those in which it begins with the month.
const ENGLISH_DAY_FIRST: [&str; 19] = [
    "au", "bz", "cy", "fj", "gb", "gh", "hk", "ie", "in", "jm", "mt", "my", "ng", "nz", "pk", "sg", "tt",
    "ug", "zw",
];
const ENGLISH_MONTH_FIRST: [&str; 7] = ["as", "gu", "mp", "ph", "pr", "um", "us"];

/// The order of a language. English can be either, and is read by its country alone.
fn language_order(tag: &str) -> Option<DateOrder> {
    let tag = tag.to_ascii_lowercase();
    let mut subtags = tag.split(['-', '_']);
    let language = subtags.next()?;
    let region = subtags.find(|subtag| subtag.len() == 2).unwrap_or_default();
    if language == "en" {
        return if ENGLISH_MONTH_FIRST.contains(&region) {
            Some(DateOrder::MonthFirst)
        } else {
            ENGLISH_DAY_FIRST.contains(&region).then_some(DateOrder::DayFirst)
        };
    }
    (DAY_FIRST.contains(&language) && !is_mixed(language, region)).then_some(DateOrder::DayFirst)
}

/// Whether dates of that language are written in several orders in that country.
fn is_mixed(language: &str, region: &str) -> bool {
    matches!((language, region), (_, "ca" | "us" | "za") | ("es", "pa" | "pr"))
}
