//! Remote actors who block a critic, one row for each pair. A row stays when the block ends, with the signed date of the
//! activity that ended it, so that a Block that arrives late has no effect.

use super::{Result, Tx, execute, with_tx};
use crate::domain::id::CriticId;
use crate::domain::reaction::ToggleState;
use crate::domain::time::Timestamp;

/// Records that an actor blocks a critic, unless an activity that was signed later has ended the block, or an Undo
/// overtook it.
pub async fn record_block(
    tx: &mut Tx,
    critic: CriticId,
    actor: &url::Url,
    activity: Option<&url::Url>,
    signed_at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into blockers (critic_id, actor, state, activity_uri, signed_at) values ($1, $2, 'on', $3, $4)
             on conflict (critic_id, actor) do update set state = 'on', activity_uri = excluded.activity_uri,
                signed_at = excluded.signed_at
             where blockers.signed_at < excluded.signed_at
                or (blockers.signed_at = excluded.signed_at and blockers.state <> 'preempted')",
        )
        .bind(critic)
        .bind(actor.as_str())
        .bind(activity.map(url::Url::as_str))
        .bind(signed_at)
    )?;
    Ok(())
}

/// Records that an actor does not block a critic, whether or not a block is known.
pub async fn record_unblock(
    tx: &mut Tx,
    critic: CriticId,
    actor: &url::Url,
    signed_at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into blockers (critic_id, actor, state, signed_at) values ($1, $2, 'preempted', $3)
             on conflict (critic_id, actor) do update set
                state = case when blockers.state = 'on' then 'off' else 'preempted' end,
                signed_at = excluded.signed_at
             where blockers.signed_at <= excluded.signed_at",
        )
        .bind(critic)
        .bind(actor.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// Whether the actor blocks the critic.
pub async fn is_blocking(tx: &mut Tx, critic: CriticId, actor: &url::Url) -> Result<bool> {
    let state: Option<ToggleState> = with_tx!(tx, |c| sqlx::query_scalar(
        "select state from blockers where critic_id = $1 and actor = $2"
    )
    .bind(critic)
    .bind(actor.as_str())
    .fetch_optional(c)
    .await)?;
    Ok(state == Some(ToggleState::On))
}

/// Finds the critic that an actor blocks by the activity with that id.
pub async fn find_critic_by_activity(
    tx: &mut Tx,
    actor: &url::Url,
    activity: &url::Url,
) -> Result<Option<CriticId>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select critic_id from blockers where actor = $1 and activity_uri = $2 and state = 'on'",
    )
    .bind(actor.as_str())
    .bind(activity.as_str())
    .fetch_optional(c)
    .await)
}
