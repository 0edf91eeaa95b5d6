//! The access of actors to this site, which follows from the rules for their server and the moderation policy.

use super::domain_rules::DomainRule;
use super::moderation_policy::ModerationPolicy;

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
