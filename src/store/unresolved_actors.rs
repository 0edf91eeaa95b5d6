//! Actors of facepiles whose profiles still have to be fetched.

use sqlx::FromRow;

use super::{Db, Result, Tx, claim_rows, execute, with_db};
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;

/// Queues an actor of a facepile to be fetched if it is not known.
pub async fn enqueue_fetch(tx: &mut Tx, review: ReviewId, actor: &str, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into unresolved_actors (actor, attempts, due_at) select f.actor, 0, $3 from facepile f
             where f.review_id = $1 and f.actor = $2 and not exists (select 1 from actors a where a.uri = f.actor)
             on conflict (actor) do nothing",
        )
        .bind(review)
        .bind(actor)
        .bind(now)
    )?;
    Ok(())
}

/// An actor that has to be fetched.
#[derive(Debug, FromRow)]
pub struct UnresolvedActor {
    /// The actor's id.
    pub actor: String,
    /// The number of attempts, including this one.
    pub attempts: i64,
}

/// Whether an actor is due to be fetched.
pub async fn has_due(db: &Db, now: Timestamp) -> Result<bool> {
    let first: Option<String> = with_db!(db, |c| sqlx::query_scalar(
        "select actor from unresolved_actors where due_at <= $1 limit 1"
    )
    .bind(now)
    .fetch_optional(c)
    .await)?;
    Ok(first.is_some())
}

/// Claims actors that are due to be fetched. They are due again at `later`, unless they are deleted from the queue.
pub async fn claim_due(
    tx: &mut Tx,
    limit: i64,
    now: Timestamp,
    later: Timestamp,
) -> Result<Vec<UnresolvedActor>> {
    claim_rows!(
        tx,
        "with picked as materialized (select actor from unresolved_actors where due_at <= $1 order by due_at, actor limit $2",
        ") update unresolved_actors set attempts = attempts + 1, due_at = $3 where actor in (select actor from picked)
           returning actor, attempts",
        |query, c| sqlx::query_as(query).bind(now).bind(limit).bind(later).fetch_all(c).await
    )
}

/// Removes an actor from the queue: it is known, or its fetch was abandoned.
pub async fn delete(tx: &mut Tx, actor: &str) -> Result<()> {
    execute!(tx, sqlx::query("delete from unresolved_actors where actor = $1").bind(actor))?;
    Ok(())
}
