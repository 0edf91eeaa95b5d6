//! The site-wide settings that readers see.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;

use super::looks::Looks;
use super::time::Timestamp;

/// The settings of the site.
#[derive(Debug, Clone)]
pub struct Site {
    /// The title.
    pub title: String,
    /// The language of reviews that do not declare one, as a BCP 47 tag.
    pub language: String,
    /// The time zone of the dates that are shown.
    pub timezone: TimeZone,
    /// Where readers get the source code of the running version (AGPL-3.0, section 13).
    pub source_url: Option<Url>,
    /// The contact for security reports (RFC 9116).
    pub security_contact: Option<Url>,
    /// Links with which readers can support the critics.
    pub support: Vec<SupportLink>,
    /// The customized appearance.
    pub looks: Looks,
}

impl Site {
    /// A site with the built-in appearance and no optional settings.
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

    /// Returns the year of a timestamp in the site's time zone.
    pub fn local_year(&self, moment: Timestamp) -> i16 {
        moment.to_jiff().to_zoned(self.timezone.clone()).year()
    }

    /// Returns the first and last timestamp of a year in the site's time zone, or `None` for a year outside 1 to
    /// 9998.
    pub fn year_bounds(&self, year: i16) -> Option<(Timestamp, Timestamp)> {
        let new_year = |year: i16| {
            let day = jiff::civil::Date::new(year, 1, 1).ok()?.to_zoned(self.timezone.clone()).ok()?;
            Some(Timestamp::from_millis(day.timestamp().as_millisecond()))
        };
        let first = new_year(year).filter(|_| (1..=9998).contains(&year))?;
        Some((first, new_year(year + 1)? - Duration::from_millis(1)))
    }
}

/// A link with which readers can support a critic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportLink {
    /// The kind of support.
    pub kind: SupportKind,
    /// The target.
    pub url: Url,
    /// The label, if it differs from that of the kind.
    #[serde(default)]
    pub name: Option<String>,
    /// The handle of the critic whom it supports; `None` for all critics.
    #[serde(default)]
    pub critic: Option<String>,
}

/// The kind of a support link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SupportKind {
    /// A one-time payment.
    Tip,
    /// A monthly payment.
    Pledge,
    /// A subscription elsewhere, such as a newsletter.
    Subscribe,
    /// A podcast.
    Podcast,
    /// Anything else. It needs a name.
    Other,
}

impl SupportKind {
    /// The id of its Fluent message.
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
    fn a_year_begins_in_the_time_zone_of_the_site() {
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
