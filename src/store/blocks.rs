//! Blocked accounts and rules about domains, as the critics set them.

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::domain_rules::DomainRule;
use crate::domain::time::Timestamp;

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
