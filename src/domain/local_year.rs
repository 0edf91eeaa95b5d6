//! Years in the time zone of the site.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::time::Timestamp;

/// Returns the year of a timestamp in a time zone.
pub fn local_year(moment: Timestamp, zone: &TimeZone) -> i16 {
    moment.to_jiff().to_zoned(zone.clone()).year()
}

/// Returns the first and last timestamp of a year in a time zone, or `None` for a year outside 1970 to 9998:
/// a timestamp is never earlier.
pub fn year_bounds(year: i16, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let new_year = |year: i16| {
        let day = jiff::civil::Date::new(year, 1, 1).ok()?.to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_millis(day.timestamp().as_millisecond()))
    };
    let first = new_year(year).filter(|_| (1970..=9998).contains(&year))?;
    Some((first, new_year(year + 1)? - Duration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_begins_in_the_time_zone_of_the_site() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        let (first, last) = year_bounds(2024, &vienna).unwrap();
        assert_eq!((first, last), (at("2024-01-01T00:00:00+01:00"), at("2024-12-31T23:59:59.999+01:00")));
        assert_eq!((local_year(first, &vienna), local_year(last, &vienna)), (2024, 2024));
        assert_eq!(local_year(at("2023-12-31T23:30:00Z"), &vienna), 2024);
        assert_eq!([0, -5, 1969, 9999, i16::MAX].map(|year| year_bounds(year, &vienna)), [None; 5]);
    }
}
