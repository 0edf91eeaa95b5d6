//! Blocked accounts and rules about domains, and what a block ends: follows, comments, reactions, quotes, deliveries.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::CriticId;
use crate::domain::moderation::{AccessLevel, DomainRule, ModerationPolicy, domain_and_parents};
use crate::domain::time::Timestamp;

/// The most labels of a domain that are looked up. No rule is about a longer name.
const MAX_LABELS: usize = 16;

/// Selects an actor if it is blocked.
const SELECT_BLOCKED: &str = "select actor from blocked_actors where actor = $1";

/// Selects the most specific rule about one of these domains.
const SELECT_NEAREST_RULE: &str = "select rule from domain_rules
    where host in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    order by length(host) desc limit 1";

/// The domains whose rules apply to a host. Of a very long name only the end counts: the owner of a domain can put any
/// number of labels before it.
fn names(host: &str) -> [&str; MAX_LABELS] {
    let labels = domain_and_parents(host).count();
    let mut above = domain_and_parents(host).skip(labels.saturating_sub(MAX_LABELS));
    std::array::from_fn(|_| above.next().unwrap_or_default())
}

/// The access level of an actor. The most specific rule about its server counts: an allowed subdomain of a blocked
/// domain has access.
pub async fn access_level(db: &Db, actor: &url::Url, policy: &ModerationPolicy) -> Result<AccessLevel> {
    let blocked: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(SELECT_BLOCKED).bind(actor.as_str()).fetch_optional(c).await)?;
    if blocked.is_some() {
        return Ok(AccessLevel::Blocked);
    }
    host_access_level(db, actor.host_str().unwrap_or_default(), policy).await
}

/// The same inside a transaction, which sees decisions that were made meanwhile.
pub async fn access_level_in_tx(
    tx: &mut Tx,
    actor: &url::Url,
    policy: &ModerationPolicy,
) -> Result<AccessLevel> {
    let blocked: Option<String> =
        with_tx!(tx, |c| sqlx::query_scalar(SELECT_BLOCKED).bind(actor.as_str()).fetch_optional(c).await)?;
    if blocked.is_some() {
        return Ok(AccessLevel::Blocked);
    }
    let rule: Option<DomainRule> = with_tx!(tx, |c| {
        let query = sqlx::query_scalar(SELECT_NEAREST_RULE);
        let names = names(actor.host_str().unwrap_or_default());
        names.into_iter().fold(query, sqlx::query::QueryScalar::bind).fetch_optional(c).await
    })?;
    Ok(policy.access_level(rule))
}

/// The access level of all actors of a host.
pub async fn host_access_level(db: &Db, host: &str, policy: &ModerationPolicy) -> Result<AccessLevel> {
    let rule: Option<DomainRule> = with_db!(db, |c| {
        let query = sqlx::query_scalar(SELECT_NEAREST_RULE);
        names(host).into_iter().fold(query, sqlx::query::QueryScalar::bind).fetch_optional(c).await
    })?;
    Ok(policy.access_level(rule))
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
    rules: HashMap<String, DomainRule>,
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
        let nearest = names(host).into_iter().find_map(|name| self.rules.get(name));
        policy.access_level(nearest.copied())
    }
}

/// Loads the access levels of these actors, of their hosts, and of these hosts.
pub async fn load_access_levels(tx: &mut Tx, actors: &[&url::Url], hosts: &[&str]) -> Result<AccessLevels> {
    let mut blocked = HashSet::new();
    for (text, _, part) in SELECT_BLOCKED_ACTORS.parts(actors) {
        let found: Vec<String> = with_tx!(tx, |c| {
            let query = sqlx::query_scalar(text);
            part.fold(query, |query, actor| query.bind(actor.as_str())).fetch_all(c).await
        })?;
        blocked.extend(found);
    }
    let above = all_names(hosts.iter().copied().chain(actors.iter().filter_map(|actor| actor.host_str())));
    let mut rules = HashMap::new();
    for (text, _, part) in SELECT_RULES.parts(&above) {
        let found: Vec<(String, DomainRule)> = with_tx!(tx, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, name| query.bind(*name)).fetch_all(c).await
        })?;
        rules.extend(found);
    }
    Ok(AccessLevels { blocked, rules })
}

