//! Followers. A row stays when a follow ends, with the signed date of the activity that ended it, so that a Follow that
//! arrives late has no effect. Signed dates have whole seconds: after an Undo that found the follow (`gone`), a new Follow
//! of the same second counts; after an Undo that overtook it (`preempted`), it does not.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::follower::FollowState;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;
use crate::store::actors::StoredActor;

/// A follow as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct StoredFollow {
    /// Its state.
    pub state: FollowState,
    /// The id of the Follow, if it had one.
    pub follow_uri: Option<String>,
    /// The Accept that answered it.
    pub accept_id: Option<ActivityId>,
    /// The signed date of the activity that changed it last.
    pub signed_at: Timestamp,
}

/// Finds an actor's follow of a critic.
pub async fn find(tx: &mut Tx, critic: CriticId, actor: &url::Url) -> Result<Option<StoredFollow>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select state, follow_uri, accept_id, signed_at from followers where critic_id = $1 and actor = $2",
    )
    .bind(critic)
    .bind(actor.as_str())
    .fetch_optional(c)
    .await)
}

/// Inserts or replaces a follow. Without an Accept it is pending.
pub async fn upsert(
    tx: &mut Tx,
    critic: CriticId,
    actor: &StoredActor,
    follow_uri: Option<&str>,
    accept: Option<ActivityId>,
    signed_at: Timestamp,
) -> Result<()> {
    execute!(tx, sqlx::query(
        "insert into followers (critic_id, actor, state, inbox, host, follow_uri, accept_id, signed_at, created_at)
         values ($1, $2, $8, $3, $4, $5, $6, $7, $7)
         on conflict (critic_id, actor) do update set state = excluded.state, inbox = excluded.inbox,
            host = excluded.host, follow_uri = excluded.follow_uri, accept_id = excluded.accept_id,
            signed_at = excluded.signed_at",
    )
    .bind(critic)
    .bind(actor.uri.as_str())
    .bind(actor.delivery_inbox().as_str())
    .bind(actor.delivery_inbox().host_str())
    .bind(follow_uri)
    .bind(accept)
    .bind(signed_at)
    .bind(if accept.is_some() { FollowState::Following } else { FollowState::Pending }))?;
    Ok(())
}

/// Accepts a pending follow.
pub async fn accept(tx: &mut Tx, critic: CriticId, actor: &url::Url, accept: ActivityId) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update followers set state = 'following', accept_id = $3
             where critic_id = $1 and actor = $2 and state = 'pending'"
        )
        .bind(critic)
        .bind(actor.as_str())
        .bind(accept)
    )?;
    Ok(())
}

/// A follower, pending or accepted.
#[derive(Debug, Clone, FromRow)]
pub struct Follower {
    /// The critic.
    pub critic_id: CriticId,
    /// The actor's id.
    pub actor: String,
    /// The state of the follow.
    pub state: FollowState,
    /// The signed date of the Follow.
    pub signed_at: Timestamp,
}

/// Lists follows in this state, the oldest first.
pub async fn list_by_state(
    db: &Db,
    critic: CriticId,
    state: FollowState,
    limit: u32,
) -> Result<Vec<Follower>> {
    with_db!(db, |c| sqlx::query_as(
        "select critic_id, actor, state, signed_at from followers where critic_id = $1 and state = $2
         order by signed_at, actor limit $3",
    )
    .bind(critic)
    .bind(state)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// Records that an actor does not follow a critic, whether or not a follow is known.
pub async fn unfollow(tx: &mut Tx, critic: CriticId, actor: &url::Url, signed_at: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at)
         values ($1, $2, 'preempted', '', '', $3, $3)
         on conflict (critic_id, actor) do update set
                state = case when followers.state in ('following', 'pending') then 'gone' else 'preempted' end,
                signed_at = excluded.signed_at
         where followers.signed_at <= excluded.signed_at",
        )
        .bind(critic)
        .bind(actor.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// Ends the follows of the actor whose own inbox responded with 410 Gone. A shared inbox says nothing about its actors. The
/// signed date stays the same, since no activity was signed: a new Follow counts, whenever it was signed. Returns how
/// many follows ended.
pub async fn remove_by_inbox(tx: &mut Tx, inbox: &str) -> Result<u64> {
    execute!(
        tx,
        sqlx::query(
            "update followers set state = 'gone' where inbox = $1 and state in ('following', 'pending')
                and exists (select 1 from actors a where a.uri = followers.actor and a.inbox = $1)",
        )
        .bind(inbox)
    )
}

/// Finds the critic that an actor follows by the Follow with that id.
pub async fn find_critic_by_follow(
    tx: &mut Tx,
    actor: &url::Url,
    activity: &url::Url,
) -> Result<Option<CriticId>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select critic_id from followers
         where actor = $1 and follow_uri = $2 and state in ('following', 'pending')",
    )
    .bind(actor.as_str())
    .bind(activity.as_str())
    .fetch_optional(c)
    .await)
}

/// Whether an actor has a follow, pending or accepted.
pub async fn is_following_anyone(db: &Db, actor: &url::Url) -> Result<bool> {
    let found: Option<String> = with_db!(db, |c| sqlx::query_scalar(
        "select actor from followers where actor = $1 and state in ('following', 'pending') limit 1",
    )
    .bind(actor.as_str())
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}

/// Transfers the follows of an actor that moved. Later activities of the new account keep their effect. Those of the same
/// second do not: an account that moves there and back within it would otherwise follow from neither.
pub async fn transfer(tx: &mut Tx, old: &url::Url, new: &StoredActor, signed_at: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into followers (critic_id, actor, state, inbox, host, signed_at, created_at)
             select critic_id, $2, state, $3, $4, $5, created_at from followers
             where actor = $1 and state in ('following', 'pending') and signed_at <= $5
             on conflict (critic_id, actor) do update set state = excluded.state, inbox = excluded.inbox,
                host = excluded.host, follow_uri = null, accept_id = null, signed_at = excluded.signed_at
             where followers.state in ('gone', 'preempted') and followers.signed_at <= excluded.signed_at",
        )
        .bind(old.as_str())
        .bind(new.uri.as_str())
        .bind(new.delivery_inbox().as_str())
        .bind(new.delivery_inbox().host_str())
        .bind(signed_at)
    )?;
    execute!(
        tx,
        sqlx::query(
            "update followers set state = 'gone', signed_at = $2
             where actor = $1 and state in ('following', 'pending') and signed_at <= $2",
        )
        .bind(old.as_str())
        .bind(signed_at)
    )?;
    Ok(())
}

/// Counts the followers of a critic from the totals of inboxes, so that it costs the same for any number.
pub async fn count_followers(db: &Db, critic: CriticId) -> Result<u64> {
    let total: Option<i64> = with_db!(db, |c| sqlx::query_scalar(
        "select cast(sum(followers) as bigint) from follower_inboxes where critic_id = $1"
    )
    .bind(critic)
    .fetch_one(c)
    .await)?;
    Ok(to_unsigned(total.unwrap_or(0)))
}

/// Lists the ids of a critic's followers in order.
pub async fn list_actors(db: &Db, critic: CriticId, limit: u32, offset: u32) -> Result<Vec<String>> {
    with_db!(db, |c| {
        sqlx::query_scalar(
        "select actor from followers where critic_id = $1 and state = 'following' order by actor limit $2 offset $3",
    )
    .bind(critic)
    .bind(i64::from(limit))
    .bind(i64::from(offset))
    .fetch_all(c)
    .await
    })
}
