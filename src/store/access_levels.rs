//! The access that actors and hosts have: whether an actor is blocked, and the most specific rule about its server.

use std::collections::{BTreeSet, HashSet};

use super::bulk_statement::BulkStatement;
use super::{Db, Result, Tx, with_db, with_tx};
use crate::domain::access_level::AccessLevel;
use crate::domain::domain_rules::{DomainRule, DomainRules, rule_domains};
use crate::domain::moderation_policy::ModerationPolicy;

/// Selects an actor if it is blocked.
const SELECT_BLOCKED: &str = "select actor from blocked_actors where actor = $1";

/// Selects the rules about the domains of a host.
const SELECT_HOST_RULES: &str = "select host, rule from domain_rules
    where host in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// The access level of an actor. The most specific rule about its server counts: an allowed subdomain of a blocked
/// domain has access.
pub async fn for_actor(db: &Db, actor: &url::Url, policy: &ModerationPolicy) -> Result<AccessLevel> {
    let blocked: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(SELECT_BLOCKED).bind(actor.as_str()).fetch_optional(c).await)?;
    if blocked.is_some() {
        return Ok(AccessLevel::Blocked);
    }
    for_host(db, actor.host_str().unwrap_or_default(), policy).await
}

/// The same inside a transaction, which sees decisions that were made meanwhile.
pub async fn for_actor_in_tx(
    tx: &mut Tx,
    actor: &url::Url,
    policy: &ModerationPolicy,
) -> Result<AccessLevel> {
    let blocked: Option<String> =
        with_tx!(tx, |c| sqlx::query_scalar(SELECT_BLOCKED).bind(actor.as_str()).fetch_optional(c).await)?;
    if blocked.is_some() {
        return Ok(AccessLevel::Blocked);
    }
    let host = actor.host_str().unwrap_or_default();
    let rules: Vec<(String, DomainRule)> = with_tx!(tx, |c| {
        let query = sqlx::query_as(SELECT_HOST_RULES);
        rule_domains(host).into_iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(c).await
    })?;
    Ok(host_level(&rules.into_iter().collect(), host, policy))
}

/// The access level of all actors of a host.
pub async fn for_host(db: &Db, host: &str, policy: &ModerationPolicy) -> Result<AccessLevel> {
    let rules: Vec<(String, DomainRule)> = with_db!(db, |c| {
        let query = sqlx::query_as(SELECT_HOST_RULES);
        rule_domains(host).into_iter().fold(query, sqlx::query::QueryAs::bind).fetch_all(c).await
    })?;
    Ok(host_level(&rules.into_iter().collect(), host, policy))
}

fn host_level(rules: &DomainRules, host: &str, policy: &ModerationPolicy) -> AccessLevel {
    policy.access_level(rules.nearest(host).map(|(_, rule)| rule))
}

/// Selects the actors that are blocked.
static SELECT_BLOCKED_ACTORS: BulkStatement =
    BulkStatement::new("select actor from blocked_actors where actor in (values", "(#1)", 1, ")");

/// Selects the rules about these domains.
static SELECT_RULES: BulkStatement =
    BulkStatement::new("select host, rule from domain_rules where host in (values", "(#1)", 1, ")");

/// The access levels of several actors and hosts at one time.
#[derive(Debug)]
pub struct AccessLevels {
    blocked: HashSet<String>,
    rules: DomainRules,
}

impl AccessLevels {
    /// The access level of an actor, which must be one of those that were loaded.
    pub fn for_actor(&self, actor: &url::Url, policy: &ModerationPolicy) -> AccessLevel {
        if self.blocked.contains(actor.as_str()) {
            return AccessLevel::Blocked;
        }
        self.for_host(actor.host_str().unwrap_or_default(), policy)
    }

    /// The access level of a host, which must be one of those that were loaded.
    pub fn for_host(&self, host: &str, policy: &ModerationPolicy) -> AccessLevel {
        host_level(&self.rules, host, policy)
    }
}

/// Loads the access levels of these actors, of their hosts, and of these hosts.
pub async fn load(tx: &mut Tx, actors: &[&url::Url], hosts: &[&str]) -> Result<AccessLevels> {
    let mut blocked = HashSet::new();
    for (text, _, part) in SELECT_BLOCKED_ACTORS.parts(actors) {
        let found: Vec<String> = with_tx!(tx, |c| {
            let query = sqlx::query_scalar(text);
            part.fold(query, |query, actor| query.bind(actor.as_str())).fetch_all(c).await
        })?;
        blocked.extend(found);
    }
    let domains =
        all_rule_domains(hosts.iter().copied().chain(actors.iter().filter_map(|actor| actor.host_str())));
    let mut rules = DomainRules::default();
    for (text, _, part) in SELECT_RULES.parts(&domains) {
        let found: Vec<(String, DomainRule)> = with_tx!(tx, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, name| query.bind(*name)).fetch_all(c).await
        })?;
        rules.extend(found);
    }
    Ok(AccessLevels { blocked, rules })
}

/// Loads the access levels of these hosts, with few queries for any number of them.
pub async fn load_for_hosts(db: &Db, hosts: impl IntoIterator<Item = &str>) -> Result<AccessLevels> {
    let mut rules = DomainRules::default();
    for (text, _, part) in SELECT_RULES.parts(&all_rule_domains(hosts)) {
        let found: Vec<(String, DomainRule)> = with_db!(db, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, name| query.bind(*name)).fetch_all(c).await
        })?;
        rules.extend(found);
    }
    Ok(AccessLevels { blocked: HashSet::new(), rules })
}

/// The domains whose rules apply to any of these hosts, without duplicates.
fn all_rule_domains<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Vec<&'h str> {
    let domains: BTreeSet<&str> =
        hosts.into_iter().flat_map(rule_domains).filter(|domain| !domain.is_empty()).collect();
    domains.into_iter().collect()
}
