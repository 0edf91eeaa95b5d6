//! The site, as its readers see it.

use jiff::tz::TimeZone;

/// What the whole site has one of.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its title.
    pub title: String,
    /// BCP 47 tag of the language of its reviews where they name none.
    pub language: String,
    /// The time zone that dates are shown in.
    pub timezone: TimeZone,
}
