//! The queue of reaction events, which triggers fill: what happened at a review that concerns its facepile or the hosts
//! that it has reached.

use sqlx::FromRow;

use super::{Db, Result, Tx, claim_rows, with_db};
use crate::domain::id::ReviewId;
use crate::domain::reaction::ReactionEventKind;

/// An event that concerns a facepile or the hosts that a review has reached.
#[derive(Debug, FromRow)]
pub struct ReactionEvent {
    /// Its position in the queue.
    pub id: i64,
    /// The review.
    pub review_id: ReviewId,
    /// The actor.
    pub actor: String,
    /// What happened.
    pub kind: ReactionEventKind,
}

/// Whether an event is waiting.
pub async fn has_any(db: &Db) -> Result<bool> {
    let first: Option<i64> =
        with_db!(db, |c| sqlx::query_scalar("select id from reaction_events order by id limit 1")
            .fetch_optional(c)
            .await)?;
    Ok(first.is_some())
}

/// Removes the next events from the queue.
pub async fn take(tx: &mut Tx, limit: i64) -> Result<Vec<ReactionEvent>> {
    claim_rows!(
        tx,
        "with picked as materialized (select id from reaction_events order by id limit $1",
        ") delete from reaction_events where id in (select id from picked) returning id, review_id, actor, kind",
        |query, c| sqlx::query_as(query).bind(limit).fetch_all(c).await
    )
}
