//! The site, as its readers see it.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;

use super::looks::Looks;
use super::time::Timestamp;

/// What the whole site has one of.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its title.
    pub title: String,
    /// BCP 47 tag of the language of its reviews where they name none.
    pub language: String,
    /// The time zone that dates are shown in.
    pub timezone: TimeZone,
    /// Where its readers get the source of what serves it (AGPL-3.0, section 13).
    pub source_url: Option<Url>,
    /// Where whoever finds a hole in it writes to (RFC 9116).
    pub security_contact: Option<Url>,
    /// How its readers can support its critics.
    pub support: Vec<SupportLink>,
    /// How it looks.
    pub looks: Looks,
}

impl Site {
    /// A site that looks as it comes.
    pub fn new(title: impl Into<String>, language: impl Into<String>, timezone: TimeZone) -> Self {
        Self {
            title: title.into(),
            language: language.into(),
            timezone,
            source_url: None,
            security_contact: None,
            support: Vec::new(),
            looks: Looks::default(),
        }
    }

    /// The year of a moment.
    pub fn local_year(&self, moment: Timestamp) -> i16 {
        moment.to_jiff().to_zoned(self.timezone.clone()).year()
    }

    /// The first and the last moment of a year; none where it is no year that can be written.
    pub fn year_bounds(&self, year: i16) -> Option<(Timestamp, Timestamp)> {
        let new_year = |year: i16| {
            let day = jiff::civil::Date::new(year, 1, 1).ok()?.to_zoned(self.timezone.clone()).ok()?;
            Some(Timestamp::from_millis(day.timestamp().as_millisecond()))
        };
        let first = new_year(year).filter(|_| (1..=9998).contains(&year))?;
        Some((first, new_year(year + 1)? - Duration::from_millis(1)))
    }
}

/// A way to support a critic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportLink {
    /// What it is.
    pub kind: SupportKind,
    /// Where it leads.
    pub url: Url,
    /// What it is called, where not by its kind.
    #[serde(default)]
    pub name: Option<String>,
    /// The handle of the critic whom it is for; none: all of the site.
    #[serde(default)]
    pub critic: Option<String>,
}

/// What a way to support a critic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SupportKind {
    /// Money, once.
    Tip,
    /// Money, every month.
    Pledge,
    /// Reading elsewhere, too, by letter for one.
    Subscribe,
    /// Listening.
    Podcast,
    /// Something else, which needs a name.
    Other,
}

impl SupportKind {
    /// The key of its words.
    pub const fn message_id(self) -> &'static str {
        match self {
            Self::Tip => "support-tip",
            Self::Pledge => "support-pledge",
            Self::Subscribe => "support-subscribe",
            Self::Podcast => "support-podcast",
            Self::Other => "support-other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_begins_where_the_site_is() {
        let timezone = TimeZone::get("Europe/Vienna").unwrap();
        let site = Site::new("Night Seats", "en", timezone);
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        let (first, last) = site.year_bounds(2024).unwrap();
        assert_eq!((first, last), (at("2024-01-01T00:00:00+01:00"), at("2024-12-31T23:59:59.999+01:00")));
        assert_eq!((site.local_year(first), site.local_year(last)), (2024, 2024));
        assert_eq!(site.local_year(at("2023-12-31T23:30:00Z")), 2024);
        assert_eq!(
            (site.year_bounds(0), site.year_bounds(-5), site.year_bounds(9999), site.year_bounds(i16::MAX)),
            (None, None, None, None)
        );
    }
}
