//! The facepile of each review: the actors who reacted last, the queue of reaction events that keeps it up to date, and
//! actors that still have to be fetched. Each review has rows of its own, since an actor whom others have displaced at one
//! review can be among the last at another.

use sqlx::FromRow;

use super::column::parse_url;
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::comment::Author;
use crate::domain::facepile::FacepileActor;
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::states::{ReactionEventKind, ReactionKind};
use crate::domain::time::Timestamp;

/// The last likes and boosts of a review among which faces are looked for.
const MAX_CANDIDATE_REACTIONS: i64 = 200;

/// Faces that are kept at hand: some more than are shown, for where somebody takes a like back.
const FACEPILE_SIZE: i64 = 48;

/// Who is overtaken by more than that is at hand no more.
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

/// Somebody who could be shown.
#[derive(Debug)]
pub struct FaceCandidate {
    /// As they would be shown.
    pub face: FacepileActor,
    /// Whether the critics let them through, once and for all.
    pub trusted: bool,
}

/// Those who liked or boosted a review lately, the last ones first: not those who want not to be found or shown
/// around, nor those who block the critic.
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

/// Something that somebody did at a review.
#[derive(Debug, FromRow)]
pub struct ReactionEvent {
    /// Its place in the line.
    pub id: i64,
    /// The review.
    pub review_id: ReviewId,
    /// Who.
    pub actor: String,
    /// What happened.
    pub kind: ReactionEventKind,
}

/// Whether anybody waits.
pub async fn has_reaction_event(db: &Db) -> Result<bool> {
    let first: Option<i64> =
        with_db!(db, |c| sqlx::query_scalar("select id from reaction_events order by id limit 1")
            .fetch_optional(c)
            .await)?;
    Ok(first.is_some())
}

/// Takes the next ones out of the line.
pub async fn take_reaction_events(tx: &mut Tx, limit: i64) -> Result<Vec<ReactionEvent>> {
    claim_rows!(
        tx,
        "with picked as materialized (select id from reaction_events order by id limit $1",
        ") delete from reaction_events where id in (select id from picked) returning id, review_id, actor, kind",
        |query, c| sqlx::query_as(query).bind(limit).fetch_all(c).await
    )
}

/// The last who liked or boosted a review are at hand from now on, and those who were overtaken, or took it back, are
/// not any more, however many came meanwhile. Whom nobody asked for yet is a stranger.
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

/// Somebody who is at hand there, and whom nobody knows, is to be asked for.
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

/// A stranger who is asked for.
#[derive(Debug, FromRow)]
pub struct UnresolvedActor {
    /// The actor's id.
    pub actor: String,
    /// How often they were asked for, this time included.
    pub attempts: i64,
}

/// Whether a stranger is to be asked for.
pub async fn has_unresolved_actor(db: &Db, now: Timestamp) -> Result<bool> {
    let first: Option<String> = with_db!(db, |c| sqlx::query_scalar(
        "select actor from unresolved_actors where due_at <= $1 limit 1"
    )
    .bind(now)
    .fetch_optional(c)
    .await)?;
    Ok(first.is_some())
}

/// Takes some strangers who are to be asked for. If nothing comes of it they are due again later.
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

/// Whether somebody's face is at hand for any review, however many came since they were seen.
pub async fn is_in_facepile(db: &Db, actor: &str) -> Result<bool> {
    let query = "select actor from facepile where actor = $1 limit 1";
    let found: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(actor).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Somebody is known now, or nobody asks for them any more.
pub async fn delete_unresolved_actor(tx: &mut Tx, actor: &str) -> Result<()> {
    execute!(tx, sqlx::query("delete from unresolved_actors where actor = $1").bind(actor))?;
    Ok(())
}
