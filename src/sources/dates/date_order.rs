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

/// The order of a language. English without a country can be either.
fn language_order(tag: &str) -> Option<DateOrder> {
    let tag = tag.to_ascii_lowercase();
    match tag.split('-').next()? {
        "en" if tag == "en" => None,
        "en" if matches!(tag.as_str(), "en-us" | "en-ph") => Some(DateOrder::MonthFirst),
        // Year, month, day: without the year, the month would come first.
        "zh" | "ja" | "ko" | "hu" | "mn" | "lt" | "eu" | "sv" => None,
        _ => Some(DateOrder::DayFirst),
    }
}
