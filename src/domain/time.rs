//! Moments. Stored and compared as milliseconds since the Unix epoch, written as RFC 3339.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z, the last moment that can be written in every time zone.
const LAST_MILLIS: i64 = 253_402_207_200_000;

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch, clamped to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > LAST_MILLIS {
            Self(LAST_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The second in which it lies, from its beginning: signed dates have no parts of one.
    #[must_use]
    pub const fn truncate_to_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1000))
    }

    /// Reads RFC 3339, with any offset. None for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.trim().parse::<jiff::Timestamp>().ok().map(|t| Self::from_millis(t.as_millisecond()))
    }

    /// Reads an HTTP date (RFC 9110 section 5.6.7). None for anything else.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text.trim()).ok()?;
        Some(Self::from_millis(zoned.timestamp().as_millisecond()))
    }

    /// As jiff knows it, for calendar arithmetic in a time zone.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The HTTP date form (RFC 9110 section 5.6.7), always in GMT.
    pub fn to_http_date(self) -> String {
        self.to_jiff().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC, to the second: the form that ActivityStreams (section 2.3) asks for.
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

/// Tells the time. Handed to whoever needs it, so that a test can move it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// This moment.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_forms_of_the_wire() {
        let moment = Timestamp::parse_rfc3339("2026-09-01T11:00:00.250+02:00").unwrap();
        assert_eq!(moment.to_string(), "2026-09-01T09:00:00Z");
        assert_eq!(moment.to_http_date(), "Tue, 01 Sep 2026 09:00:00 GMT");
        let read = Timestamp::parse_http_date("Tue, 01 Sep 2026 09:00:00 GMT").unwrap();
        assert_eq!(read.to_string(), moment.to_string());
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn stays_within_the_years_that_can_be_written() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!((Timestamp::from_millis(5) - Duration::from_secs(1)).millis(), 0);
    }
}
