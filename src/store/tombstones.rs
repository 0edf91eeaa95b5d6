//! The ids of what its own actor deleted or undid, so that an activity that arrives late does not bring it back.

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::time::Timestamp;

/// Remembers that an actor deleted or undid the object or activity of that id.
pub async fn insert(tx: &mut Tx, uri: &url::Url, actor: &url::Url, signed_at: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into tombstones (uri, actor, signed_at) values ($1, $2, $3)
             on conflict (uri, actor) do update set signed_at = excluded.signed_at
             where tombstones.signed_at < excluded.signed_at",
        )
        .bind(uri.as_str())
        .bind(actor.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// The signed date with which an actor last deleted or undid that id.
pub async fn find(tx: &mut Tx, uri: &url::Url, actor: &url::Url) -> Result<Option<Timestamp>> {
    let query = "select signed_at from tombstones where uri = $1 and actor = $2";
    with_tx!(tx, |c| sqlx::query_scalar(query)
        .bind(uri.as_str())
        .bind(actor.as_str())
        .fetch_optional(c)
        .await)
}

/// Whether an actor deleted itself.
pub async fn is_actor_deleted(db: &Db, actor: &url::Url) -> Result<bool> {
    let query = "select signed_at from tombstones where uri = $1 and actor = $1";
    let deleted: Option<i64> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(actor.as_str()).fetch_optional(c).await)?;
    Ok(deleted.is_some())
}