/// Loads the access levels of these hosts, with few queries for any number of them.
pub async fn load_host_access_levels(db: &Db, hosts: impl IntoIterator<Item = &str>) -> Result<AccessLevels> {
    let mut rules = HashMap::new();
    for (text, _, part) in SELECT_RULES.parts(&all_names(hosts)) {
        let found: Vec<(String, DomainRule)> = with_db!(db, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, name| query.bind(*name)).fetch_all(c).await
        })?;
        rules.extend(found);
    }
    Ok(AccessLevels { blocked: HashSet::new(), rules })
}

/// The domains whose rules apply to any of these hosts, without duplicates.
fn all_names<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Vec<&'h str> {
    let names: BTreeSet<&str> = hosts.into_iter().flat_map(names).filter(|name| !name.is_empty()).collect();
    names.into_iter().collect()
}

/// Inserts or replaces the rule about a domain.
pub async fn upsert_rule(
    tx: &mut Tx,
    domain: &str,
    rule: DomainRule,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into domain_rules (host, rule, reason, created_at) values ($1, $2, $3, $4)
             on conflict (host) do update set rule = excluded.rule, reason = coalesce(excluded.reason, domain_rules.reason),
                created_at = excluded.created_at",
        )
        .bind(domain)
        .bind(rule)
        .bind(reason)
        .bind(now)
    )?;
    Ok(())
}

/// Blocks an actor.
pub async fn block_actor(tx: &mut Tx, actor: &url::Url, reason: Option<&str>, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into blocked_actors (actor, reason, created_at) values ($1, $2, $3)
             on conflict (actor) do update set reason = excluded.reason",
        )
        .bind(actor.as_str())
        .bind(reason)
        .bind(now)
    )?;
    Ok(())
}

/// Deletes the rule about a domain or the block of an actor. Returns false if there is none.
pub async fn delete(tx: &mut Tx, subject: &str) -> Result<bool> {
    let rules = execute!(tx, sqlx::query("delete from domain_rules where host = $1").bind(subject))?;
    let actors = execute!(tx, sqlx::query("delete from blocked_actors where actor = $1").bind(subject))?;
    Ok(rules + actors > 0)
}

/// A rule or a block in a list.
#[derive(Debug, Clone, FromRow)]
pub struct BlockListEntry {
    /// The domain, or the actor's id.
    pub subject: String,
    /// `block`, `silence`, `allow`, or `account` for a blocked actor.
    pub rule: String,
    /// The critic's own note.
    pub reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Lists all rules and blocks by subject.
pub async fn list_all(db: &Db) -> Result<Vec<BlockListEntry>> {
    with_db!(db, |c| sqlx::query_as(
        "select host as subject, rule, reason, created_at from domain_rules
         union all
         select actor as subject, 'account' as rule, reason, created_at from blocked_actors
         order by rule, subject",
    )
    .fetch_all(c)
    .await)
}

/// Lists the rules about domains.
pub async fn list_rules(db: &Db) -> Result<Vec<(String, DomainRule)>> {
    with_db!(db, |c| sqlx::query_as("select host, rule from domain_rules").fetch_all(c).await)
}

/// The same inside a transaction.
pub async fn list_rules_in_tx(tx: &mut Tx) -> Result<Vec<(String, DomainRule)>> {
    with_tx!(tx, |c| sqlx::query_as("select host, rule from domain_rules").fetch_all(c).await)
}

/// Lists the hosts of all actors that are stored in any way, and of all queued deliveries.
pub async fn list_known_hosts(db: &Db) -> Result<BTreeSet<String>> {
    let named: Vec<String> = with_db!(db, |c| sqlx::query_scalar(
        "select host from actors union select host from followers
         union select host from deliveries where state = 'queued'",
    )
    .fetch_all(c)
    .await)?;
    // Who likes something, or is met on the way to another post, may be nobody whose actor was ever asked for.
    let strangers: Vec<String> = with_db!(db, |c| {
        sqlx::query_scalar(
        "select actor from comments c
            where critic_id is null and not exists (select 1 from actors a where a.uri = c.actor)
         union select actor from reactions r where not exists (select 1 from actors a where a.uri = r.actor)
         union select actor from authorizations s where not exists (select 1 from actors a where a.uri = s.actor)
         union select actor from inbox_activities m
            where state = 'queued' and not exists (select 1 from actors a where a.uri = m.actor)",
    )
    .fetch_all(c)
    .await
    })?;
    let mut hosts: BTreeSet<String> = named.into_iter().collect();
    hosts.extend(strangers.iter().filter_map(|uri| Some(url::Url::parse(uri).ok()?.host_str()?.to_owned())));
    Ok(hosts)
}

/// How many relations a block ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeveredCounts {
    /// Followers who were removed.
    pub followers: u64,
    /// Comments that were hidden.
    pub comments: u64,
}

