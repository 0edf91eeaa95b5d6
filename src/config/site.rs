//! The config section `site`: title, language, time zone and contacts.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use crate::domain::looks::Looks;
use crate::domain::site::{Site, SupportLink};

/// The scales that ratings in points may have.
const RATING_SCALES: [u8; 6] = [4, 5, 6, 10, 20, 100];

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    title: String,
    language: String,
    timezone: String,
    rating_scale: Option<u8>,
    source_url: Option<String>,
    security_contact: Option<String>,
}

impl Default for RawSite {
    fn default() -> Self {
        Self {
            title: "Marquee".to_owned(),
            language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            rating_scale: None,
            source_url: None,
            security_contact: None,
        }
    }
}

pub(super) fn check_site(raw: RawSite, looks: Looks, support: Vec<SupportLink>) -> Result<Site, ConfigError> {
    if raw.title.trim().is_empty() {
        return Err(ConfigError::new("site.title", "must not be empty"));
    }
    let timezone = TimeZone::get(&raw.timezone)
        .map_err(|_| ConfigError::new("site.timezone", "must be a time zone such as Europe/Berlin or UTC"))?;
    if raw.rating_scale.is_some_and(|scale| !RATING_SCALES.contains(&scale)) {
        return Err(ConfigError::new("site.rating_scale", "must be 4, 5, 6, 10, 20 or 100"));
    }
    let source_url = raw.source_url.map(|text| check_web_url("site.source_url", &text)).transpose()?;
    let security_contact = raw.security_contact.map(|text| check_contact(&text)).transpose()?;
    Ok(Site {
        rating_scale: raw.rating_scale,
        source_url,
        security_contact,
        support,
        looks,
        ..Site::new(raw.title, raw.language, timezone)
    })
}

pub(super) fn check_web_url(key: &str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.ok_or_else(|| ConfigError::new(key, format!("{text:?} must be a URL such as https://example.org/")))
}

fn check_contact(text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "mailto" | "tel"));
    url.ok_or_else(|| {
        let problem = format!(
            "{text:?} must be a URL such as mailto:security@example.org or https://example.org/contact"
        );
        ConfigError::new("site.security_contact", problem)
    })
}
