//! Renders dates and times.

use serde::Serialize;

use super::{Messages, Site};
use crate::domain::release_date::ReleaseDate;
use crate::domain::time::Timestamp;

/// A time in the site's time zone.
#[derive(Debug, Serialize)]
pub(super) struct DateView {
    /// For `<time datetime>`.
    iso: String,
    /// `8 October 2024`.
    day: String,
    /// `8 Oct`, below a heading with the year.
    short: String,
    /// `8 October 2024, 21:14`.
    exact: String,
    #[serde(skip)]
    pub(super) year: i16,
}

impl DateView {
    pub(super) fn new(site: &Site, moment: Timestamp) -> Self {
        let messages = &site.messages;
        let local = moment.to_jiff().to_zoned(site.about.timezone.clone());
        let day = format_date(messages, local.date());
        let time = local.strftime("%H:%M").to_string();
        let month = messages.get(&format!("month-short-{}", local.month()));
        let day_of_month = local.day().to_string();
        Self {
            iso: moment.to_string(),
            short: messages.format("date-in-year", [("day", day_of_month.into()), ("month", month.into())]),
            exact: messages.format("date-and-time", [("date", day.as_str().into()), ("time", time.into())]),
            day,
            year: local.year(),
        }
    }
}

/// A date of release, in no time zone.
#[derive(Debug, Serialize)]
pub(super) struct ReleaseDateView {
    iso: String,
    shown: String,
}

impl ReleaseDateView {
    pub(super) fn new(messages: &Messages, date: ReleaseDate) -> Self {
        let shown = match date {
            ReleaseDate::Year(year) => year.to_string(),
            ReleaseDate::Month(year, month) => format!("{} {year}", messages.get(&format!("month-{month}"))),
            ReleaseDate::Day(day) => format_date(messages, day),
        };
        Self { iso: date.to_string(), shown }
    }
}

/// Formats a date in the language of the site.
fn format_date(messages: &Messages, day: jiff::civil::Date) -> String {
    let month = messages.get(&format!("month-{}", day.month()));
    let (day_of_month, year) = (day.day().to_string(), day.year().to_string());
    messages.format("date", [("day", day_of_month.into()), ("month", month.into()), ("year", year.into())])
}
