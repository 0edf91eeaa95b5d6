//! Likes and boosts: one an actor, review and kind. And ids that were withdrawn before they came.

use super::{Db, Result, Tx, on, read, run};
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;

/// What an actor does to a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionKind {
    /// A Like, or an emoji.
    Like,
    /// An Announce.
    Boost,
}

impl ReactionKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Boost => "boost",
        }
    }
}

/// Turns a reaction on, unless something signed later turned it off, or an Undo overtook it.
pub async fn record(
    tx: &mut Tx,
    review: ReviewId,
    actor: &url::Url,
    reaction: ReactionKind,
    activity: Option<&url::Url>,
    signed_at: Timestamp,
) -> Result<()> {
    run!(
        tx,
        sqlx::query(
            "insert into reactions (review_id, actor, kind, state, activity_uri, signed_at)
             values ($1, $2, $3, 'on', $4, $5)
             on conflict (review_id, actor, kind) do update set state = 'on', activity_uri = excluded.activity_uri,
                signed_at = excluded.signed_at
             where reactions.signed_at < excluded.signed_at
                or (reactions.signed_at = excluded.signed_at and reactions.state <> 'preempted')",
        )
        .bind(review)
        .bind(actor.as_str())
        .bind(reaction.as_str())
        .bind(activity.map(url::Url::as_str))
        .bind(signed_at)
    )?;
    Ok(())
}

/// Turns a reaction off, whether or not we ever heard that it was on.
pub async fn record_undo(
    tx: &mut Tx,
    review: ReviewId,
    actor: &url::Url,
    reaction: ReactionKind,
    signed_at: Timestamp,
) -> Result<()> {
    run!(
        tx,
        sqlx::query(
            "insert into reactions (review_id, actor, kind, state, signed_at) values ($1, $2, $3, 'preempted', $4)
             on conflict (review_id, actor, kind) do update set
                state = case when reactions.state = 'on' then 'off' else 'preempted' end,
                signed_at = excluded.signed_at
             where reactions.signed_at <= excluded.signed_at",
        )
        .bind(review)
        .bind(actor.as_str())
        .bind(reaction.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// Turns off what the activity of that id turned on; false where there is no such thing.
pub async fn undo_by_activity(
    tx: &mut Tx,
    actor: &url::Url,
    activity: &url::Url,
    signed_at: Timestamp,
) -> Result<bool> {
    run!(
        tx,
        sqlx::query(
            "update reactions set state = 'off', signed_at = $3
         where actor = $1 and activity_uri = $2 and signed_at <= $3",
        )
        .bind(actor.as_str())
        .bind(activity.as_str())
        .bind(signed_at)
    )
    .map(|rows| rows > 0)
}

/// Remembers that an actor deleted or undid what has that id.
pub async fn insert_tombstone(
    tx: &mut Tx,
    uri: &url::Url,
    actor: &url::Url,
    signed_at: Timestamp,
) -> Result<()> {
    run!(
        tx,
        sqlx::query(
            "insert into withdrawals (uri, actor, signed_at) values ($1, $2, $3)
         on conflict (uri, actor) do update set signed_at = excluded.signed_at
         where withdrawals.signed_at < excluded.signed_at",
        )
        .bind(uri.as_str())
        .bind(actor.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// When an actor last deleted or undid what has that id.
pub async fn find_tombstone(tx: &mut Tx, uri: &url::Url, actor: &url::Url) -> Result<Option<Timestamp>> {
    on!(tx, |c| sqlx::query_scalar("select signed_at from withdrawals where uri = $1 and actor = $2")
        .bind(uri.as_str())
        .bind(actor.as_str())
        .fetch_optional(c)
        .await)
}

/// Whether an actor deleted itself.
pub async fn is_actor_deleted(db: &Db, actor: &url::Url) -> Result<bool> {
    let left: Option<i64> =
        read!(db, |c| sqlx::query_scalar("select signed_at from withdrawals where uri = $1 and actor = $1")
            .bind(actor.as_str())
            .fetch_optional(c)
            .await)?;
    Ok(left.is_some())
}
