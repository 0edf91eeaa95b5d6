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

/// What a critic blocked, or made a rule about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockListKind {
    /// A blocked account.
    Account,
    /// A domain with a rule.
    Domain(DomainRule),
}

impl std::fmt::Display for BlockListKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account => f.pad("account"),
            Self::Domain(rule) => rule.fmt(f),
        }
    }
}

/// A rule or a block in a list.
#[derive(Debug, Clone)]
pub struct BlockListEntry {
    /// The domain, or the actor's id.
    pub subject: String,
    /// Which of them it is.
    pub kind: BlockListKind,
    /// The critic's own note.
    pub reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct BlockListRow {
    subject: String,
    rule: Option<DomainRule>,
    reason: Option<String>,
    created_at: Timestamp,
}

impl BlockListRow {
    fn entry(self) -> BlockListEntry {
        let kind = self.rule.map_or(BlockListKind::Account, BlockListKind::Domain);
        BlockListEntry { subject: self.subject, kind, reason: self.reason, created_at: self.created_at }
    }
}

/// Lists all blocked accounts, then all rules by kind and domain.
pub async fn list_all(db: &Db) -> Result<Vec<BlockListEntry>> {
    let rows: Vec<BlockListRow> = with_db!(db, |c| {
        sqlx::query_as(
        "select subject, rule, reason, created_at from (
            select host as subject, rule, reason, created_at from domain_rules
            union all
            select actor as subject, cast(null as text) as rule, reason, created_at from blocked_actors) blocked
         order by case when rule is null then 0 else 1 end, rule, subject",
    )
    .fetch_all(c)
    .await
    })?;
    Ok(rows.into_iter().map(BlockListRow::entry).collect())
}

/// Lists the rules about domains.
pub async fn list_rules(db: &Db) -> Result<Vec<(String, DomainRule)>> {
    with_db!(db, |c| sqlx::query_as("select host, rule from domain_rules").fetch_all(c).await)
}

/// The same inside a transaction.
pub async fn list_rules_in_tx(tx: &mut Tx) -> Result<Vec<(String, DomainRule)>> {
    with_tx!(tx, |c| sqlx::query_as("select host, rule from domain_rules").fetch_all(c).await)
}
