//! The dates of a feed's entries.

use jiff::tz::TimeZone;

use super::excerpt;
use crate::domain::time::Timestamp;
use crate::sources::dates::{DateContext, DateError, DateOrder, ReadDate, proven_order, read_date};

/// The dates of an entry, as the feed writes them.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceDates {
    /// The times of publication, the most usual element first.
    pub(super) published: Vec<String>,
    /// The time of the last change.
    pub(super) updated: Option<String>,
}

impl SourceDates {
    fn all(&self) -> impl Iterator<Item = &str> {
        self.published.iter().chain(&self.updated).map(String::as_str)
    }
}

/// The dates of an entry that could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReadDates {
    pub(super) published: Option<Timestamp>,
    pub(super) updated: Option<Timestamp>,
    /// If the date of publication cannot be read: the time before which it must have been, as far as that is known.
    pub(super) before: Option<Timestamp>,
    /// What the log says about them.
    pub(super) note: Option<String>,
}

/// What all dates of a feed together tell about each of them.
pub(super) struct EntryDates {
    order: Option<DateOrder>,
    language: Option<String>,
    zone: TimeZone,
}

impl EntryDates {
    /// Looks at all dates of a feed. A date that names no zone is in the zone of the others, if they all have the same, and
    /// in `zone` otherwise.
    pub(super) fn new<'a>(
        dates: impl Iterator<Item = &'a SourceDates> + Clone,
        language: Option<String>,
        zone: &TimeZone,
    ) -> Self {
        let order = proven_order(dates.clone().flat_map(SourceDates::all));
        let mut common = Self { order, language, zone: zone.clone() };
        let mut named =
            dates.flat_map(SourceDates::all).filter_map(|text| common.read_date(text, None).ok()?.zone);
        if let Some(first) = named.next()
            && named.all(|zone| zone == first)
        {
            drop(named);
            common.zone = first;
        }
        common
    }

    /// Returns the name of the zone of dates that name none.
    pub(super) fn zone_name(&self) -> Option<String> {
        self.zone.iana_name().map(str::to_owned)
    }

    fn read_date(&self, text: &str, language: Option<&str>) -> Result<ReadDate, DateError> {
        let language = language.or(self.language.as_deref());
        read_date(text, &DateContext { zone: &self.zone, order: self.order, language })
    }

    /// Reads the dates of an entry in that language. A date of publication that cannot be read is not replaced by the date of
    /// the last change, which may be much later.
    pub(super) fn read(&self, dates: &SourceDates, language: Option<&str>) -> ReadDates {
        let updated = dates.updated.as_deref().map(|text| (text, self.read_date(text, language)));
        let all = dates.published.iter().map(|text| (text.as_str(), self.read_date(text, language)));
        let all: Vec<_> = all.collect();
        let published = all.iter().find(|(_, date)| date.is_ok()).or(all.first()).cloned();
        let time = |date: &Option<(&str, Result<ReadDate, DateError>)>| {
            date.as_ref().and_then(|(_, date)| Some(date.as_ref().ok()?.at))
        };
        let changed = time(&updated);
        let used = published.or(updated);
        let published = time(&used);
        let before = match &used {
            Some((text, Err(_))) => year_named(text).map(end_of_year).into_iter().chain(changed).min(),
            _ => None,
        };
        let note = used.and_then(|(text, date)| match date {
            Err(error) => Some(format!("its date is \u{201c}{}\u{201d}: {error}", excerpt(text))),
            Ok(ReadDate { zone: None, has_time: true, .. }) => {
                let zone = self.zone_name().unwrap_or_else(|| "that of the other dates".to_owned());
                Some(format!(
                    "its date \u{201c}{}\u{201d} has no time zone; {zone} was assumed",
                    excerpt(text)
                ))
            }
            Ok(_) => None,
        });
        ReadDates {
            published,
            updated: changed.filter(|changed| published.is_some_and(|at| at != *changed)),
            before,
            note,
        }
    }
}

/// The year that a text names which cannot be read as a date, such as 'Sun, 31 Nov 2019'. Software that knows no date writes
/// the year 0 or 1.
fn year_named(text: &str) -> Option<i16> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 4);
    let mut years = numbers.filter_map(|number| number.parse::<i16>().ok());
    years.find(|year| (0..=2200).contains(year))
}

/// The end of a year, in the zone where it ends last.
fn end_of_year(year: i16) -> Timestamp {
    let next = jiff::civil::date(year.max(YEARS_BEFORE_ALL) + 1, 1, 1).at(12, 0, 0, 0);
    let end = next.to_zoned(TimeZone::UTC).map(|end| end.timestamp().as_millisecond());
    Timestamp::from_millis(end.unwrap_or_default())
}

/// No feed is as old as the end of this year.
const YEARS_BEFORE_ALL: i16 = 1970;
