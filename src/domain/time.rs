//! Timestamps, stored and compared as milliseconds since the Unix epoch and written as RFC 3339, and the
//! clock that provides them.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z, the last timestamp that can be written in every time zone.
const MAX_MILLIS: i64 = 253_402_207_200_000;

impl Timestamp {
    /// The timestamp `millis` milliseconds after the epoch, clamped to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > MAX_MILLIS {
            Self(MAX_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Rounds down to the second, since signed dates have no fractions.
    #[must_use]
    pub const fn truncate_to_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1000))
    }

    /// Parses RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.trim().parse::<jiff::Timestamp>().ok().map(|t| Self::from_millis(t.as_millisecond()))
    }

    /// Parses an HTTP date (RFC 9110 section 5.6.7).
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text.trim()).ok()?;
        Some(Self::from_millis(zoned.timestamp().as_millisecond()))
    }

    /// Converts to jiff's type, for calendar arithmetic in a time zone.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Formats as an HTTP date (RFC 9110 section 5.6.7), always in GMT.
    pub fn to_http_date(self) -> String {
        self.to_jiff().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Returns the time since `earlier`, or zero if `earlier` is later.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Formats as RFC 3339 in UTC with whole seconds, as ActivityStreams (section 2.3) requires.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A source of the current time. It is passed in rather than global, so that tests can set it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_formats_rfc_3339_and_http_dates() {
        let moment = Timestamp::parse_rfc3339("2026-09-01T11:00:00.250+02:00").unwrap();
        assert_eq!(moment.to_string(), "2026-09-01T09:00:00Z");
        assert_eq!(moment.to_http_date(), "Tue, 01 Sep 2026 09:00:00 GMT");
        let read = Timestamp::parse_http_date("Tue, 01 Sep 2026 09:00:00 GMT").unwrap();
        assert_eq!(read.to_string(), moment.to_string());
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn timestamps_are_clamped_to_representable_years() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!((Timestamp::from_millis(5) - Duration::from_secs(1)).millis(), 0);
    }
}
