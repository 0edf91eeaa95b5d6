//! Dates as people write them in a credits line.

use jiff::civil::Date;

/// As much of a date as a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A day.
    Day(Date),
    /// A month of a year, or a day of which nobody knows the month.
    Month(i16),
    /// Only a year.
    Year(i16),
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads a text that is a date and nothing else. `5/6/2024`, which has two meanings, is only its year.
pub(super) fn when(text: &str) -> Option<When> {
    let text = text.split('(').next()?.trim().trim_end_matches('.').trim();
    if text.is_empty() || text.chars().count() > 40 {
        return None;
    }
    if let Ok(date) = text.parse::<Date>() {
        return day(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    }
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    if let [a, b, c] = parts.as_slice()
        && let (Some(a), Some(b), Some(year)) = (digits(a), digits(b), digits(c))
        && year > 1000
    {
        return match (a, b) {
            (1..=12, 13..=31) => day(year, a, b),
            (13..=31, 1..=12) => day(year, b, a),
            (a, b) if a == b && a <= 12 => day(year, a, b),
            (1..=12, 1..=12) => film_year(year).map(When::Month),
            _ => None,
        };
    }
    let (mut month, mut of_month, mut year) = (None, None, None);
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()) {
        let lower = word.trim_end_matches('.').to_lowercase();
        let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|s| lower.strip_suffix(s)).and_then(digits);
        let number = digits(&lower).or(ordinal);
        let slot = match number {
            Some(n) if n > 31 && lower.len() == 4 => (&mut year, n),
            Some(n) if (1..=31).contains(&n) => (&mut of_month, n),
            Some(_) => return None,
            None if matches!(lower.as_str(), "of" | "the" | "on") || is_weekday(&lower) => continue,
            None => (&mut month, named_month(&lower)?),
        };
        if slot.0.replace(slot.1).is_some() {
            return None;
        }
    }
    match (year?, month, of_month) {
        (year, Some(month), Some(of_month)) => day(year, month, of_month),
        (year, Some(_), None) => film_year(year).map(When::Month),
        (year, None, None) => film_year(year).map(When::Year),
        _ => None,
    }
}

fn digits(text: &str) -> Option<i64> {
    let number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    number.then(|| text.parse().ok()).flatten()
}

fn named_month(word: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|m| {
        *m == word || (word.len() >= 3 && m.starts_with(word)) || (word == "sept" && *m == "september")
    });
    i64::try_from(at? + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        .iter()
        .any(|day| *day == word || (word.len() >= 3 && day.starts_with(word)))
}

/// Films have been shown since 1888.
pub(super) fn film_year(year: i64) -> Option<i16> {
    i16::try_from(year).ok().filter(|y| (1888..=2100).contains(y))
}

fn day(year: i64, month: i64, of_month: i64) -> Option<When> {
    let month = i8::try_from(month).ok()?;
    let of_month = i8::try_from(of_month).ok()?;
    Date::new(film_year(year)?, month, of_month).ok().map(When::Day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_are_read_in_their_many_forms() {
        for text in [
            "October 8th, 2024",
            "8 October 2024",
            "Oct. 8, 2024",
            "8th of October, 2024",
            "2024-10-08",
            "Tuesday, October 8, 2024",
            "October 8 2024 (USA)",
        ] {
            assert_eq!(when(text), Some(When::Day(date(2024, 10, 8))), "{text}");
        }
        assert_eq!(when("10/25/2024"), Some(When::Day(date(2024, 10, 25))));
        assert_eq!(when("25.10.2024"), Some(When::Day(date(2024, 10, 25))));
    }

    #[test]
    fn what_is_not_certain_is_not_read() {
        assert_eq!(when("5/6/2024"), Some(When::Month(2024)));
        assert_eq!(when("October 2024"), Some(When::Month(2024)));
        assert_eq!(when("1979"), Some(When::Year(1979)));
        for text in [
            "",
            "soon",
            "October 8",
            "February 30, 2024",
            "in 1979 to little fanfare",
            "12",
            "8 8 2024",
            "99/99/2024",
        ] {
            assert_eq!(when(text), None, "{text}");
        }
    }
}
