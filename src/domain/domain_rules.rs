//! Moderation rules for domains. A rule applies to a domain and its subdomains. Of several rules the most specific one
//! counts: an allowed subdomain of a blocked domain has access.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::named_enum::named_enum;

/// The most labels of a domain that are looked up. No rule is about a longer name.
pub const MAX_LABELS: usize = 16;

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

/// The domains whose rules apply to a host: the host itself and its parent domains, most specific first.
pub fn domain_and_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, above)| above))
}

/// The domains that are looked up for a host, most specific first, followed by empty names. Of a very long name only the
/// end counts: the owner of a domain can put any number of labels before it.
pub fn rule_domains(host: &str) -> [&str; MAX_LABELS] {
    let labels = domain_and_parents(host).count();
    let mut domains = domain_and_parents(host).skip(labels.saturating_sub(MAX_LABELS));
    std::array::from_fn(|_| domains.next().unwrap_or_default())
}

/// The rules of some domains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainRules(HashMap<String, DomainRule>);

impl DomainRules {
    /// The most specific rule that applies to a host, and its domain.
    #[must_use]
    pub fn nearest(&self, host: &str) -> Option<(&str, DomainRule)> {
        rule_domains(host).into_iter().find_map(|domain| {
            let (domain, rule) = self.0.get_key_value(domain)?;
            Some((domain.as_str(), *rule))
        })
    }
}

impl Extend<(String, DomainRule)> for DomainRules {
    fn extend<I: IntoIterator<Item = (String, DomainRule)>>(&mut self, rules: I) {
        self.0.extend(rules);
    }
}

impl FromIterator<(String, DomainRule)> for DomainRules {
    fn from_iter<I: IntoIterator<Item = (String, DomainRule)>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
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
    fn the_most_specific_rule_counts() {
        let named = |(domain, rule): (&str, DomainRule)| (domain.to_owned(), rule);
        let rules: DomainRules = [("example", DomainRule::Block), ("b.example", DomainRule::Allow)]
            .map(named)
            .into_iter()
            .collect();
        assert_eq!(rules.nearest("a.b.example"), Some(("b.example", DomainRule::Allow)));
        assert_eq!(rules.nearest("c.example"), Some(("example", DomainRule::Block)));
        assert_eq!(rules.nearest("another.test"), None);
        let long = format!("{}b.example", "x.".repeat(100));
        assert_eq!(rules.nearest(&long), Some(("b.example", DomainRule::Allow)));
    }

    #[test]
    fn a_rule_parses_to_the_variant_with_its_name() {
        for rule in DomainRule::ALL {
            assert_eq!(rule.as_str().parse(), Ok(rule));
        }
        assert!("Block".parse::<DomainRule>().is_err());
    }
}
