//! The site-wide moderation policy, and the access that it gives to an actor.

use serde::{Deserialize, Serialize};

/// The moderation settings of the config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModerationPolicy {
    /// What happens to comments by people who were never approved.
    pub first_comments: FirstCommentPolicy,
    /// Whether the site federates only with domains that have the rule `allow`.
    pub allow_list: bool,
    /// Whether the critic must approve each follow.
    pub approve_followers: bool,
    /// Whether Articles and collections are served to signed requests only.
    pub authorized_fetch: bool,
}

/// What happens to comments by people who were never approved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstCommentPolicy {
    /// They are shown.
    #[default]
    Open,
    /// They are held until the critic approves their author.
    Held,
}
