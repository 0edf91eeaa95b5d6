//! Facts about a film that stand in credits without a label: year, country, running time, certificate.

use super::labels::{WordKind, is_word};
use crate::sources::dates::film_year;

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilmFact {
    /// The year, perhaps with a country.
    Year(i16),
    Country,
    RunningTime,
    Certificate,
}

/// Returns the fact that a text states, if it is one.
pub(super) fn parse_fact(text: &str) -> Option<FilmFact> {
    let text = text.trim().trim_end_matches(['.', ',', ';', ')']).trim_start_matches('(').trim();
    if text.is_empty() || text.chars().count() > 60 {
        return None;
    }
    if let Some(year) = parse_year(text) {
        return Some(FilmFact::Year(year));
    }
    if is_running_time(text) {
        return Some(FilmFact::RunningTime);
    }
    if is_certificate(text) {
        return Some(FilmFact::Certificate);
    }
    let mut year = None;
    let mut countries = 0;
    for part in text.split(['/', ',', '&', '–', '|', '・', '、']).flat_map(|part| part.split('-')) {
        let mut part = part.trim();
        if let Some(found) = part.rsplit([' ', '\u{3000}']).next().and_then(parse_year)
            && year.replace(found).is_none()
        {
            part = part.get(..part.len() - 4).unwrap_or_default().trim();
        }
        if !part.is_empty() {
            is_word(part, WordKind::Country).then_some(())?;
            countries += 1;
        }
    }
    match (year, countries) {
        (Some(year), 1..) => Some(FilmFact::Year(year)),
        (None, 1..) => Some(FilmFact::Country),
        _ => None,
    }
}

/// Parses a year, such as `1986` or `1986年`.
pub(super) fn parse_year(text: &str) -> Option<i16> {
    let whole = text.trim();
    let text = whole;
    let text =
        text.strip_suffix("製作").or_else(|| text.strip_suffix("制作")).or_else(|| text.strip_suffix("公開"));
    let text = text.unwrap_or(whole);
    let text = text.strip_suffix(['年', '년']).unwrap_or(text);
    let is_year = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    is_year.then(|| text.parse().ok()).flatten().and_then(film_year)
}

/// Returns the only year in a text such as `USA, 1986` or `1986 (restored)`.
pub(super) fn only_year(text: &str) -> Option<i16> {
    let mut years = text.split(|c: char| !c.is_ascii_digit()).filter_map(parse_year);
    let year = years.next()?;
    years.all(|other| other == year).then_some(year)
}

/// Whether a text is a running time, such as `98 min.`, `1h38` or `2 hours 15 minutes`.
fn is_running_time(text: &str) -> bool {
    const UNITS: [&str; 42] = [
        "min",
        "mins",
        "minute",
        "minutes",
        "minuten",
        "minuti",
        "minutos",
        "minuter",
        "minutter",
        "minut",
        "minuty",
        "m",
        "h",
        "hm",
        "hmin",
        "hmn",
        "mn",
        "hr",
        "hrs",
        "hrmin",
        "hrsmin",
        "hrsmins",
        "hrmins",
        "hminutes",
        "hour",
        "hours",
        "hoursminutes",
        "hourminutes",
        "hoursmin",
        "stundenminuten",
        "stdmin",
        "heureminutes",
        "heuresminutes",
        "oremin",
        "tmin",
        "timmin",
        "godzmin",
        "分",
        "時間分",
        "분",
        "시간분",
        "hours and minutes",
    ];
    let lower = text.to_lowercase();
    let unit: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let is_short = lower.chars().all(|c| c.is_alphanumeric() || " .:'\u{2019}\u{2032}ca~+".contains(c));
    let ends_with_prime = lower.ends_with(['\'', '\u{2019}', '\u{2032}']) && unit.is_empty();
    (1..=4).contains(&digits) && is_short && (UNITS.contains(&unit.as_str()) || ends_with_prime)
}

/// Whether a text is a certificate, such as `PG-13`, `FSK 12` or `Rated R`.
fn is_certificate(text: &str) -> bool {
    let upper = text.to_uppercase();
    let upper = upper.strip_prefix("RATED ").or_else(|| upper.strip_prefix("CERT ")).unwrap_or(&upper);
    let upper = upper.strip_suffix(" CERT").or_else(|| upper.strip_suffix(" CERTIFICATE")).unwrap_or(upper);
    let is_age = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    matches!(
        upper,
        "G" | "PG"
            | "PG-13"
            | "PG13"
            | "R"
            | "NC-17"
            | "NR"
            | "UNRATED"
            | "NOT RATED"
            | "U"
            | "12A"
            | "12"
            | "15"
            | "18"
            | "TV-MA"
            | "TV-14"
            | "TV-PG"
            | "M"
            | "MA15+"
            | "X"
    ) || upper.strip_prefix("FSK ").or_else(|| upper.strip_prefix("AB ")).is_some_and(is_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_recognized_without_a_label() {
        for (text, fact) in [
            ("1986", Some(FilmFact::Year(1986))),
            ("USA 2009", Some(FilmFact::Year(2009))),
            ("Frankreich/Belgien, 2023", Some(FilmFact::Year(2023))),
            ("Francia-Canadá", Some(FilmFact::Country)),
            ("98 min.", Some(FilmFact::RunningTime)),
            ("1h38", Some(FilmFact::RunningTime)),
            ("2h 15m", Some(FilmFact::RunningTime)),
            ("PG-13", Some(FilmFact::Certificate)),
            ("FSK 12", Some(FilmFact::Certificate)),
            ("15 cert", Some(FilmFact::Certificate)),
            ("2018年製作", Some(FilmFact::Year(2018))),
            ("Nora Ek", None),
            ("1492", None),
            ("", None),
        ] {
            assert_eq!(parse_fact(text), fact, "{text}");
        }
    }
}
