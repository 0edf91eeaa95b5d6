//! The facepile of each review: the actors who reacted last. Each review has rows of its own, since an actor whom others have
//! displaced at one review can be among the last at another.

use sqlx::FromRow;

use super::column_types::parse_url;
use super::{Db, Result, Tx, execute, unresolved_actors, with_db, with_tx};
use crate::domain::comment::Author;
use crate::domain::facepile::FacepileActor;
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::reaction::ReactionKind;
use crate::domain::time::Timestamp;

/// The most recent reactions of a review that are candidates for the facepile.
const MAX_CANDIDATE_REACTIONS: i64 = 200;

/// Actors that a facepile keeps. More than are shown, since reactions can be undone.
const FACEPILE_SIZE: i64 = 48;

/// An actor below this rank leaves the facepile.
const MAX_FACEPILE_RANK: i64 = 2 * FACEPILE_SIZE;

#[derive(FromRow)]
struct CandidateRow {
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
pub struct FacepileCandidate {
    /// The actor as shown.
    pub entry: FacepileActor,
    /// Whether a critic has approved the actor.
    pub trusted: bool,
}

/// Lists the actors who reacted to a review last, the latest first, without those who do not want to be shown and those
/// who block the critic.
pub async fn list_candidates(db: &Db, review: ReviewId, critic: CriticId) -> Result<Vec<FacepileCandidate>> {
    let rows: Vec<CandidateRow> = with_db!(db, |c| {
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
    let mut found: Vec<FacepileCandidate> = Vec::new();
    for row in rows {
        let (likes, boosts) = (row.kind == ReactionKind::Like, row.kind == ReactionKind::Boost);
        if let Some(known) = found.iter_mut().find(|known| known.entry.author.uri.as_str() == row.actor) {
            known.entry.has_liked |= likes;
            known.entry.has_boosted |= boosts;
            continue;
        }
        let author = Author {
            uri: parse_url(&row.actor)?,
            url: parse_url(&row.url)?,
            name: row.name,
            handle: row.handle,
            avatar: row.avatar,
            indexable: true,
            critic: None,
        };
        found.push(FacepileCandidate {
            entry: FacepileActor { author, has_liked: likes, has_boosted: boosts },
            trusted: row.trusted == 1,
        });
    }
    Ok(found)
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
        unresolved_actors::enqueue_fetch(tx, review, &actor, now).await?;
    }
    Ok(())
}

/// Whether an actor is in the facepile of any review.
pub async fn is_in_any(db: &Db, actor: &str) -> Result<bool> {
    let query = "select actor from facepile where actor = $1 limit 1";
    let found: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(actor).fetch_optional(c).await)?;
    Ok(found.is_some())
}
