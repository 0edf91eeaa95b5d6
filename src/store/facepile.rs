//! The facepile of each review: the actors who reacted last, the queue of reaction events that keeps it up to date, and
//! actors that still have to be fetched. Each review has rows of its own, since an actor whom others have displaced at one
//! review can be among the last at another.

use sqlx::FromRow;

use super::column_types::parse_url;
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::comment::Author;
use crate::domain::facepile::FacepileActor;
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::states::{ReactionEventKind, ReactionKind};
use crate::domain::time::Timestamp;

/// The most recent reactions of a review that are candidates for the facepile.
const MAX_CANDIDATE_REACTIONS: i64 = 200;

/// Actors that a facepile keeps. More than are shown, since reactions can be undone.
const FACEPILE_SIZE: i64 = 48;

/// An actor below this rank leaves the facepile.
const MAX_FACEPILE_RANK: i64 = 2 * FACEPILE_SIZE;

#[derive(FromRow)]
struct FaceRow {
    actor: String,
    kind: ReactionKind,
    url: String,
    name: String,
    handle: Option<String>,
    avatar: Option<String>,
    trusted: i64,
}

/// An actor who could be shown.
#[derive(Debug)]
pub struct FaceCandidate {
    /// The actor as shown.
    pub face: FacepileActor,
    /// Whether a critic has approved the actor.
    pub trusted: bool,
}

/// Lists the actors who reacted to a review last, the latest first, without those who do not want to be shown and those
/// who block the critic.
pub async fn list_candidates(db: &Db, review: ReviewId, critic: CriticId) -> Result<Vec<FaceCandidate>> {
    let rows: Vec<FaceRow> = with_db!(db, |c| {
        sqlx::query_as(
            "select n.actor, n.kind, a.url, a.name, a.handle, a.avatar, a.trusted from (
                select actor, kind, signed_at from reactions where review_id = $1 and state = 'on'
                order by signed_at desc, actor desc limit $3) n
             join actors a on a.uri = n.actor
             where a.deleted_at is null and a.indexable = 1 and a.discoverable = 1
                and not exists (select 1 from blockers b
                    where b.critic_id = $2 and b.actor = n.actor and b.state = 'on')
             order by n.signed_at desc, n.actor desc, n.kind",
        )
        .bind(review)
        .bind(critic)
        .bind(MAX_CANDIDATE_REACTIONS)
        .fetch_all(c)
        .await
    })?;
    let mut found: Vec<FaceCandidate> = Vec::new();
    for row in rows {
        let (likes, boosts) = (row.kind == ReactionKind::Like, row.kind == ReactionKind::Boost);
        if let Some(known) = found.iter_mut().find(|known| known.face.actor.uri.as_str() == row.actor) {
            known.face.has_liked |= likes;
            known.face.has_boosted |= boosts;
            continue;
        }
        let who = Author {
            uri: parse_url(&row.actor)?,
            url: parse_url(&row.url)?,
            name: row.name,
            handle: row.handle,
            avatar: row.avatar,
            indexable: true,
            critic: None,
        };
        found.push(FaceCandidate {
            face: FacepileActor { actor: who, has_liked: likes, has_boosted: boosts },
            trusted: row.trusted == 1,
        });
    }
    Ok(found)
}

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
pub async fn has_reaction_event(db: &Db) -> Result<bool> {
    let first: Option<i64> =
        with_db!(db, |c| sqlx::query_scalar("select id from reaction_events order by id limit 1")
            .fetch_optional(c)
            .await)?;
    Ok(first.is_some())
}

/// Removes the next events from the queue.
pub async fn take_reaction_events(tx: &mut Tx, limit: i64) -> Result<Vec<ReactionEvent>> {
    claim_rows!(
        tx,
        "with picked as materialized (select id from reaction_events order by id limit $1",
        ") delete from reaction_events where id in (select id from picked) returning id, review_id, actor, kind",
        |query, c| sqlx::query_as(query).bind(limit).fetch_all(c).await
    )
}

/// Refreshes the facepile of a review from its latest reactions. Added actors that are not known are queued to be
/// fetched.
pub async fn refresh_recent(tx: &mut Tx, review: ReviewId, now: Timestamp) -> Result<()> {
    let added: Vec<String> = with_tx!(tx, |c| {
        sqlx::query_scalar(
            "insert into facepile (review_id, actor)
             select distinct $1, n.actor from (
                select actor from reactions where review_id = $1 and state = 'on'
                order by signed_at desc, actor desc limit $2) n
             where true
             on conflict (review_id, actor) do nothing returning actor",
        )
        .bind(review)
        .bind(FACEPILE_SIZE)
        .fetch_all(c)
        .await
    })?;
    execute!(
        tx,
        sqlx::query(
            "delete from facepile where review_id = $1 and actor not in (
                select actor from reactions where review_id = $1 and state = 'on'
                order by signed_at desc, actor desc limit $2)",
        )
        .bind(review)
        .bind(MAX_FACEPILE_RANK)
    )?;
    for actor in added {
        enqueue_fetch(tx, review, &actor, now).await?;
    }
    Ok(())
}

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
pub async fn has_unresolved_actor(db: &Db, now: Timestamp) -> Result<bool> {
    let first: Option<String> = with_db!(db, |c| sqlx::query_scalar(
        "select actor from unresolved_actors where due_at <= $1 limit 1"
    )
    .bind(now)
    .fetch_optional(c)
    .await)?;
    Ok(first.is_some())
}

/// Claims actors that are due to be fetched. They are due again at `later`, unless they are deleted from the queue.
pub async fn claim_unresolved_actors(
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

/// Whether an actor is in the facepile of any review.
pub async fn is_in_facepile(db: &Db, actor: &str) -> Result<bool> {
    let query = "select actor from facepile where actor = $1 limit 1";
    let found: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(actor).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Removes an actor from the queue: it is known, or given up.
pub async fn delete_unresolved_actor(tx: &mut Tx, actor: &str) -> Result<()> {
    execute!(tx, sqlx::query("delete from unresolved_actors where actor = $1").bind(actor))?;
    Ok(())
}
