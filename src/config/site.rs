//! The config sections `site`, `looks` and `support`.

use std::path::Path;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use crate::domain::critic::CriticProfile;
use crate::domain::looks::{FontStack, Looks, MetaTag, Palette};
use crate::domain::site::{Site, SupportKind, SupportLink};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSite {
    title: String,
    language: String,
    timezone: String,
    source_url: Option<String>,
    security_contact: Option<String>,
}

impl Default for RawSite {
    fn default() -> Self {
        Self {
            title: "Marquee".to_owned(),
            language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            source_url: None,
            security_contact: None,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLooks {
    folder: Option<String>,
    serif: Option<FontStack>,
    sans: Option<FontStack>,
    light: Palette,
    dark: Palette,
    meta: Vec<MetaTag>,
}

pub(super) fn check_site(
    raw: RawSite,
    looks: RawLooks,
    support: Vec<SupportLink>,
    critics: &[CriticProfile],
    folder: &Path,
) -> Result<Site, ConfigError> {
    if raw.title.trim().is_empty() {
        return Err(ConfigError::new("site.title", "must not be empty"));
    }
    let timezone = TimeZone::get(&raw.timezone)
        .map_err(|_| ConfigError::new("site.timezone", "must be a time zone such as Europe/Berlin or UTC"))?;
    let source_url = raw.source_url.map(|text| check_web_url("site.source_url", &text)).transpose()?;
    let security_contact = raw.security_contact.map(|text| check_contact(&text)).transpose()?;
    Ok(Site {
        source_url,
        security_contact,
        support: check_support(support, critics)?,
        looks: check_looks(looks, folder)?,
        ..Site::new(raw.title, raw.language, timezone)
    })
}

fn check_web_url(key: &str, text: &str) -> Result<Url, ConfigError> {
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

fn check_support(
    support: Vec<SupportLink>,
    critics: &[CriticProfile],
) -> Result<Vec<SupportLink>, ConfigError> {
    for (index, link) in support.iter().enumerate() {
        let key = |name: &str| format!("support.{index}.{name}");
        check_web_url(&key("url"), link.url.as_str())?;
        if link.kind == SupportKind::Other && link.name.as_ref().is_none_or(|name| name.trim().is_empty()) {
            return Err(ConfigError::new(key("name"), "must be set if the kind is \"other\""));
        }
        if let Some(handle) = &link.critic
            && !critics.iter().any(|critic| critic.handle == *handle)
        {
            return Err(ConfigError::new(key("critic"), format!("no critic has the handle {handle:?}")));
        }
    }
    Ok(support)
}

fn check_looks(raw: RawLooks, folder: &Path) -> Result<Looks, ConfigError> {
    let own = raw.folder.as_ref().map(|path| folder.join(path));
    if let Some(path) = own.as_ref().filter(|path| !path.is_dir()) {
        return Err(ConfigError::new("looks.folder", format!("no such folder: {}", path.display())));
    }
    for (index, meta) in raw.meta.iter().enumerate() {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if meta.name.is_empty() || !meta.name.chars().all(fits) {
            let problem = format!("{:?} must be a name such as google-site-verification", meta.name);
            return Err(ConfigError::new(format!("looks.meta.{index}.name"), problem));
        }
    }
    let RawLooks { light, dark, serif, sans, meta, .. } = raw;
    Ok(Looks { folder: own, light, dark, serif, sans, meta })
}
