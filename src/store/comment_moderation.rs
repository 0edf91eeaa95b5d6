//! Comments as a critic moderates them: lists, and transitions from one state to another.

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::comment::CommentState;
use crate::domain::id::{CommentId, CriticId, ReviewId};
use crate::domain::time::Timestamp;

/// A comment without its text, for a decision about it.
#[derive(Debug, Clone, FromRow)]
pub struct ModeratedComment {
    /// Its id here.
    pub id: CommentId,
    /// The review that it belongs to.
    pub review_id: ReviewId,
    /// Its id on the fediverse.
    pub uri: String,
    /// Its author's id.
    pub actor: String,
    /// The critic who wrote it, if one did.
    pub critic_id: Option<CriticId>,
    /// Its state.
    pub state: CommentState,
}

/// Finds a comment that is not private.
pub async fn find(db: &Db, id: CommentId) -> Result<Option<ModeratedComment>> {
    with_db!(db, |c| {
        sqlx::query_as(
        "select id, review_id, uri, actor, critic_id, state from comments where id = $1 and state <> 'private'",
    )
    .bind(id)
    .fetch_optional(c)
    .await
    })
}

/// Finds a comment that is not private by its ActivityPub id or the URL of its page.
pub async fn find_by_url(db: &Db, address: &url::Url) -> Result<Option<ModeratedComment>> {
    with_db!(db, |c| sqlx::query_as(
        "select id, review_id, uri, actor, critic_id, state from comments
         where (uri = $1 or url = $1) and state <> 'private'
         order by case when uri = $1 then 0 else 1 end, id limit 1",
    )
    .bind(address.as_str())
    .fetch_optional(c)
    .await)
}

/// A comment in a list.
#[derive(Debug, Clone, FromRow)]
pub struct CommentListItem {
    /// Its id here.
    pub id: CommentId,
    /// Its state.
    pub state: CommentState,
    /// When its author wrote it.
    pub published_at: Timestamp,
    /// The slug of the review.
    pub slug: String,
    /// Safe HTML.
    pub content: String,
    /// Its author's id.
    pub actor: String,
    /// The author's handle, if it is confirmed.
    pub handle: Option<String>,
    /// The handle of the critic who wrote it, if one did.
    pub critic: Option<String>,
}

/// Lists comments, the newest first: of one review or of all, in one state or in any.
pub async fn list(
    db: &Db,
    review: Option<ReviewId>,
    state: Option<CommentState>,
    limit: u32,
) -> Result<Vec<CommentListItem>> {
    with_db!(db, |c| sqlx::query_as(
        "select c.id, c.state, c.published_at, r.slug, c.content, c.actor, a.handle, k.handle as critic
         from comments c
         join reviews r on r.id = c.review_id
         left join actors a on a.uri = c.actor
         left join critics k on k.id = c.critic_id
         where ($1 = '' or c.review_id = $1) and c.state <> 'private' and ($2 = '' or c.state = $2)
         order by c.published_at desc, c.id desc limit $3",
    )
    .bind(review.map_or_else(String::new, |review| review.to_string()))
    .bind(state.map_or("", CommentState::as_str))
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// Moves a comment from one state to another. Returns false if it is not in the first.
pub async fn transition(tx: &mut Tx, id: CommentId, from: CommentState, to: CommentState) -> Result<bool> {
    execute!(
        tx,
        sqlx::query("update comments set state = $3 where id = $1 and state = $2")
            .bind(id)
            .bind(from)
            .bind(to)
    )
    .map(|rows| rows == 1)
}

/// Finds the state of a comment inside a transaction.
pub async fn find_state(tx: &mut Tx, id: CommentId) -> Result<Option<CommentState>> {
    with_tx!(tx, |c| sqlx::query_scalar("select state from comments where id = $1")
        .bind(id)
        .fetch_optional(c)
        .await)
}

/// Shows all held comments of an actor. Returns their number.
pub async fn show_held_by_actor(tx: &mut Tx, actor: &str) -> Result<u64> {
    execute!(
        tx,
        sqlx::query("update comments set state = 'shown' where actor = $1 and state = 'held'").bind(actor)
    )
}
