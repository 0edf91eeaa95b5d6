//! Critics: the local actors who publish reviews.

use serde::{Deserialize, Serialize};
use url::Url;

use super::id::CriticId;
use super::time::Timestamp;

/// The profile of a critic, as the config file declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriticProfile {
    /// The user part of `@handle@domain`: at most 30 ASCII letters, digits and underscores.
    pub handle: String,
    /// The display name.
    pub name: String,
    /// A biography in plain text. An empty line starts a new paragraph.
    #[serde(default)]
    pub summary: String,
    /// The avatar: an https URL, or a path relative to the config file.
    #[serde(default)]
    pub avatar: Option<String>,
    /// Links to the critic's other sites and accounts, shown with `rel=me`.
    #[serde(default)]
    pub links: Vec<ProfileLink>,
    /// Actor ids of earlier accounts whose followers may move here.
    #[serde(default)]
    pub also_known_as: Vec<Url>,
    /// Other domains whose pages may name the critic as their author (`fediverse:creator`).
    #[serde(default)]
    pub attribution_domains: Vec<String>,
    /// Whether others see the number of followers only, not the list.
    #[serde(default)]
    pub hide_followers: bool,
}

/// A link on a critic's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileLink {
    /// The link's label.
    pub name: String,
    /// The target.
    pub url: Url,
}

/// A critic as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Critic {
    /// The id, which is also part of the actor's id.
    pub id: CriticId,
    /// The profile.
    pub profile: CriticProfile,
    /// The avatar's name under `/media/` and its media type, once the file is in the media folder.
    pub avatar: Option<(String, String)>,
    /// The account on another server that the critic moved to.
    pub moved_to: Option<Url>,
    /// When the critic was added.
    pub created_at: Timestamp,
}

/// Whether every fediverse server accepts the text as the user part of a handle.
pub fn is_valid_handle(text: &str) -> bool {
    !text.is_empty() && text.len() <= 30 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
