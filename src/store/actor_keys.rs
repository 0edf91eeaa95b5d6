//! Public keys of remote actors, as they were last fetched.

use std::collections::HashSet;

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::time::Timestamp;

/// A public key of a remote actor.
#[derive(Debug, Clone, FromRow)]
pub struct ActorKey {
    /// The actor's id.
    pub actor: String,
    /// The public key as PEM.
    pub pem: String,
}

/// Finds a key.
pub async fn find(db: &Db, key_id: &url::Url) -> Result<Option<ActorKey>> {
    with_db!(db, |c| sqlx::query_as("select actor, pem from actor_keys where key_id = $1")
        .bind(key_id.as_str())
        .fetch_optional(c)
        .await)
}

/// Selects those of the cached keys that are no longer stored as they are cached.
static FIND_OUTDATED: BulkStatement = BulkStatement::new(
    "with remembered (key_id, actor, pem) as (values",
    "(#1, #2, #3)",
    3,
    ") select key_id from remembered r where not exists (
        select 1 from actor_keys k where k.key_id = r.key_id and k.actor = r.actor and k.pem = r.pem)",
);

/// A key in a cache outside of the database.
#[derive(Debug, Clone, Copy)]
pub struct CachedActorKey<'a> {
    /// Its id.
    pub key_id: &'a url::Url,
    /// Its owner's id.
    pub actor: &'a url::Url,
    /// The public key as PEM.
    pub pem: &'a str,
}

/// Finds the ids of cached keys that were replaced or deleted since they were cached.
pub async fn find_outdated(tx: &mut Tx, keys: &[CachedActorKey<'_>]) -> Result<HashSet<String>> {
    let mut outdated = HashSet::new();
    for (text, _, part) in FIND_OUTDATED.parts(keys) {
        let found: Vec<String> = with_tx!(tx, |c| {
            let query = sqlx::query_scalar(text);
            part.fold(query, |query, key| {
                query.bind(key.key_id.as_str()).bind(key.actor.as_str()).bind(key.pem)
            })
            .fetch_all(c)
            .await
        })?;
        outdated.extend(found);
    }
    Ok(outdated)
}

/// Deletes an actor's keys that it no longer lists: they have expired, or they leaked.
pub async fn delete_unlisted(tx: &mut Tx, actor: &url::Url, listed: &[&url::Url]) -> Result<()> {
    let query = "select key_id from actor_keys where actor = $1";
    let known: Vec<String> =
        with_tx!(tx, |c| sqlx::query_scalar(query).bind(actor.as_str()).fetch_all(c).await)?;
    for key in known {
        if listed.iter().all(|listed| listed.as_str() != key) {
            execute!(tx, sqlx::query("delete from actor_keys where key_id = $1").bind(&key))?;
        }
    }
    Ok(())
}

/// Inserts or replaces a key.
pub async fn upsert(
    tx: &mut Tx,
    key_id: &url::Url,
    actor: &url::Url,
    pem: &str,
    now: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into actor_keys (key_id, actor, pem, fetched_at) values ($1, $2, $3, $4)
         on conflict (key_id) do update set actor = excluded.actor, pem = excluded.pem,
            fetched_at = excluded.fetched_at",
        )
        .bind(key_id.as_str())
        .bind(actor.as_str())
        .bind(pem)
        .bind(now)
    )?;
    Ok(())
}
