//! A critic: the local actor that everything hangs off.

use serde::{Deserialize, Serialize};
use url::Url;

use super::id::CriticId;
use super::time::Timestamp;

/// What is told about a critic, by the config file or the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticProfile {
    /// The user part of `@handle@domain`: ASCII letters, digits, `_`, at most 30.
    pub handle: String,
    /// The name shown.
    pub name: String,
    /// About the critic, plain text; an empty line starts a new paragraph.
    #[serde(default)]
    pub summary: String,
    /// A picture: an https URL, or a file beside the config.
    #[serde(default)]
    pub avatar: Option<String>,
    /// Other places where the critic is found, shown with `rel=me`.
    #[serde(default)]
    pub links: Vec<ProfileLink>,
    /// Actor ids of earlier accounts whose followers may move here.
    #[serde(default)]
    pub also_known_as: Vec<Url>,
    /// Further domains on whose pages the critic is named as the author (`fediverse:creator`).
    #[serde(default)]
    pub attribution_domains: Vec<String>,
    /// Whether others may only see how many follow, and not who.
    #[serde(default)]
    pub hide_followers: bool,
}

/// A named link on a critic's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileLink {
    /// What the link is called.
    pub name: String,
    /// Where it leads.
    pub url: Url,
}

/// A critic as we keep one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Critic {
    /// The id, also of the actor.
    pub id: CriticId,
    /// What is told about the critic.
    pub profile: CriticProfile,
    /// The avatar's name under `/media/`, and its media type, once it is in our media folder.
    pub avatar: Option<(String, String)>,
    /// The account elsewhere that the critic moved to.
    pub moved_to: Option<Url>,
    /// Since when the critic is here.
    pub created_at: Timestamp,
}

/// Whether the text can be a handle that every fediverse server accepts.
pub fn is_valid_handle(text: &str) -> bool {
    !text.is_empty() && text.len() <= 30 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
