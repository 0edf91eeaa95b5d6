//! The site-wide moderation policy, rules for whole domains, and the access that an actor has.

use super::named_enum::named_enum;
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

/// A moderation rule for a domain and its subdomains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DomainRule {
    /// Nothing is accepted from the domain, and nothing is sent to it.
    Block,
    /// People may follow, but their comments are held for the critic.
    Silence,
    /// The domain is allowed when the site is restricted to an allow list.
    Allow,
}

named_enum!(DomainRule, "rule", {
    Block => "block",
    Silence => "silence",
    Allow => "allow",
});

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

/// The domains whose rules apply to a host: the host itself and its parent domains, most specific first.
pub fn domain_and_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_applies_to_subdomains() {
        let all: Vec<&str> = domain_and_parents("a.b.example").collect();
        assert_eq!(all, ["a.b.example", "b.example", "example"]);
    }
    #[test]
    fn a_rule_is_read_as_it_was_written() {
        for rule in DomainRule::ALL {
            assert_eq!(rule.as_str().parse(), Ok(rule));
        }
        assert!("Block".parse::<DomainRule>().is_err());
    }
}
