//! The site-wide moderation policy, and the access that it gives to an actor.

use serde::{Deserialize, Serialize};

use super::domain_rules::DomainRule;

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

impl ModerationPolicy {
    /// Returns the access of all actors of a server, given the most specific rule that applies to it.
    #[must_use]
    pub const fn access_level(&self, nearest: Option<DomainRule>) -> AccessLevel {
        match nearest {
            Some(DomainRule::Block) => AccessLevel::Blocked,
            Some(DomainRule::Allow) => AccessLevel::Open,
            _ if self.allow_list => AccessLevel::Blocked,
            Some(DomainRule::Silence) => AccessLevel::Silenced,
            None => AccessLevel::Open,
        }
    }
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

/// The access that an actor has to this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLevel {
    /// Nothing is accepted: the actor or its server is blocked, or the server is not on the allow list.
    Blocked,
    /// Comments are held for the critic.
    Silenced,
    /// No restrictions.
    Open,
}
