//! Likes and boosts: one row for each actor, review and kind. It stays when the reaction is undone, so that a Like that
//! arrives late has no effect.

use super::{Result, Tx, execute};
use crate::domain::id::ReviewId;
use crate::domain::reaction::ReactionKind;
use crate::domain::time::Timestamp;

/// Records a reaction, unless an activity that was signed later has undone it, or an Undo overtook it.
pub async fn record(
    tx: &mut Tx,
    review: ReviewId,
    actor: &url::Url,
    reaction: ReactionKind,
    activity: Option<&url::Url>,
    signed_at: Timestamp,
) -> Result<()> {
    execute!(
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
        .bind(reaction)
        .bind(activity.map(url::Url::as_str))
        .bind(signed_at)
    )?;
    Ok(())
}

/// Records that there is no reaction, whether or not one is known.
pub async fn record_undo(
    tx: &mut Tx,
    review: ReviewId,
    actor: &url::Url,
    reaction: ReactionKind,
    signed_at: Timestamp,
) -> Result<()> {
    execute!(
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
        .bind(reaction)
        .bind(signed_at)
    )?;
    Ok(())
}

/// Undoes the reaction of the activity with that id. Returns false if there is none.
pub async fn undo_by_activity(
    tx: &mut Tx,
    actor: &url::Url,
    activity: &url::Url,
    signed_at: Timestamp,
) -> Result<bool> {
    execute!(
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