impl std::ops::AddAssign for SeveredCounts {
    fn add_assign(&mut self, more: Self) {
        self.followers += more.followers;
        self.comments += more.comments;
    }
}

/// The ranges in which the ids of a host's actors lie, with and without a port.
fn ids_of(host: &str) -> impl Iterator<Item = (String, String)> {
    // As bytes, `0` comes after `/`, and `;` after `:`.
    let ends = [("https", '/', '0'), ("https", ':', ';'), ("http", '/', '0'), ("http", ':', ';')];
    ends.into_iter()
        .map(move |(scheme, from, to)| (format!("{scheme}://{host}{from}"), format!("{scheme}://{host}{to}")))
}

/// Ends all relations with a host: follows, comments, reactions, authorizations and deliveries.
pub async fn sever_host(tx: &mut Tx, host: &str, now: Timestamp) -> Result<SeveredCounts> {
    let by_inbox = "update followers set state = 'gone', signed_at = $2
        where host = $1 and state in ('following', 'pending')";
    let followers = execute!(tx, sqlx::query(by_inbox).bind(host).bind(now))?;
    let sent =
        "update deliveries set state = 'superseded', finished_at = $2 where state = 'queued' and host = $1";
    execute!(tx, sqlx::query(sent).bind(host).bind(now))?;
    let mut ended = SeveredCounts { followers, comments: 0 };
    for (from, to) in ids_of(host) {
        ended += sever_ids(tx, &from, &to, now).await?;
    }
    Ok(ended)
}

/// The same for the actors whose ids lie between.
async fn sever_ids(tx: &mut Tx, from: &str, to: &str, now: Timestamp) -> Result<SeveredCounts> {
    let statements = [
        "update followers set state = 'gone', signed_at = $3
            where actor >= $1 and actor < $2 and state in ('following', 'pending')",
        "update comments set state = 'hidden'
            where actor >= $1 and actor < $2 and $3 is not null and state in ('shown', 'held', 'withheld')",
        "update reactions set state = 'off', signed_at = $3
            where actor >= $1 and actor < $2 and state = 'on'",
        "update authorizations set state = 'revoked'
            where actor >= $1 and actor < $2 and $3 is not null and state = 'granted'",
        "update inbox_activities set state = 'dropped', note = 'its server was blocked'
            where actor >= $1 and actor < $2 and $3 is not null and state = 'queued'",
    ];
    let mut changed = [0; 5];
    for (statement, changed) in statements.into_iter().zip(&mut changed) {
        *changed = execute!(tx, sqlx::query(statement).bind(from).bind(to).bind(now))?;
    }
    Ok(SeveredCounts { followers: changed[0], comments: changed[1] })
}

/// Ends all relations with an actor, except its follows, which are ended one by one.
pub async fn sever_actor(tx: &mut Tx, actor: &url::Url, now: Timestamp) -> Result<SeveredCounts> {
    let comments = execute!(
        tx,
        sqlx::query(
            "update comments set state = 'hidden' where state in ('shown', 'held', 'withheld') and actor = $1"
        )
        .bind(actor.as_str())
    )?;
    let others = [
        "update reactions set state = 'off', signed_at = $2 where state = 'on' and actor = $1",
        "update inbox_activities set state = 'dropped', note = 'its actor was blocked' where state = 'queued'
            and $2 is not null and actor = $1",
    ];
    for statement in others {
        execute!(tx, sqlx::query(statement).bind(actor.as_str()).bind(now))?;
    }
    Ok(SeveredCounts { followers: 0, comments })
}

/// A follow, pending or accepted.
#[derive(Debug, FromRow)]
pub struct ActiveFollow {
    /// The critic that is followed.
    pub critic_id: CriticId,
    /// The id of the Follow, if it had one.
    pub follow_uri: Option<String>,
    /// The signed date of what last changed it.
    pub signed_at: Timestamp,
}

/// Lists an actor's follows, pending or accepted.
pub async fn list_follows(tx: &mut Tx, actor: &url::Url) -> Result<Vec<ActiveFollow>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select critic_id, follow_uri, signed_at from followers
         where actor = $1 and state in ('following', 'pending') order by critic_id",
    )
    .bind(actor.as_str())
    .fetch_all(c)
    .await)
}
