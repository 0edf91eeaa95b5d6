//! Who may do what here, as far as the whole site decides it.

use serde::{Deserialize, Serialize};

/// What the config decides for everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModerationPolicy {
    /// What becomes of the comment of somebody who was never let through.
    pub first_comments: FirstCommentPolicy,
    /// Whether only servers that are named with `allow` are spoken with.
    pub allow_list: bool,
    /// Whether a Follow waits for the critic's yes.
    pub approve_followers: bool,
    /// Whether Articles and collections are served only to requests that are signed.
    pub authorized_fetch: bool,
}

impl ModerationPolicy {
    /// How everyone of a server stands whose nearest rule this is.
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

/// What becomes of the comment of somebody who was never let through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstCommentPolicy {
    /// It is shown.
    #[default]
    Open,
    /// It waits until the critic lets its author through.
    Held,
}

/// What is decided about a whole server and its subdomains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DomainRule {
    /// Nothing is taken from it and nothing sent to it.
    Block,
    /// Its people may follow; what they write waits for the critic.
    Silence,
    /// It is spoken with where only named servers are.
    Allow,
}

impl DomainRule {
    /// The name under which it is stored and listed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Silence => "silence",
            Self::Allow => "allow",
        }
    }

    /// What [`DomainRule::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Block, Self::Silence, Self::Allow].into_iter().find(|rule| rule.as_str() == text)
    }
}

/// How an actor stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLevel {
    /// Nothing is taken from it: it, or its server, is blocked, or its server is not on the list.
    Blocked,
    /// What it writes waits for the critic.
    Silenced,
    /// Like anyone.
    Open,
}

/// The domains whose rules hold for a host: itself and those that it is under, the nearest first.
pub fn domain_and_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_for_what_is_under_its_domain() {
        let all: Vec<&str> = domain_and_parents("a.b.example").collect();
        assert_eq!(all, ["a.b.example", "b.example", "example"]);
    }

    #[test]
    fn a_rule_is_read_as_it_was_written() {
        for rule in [DomainRule::Block, DomainRule::Silence, DomainRule::Allow] {
            assert_eq!(DomainRule::parse(rule.as_str()), Some(rule));
        }
        assert_eq!(DomainRule::parse("Block"), None);
    }
}
