//! The site-wide settings that readers see.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use url::Url;

use super::looks::Looks;

/// The settings of the site.
#[derive(Debug, Clone)]
pub struct Site {
    /// The title.
    pub title: String,
    /// The language of reviews that do not declare one, as a BCP 47 tag.
    pub language: String,
    /// The time zone of the dates that are shown.
    pub timezone: TimeZone,
    /// The highest value of ratings that a Markdown file gives as bare numbers; `None` if such ratings are unclear.
    pub rating_scale: Option<u8>,
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
            rating_scale: None,
            source_url: None,
            security_contact: None,
            support: Vec::new(),
            looks: Looks::default(),
        }
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
