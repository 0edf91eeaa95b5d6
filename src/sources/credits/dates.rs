//! Parses dates as people write them in credits.

use jiff::civil::Date;

/// A date, or the parts of it that are certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartialDate {
    /// A complete date.
    Day(Date),
    /// The year of a month, or of a day whose month is ambiguous.
    Month(i16),
    /// A year.
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

/// Parses a text that consists of a date. An ambiguous date such as `5/6/2024` yields only its year.
pub(super) fn parse_date(text: &str) -> Option<PartialDate> {
    let text = text.split('(').next()?.trim().trim_end_matches('.').trim();
    if text.is_empty() || text.chars().count() > 40 {
        return None;
    }
    if let Ok(date) = text.parse::<Date>() {
        return full_date(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    }
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    if let [a, b, c] = parts.as_slice()
        && let (Some(a), Some(b), Some(year)) = (parse_digits(a), parse_digits(b), parse_digits(c))
        && year > 1000
    {
        return match (a, b) {
            (1..=12, 13..=31) => full_date(year, a, b),
            (13..=31, 1..=12) => full_date(year, b, a),
            (a, b) if a == b && a <= 12 => full_date(year, a, b),
            (1..=12, 1..=12) => film_year(year).map(PartialDate::Month),
            _ => None,
        };
    }
    let (mut month, mut day, mut year) = (None, None, None);
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()) {
        let lower = word.trim_end_matches('.').to_lowercase();
        let ordinal =
            ["st", "nd", "rd", "th"].iter().find_map(|s| lower.strip_suffix(s)).and_then(parse_digits);
        let number = parse_digits(&lower).or(ordinal);
        let (field, value) = match number {
            Some(n) if n > 31 && lower.len() == 4 => (&mut year, n),
            Some(n) if (1..=31).contains(&n) => (&mut day, n),
            Some(_) => return None,
            None if matches!(lower.as_str(), "of" | "the" | "on") || is_weekday(&lower) => continue,
            None => (&mut month, month_number(&lower)?),
        };
        if field.replace(value).is_some() {
            return None;
        }
    }
    match (year?, month, day) {
        (year, Some(month), Some(day)) => full_date(year, month, day),
        (year, Some(_), None) => film_year(year).map(PartialDate::Month),
        (year, None, None) => film_year(year).map(PartialDate::Year),
        _ => None,
    }
}

fn parse_digits(text: &str) -> Option<i64> {
    let number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    number.then(|| text.parse().ok()).flatten()
}

fn month_number(word: &str) -> Option<i64> {
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

/// Returns the year if a film may have been made in it. The first film is from 1888.
pub(super) fn film_year(year: i64) -> Option<i16> {
    i16::try_from(year).ok().filter(|y| (1888..=2100).contains(y))
}

fn full_date(year: i64, month: i64, day: i64) -> Option<PartialDate> {
    let month = i8::try_from(month).ok()?;
    let day = i8::try_from(day).ok()?;
    Date::new(film_year(year)?, month, day).ok().map(PartialDate::Day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn complete_dates_are_parsed_in_all_common_forms() {
        for text in [
            "October 8th, 2024",
            "8 October 2024",
            "Oct. 8, 2024",
            "8th of October, 2024",
            "2024-10-08",
            "Tuesday, October 8, 2024",
            "October 8 2024 (USA)",
        ] {
            assert_eq!(parse_date(text), Some(PartialDate::Day(date(2024, 10, 8))), "{text}");
        }
        assert_eq!(parse_date("10/25/2024"), Some(PartialDate::Day(date(2024, 10, 25))));
        assert_eq!(parse_date("25.10.2024"), Some(PartialDate::Day(date(2024, 10, 25))));
    }

    #[test]
    fn ambiguous_parts_of_a_date_are_dropped() {
        assert_eq!(parse_date("5/6/2024"), Some(PartialDate::Month(2024)));
        assert_eq!(parse_date("October 2024"), Some(PartialDate::Month(2024)));
        assert_eq!(parse_date("1979"), Some(PartialDate::Year(1979)));
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
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
