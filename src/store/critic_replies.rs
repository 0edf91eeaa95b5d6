//! Replies by critics of this site. They are comments whose `critic_id` is set.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::column_types::{from_json, to_json};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::comment::{CommentState, CriticReply, Mention};
use crate::domain::id::{CommentId, CriticId, ReviewId};
use crate::domain::time::Timestamp;

/// A critic's reply as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct StoredCriticReply {
    /// Its id.
    pub id: CommentId,
    /// The critic who wrote it.
    pub critic_id: CriticId,
    /// The review that it belongs to.
    pub review_id: ReviewId,
    /// The id of the post that it replies to.
    pub parent_uri: String,
    /// Its text, as safe HTML.
    pub content: String,
    /// Its source, Markdown.
    pub source: Option<String>,
    /// Its mentions, as JSON.
    mentions: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Shown or deleted.
    pub state: CommentState,
    /// When it was written.
    pub published_at: Timestamp,
    /// When it was last changed.
    pub edited_at: Option<Timestamp>,
    /// When its state last changed.
    pub signed_at: Timestamp,
}

impl StoredCriticReply {
    /// The actors that it mentions.
    pub fn mentions(&self) -> Result<Vec<Mention>> {
        let stored: Vec<MentionRow> =
            self.mentions.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let mention = |stored: MentionRow| Mention {
            actor: stored.actor,
            url: stored.page,
            handle: stored.handle,
            in_text: stored.in_text,
        };
        Ok(stored.into_iter().map(mention).collect())
    }
}

/// A mention as it is stored.
#[derive(Serialize, Deserialize)]
struct MentionRow {
    actor: url::Url,
    page: url::Url,
    handle: Option<String>,
    in_text: bool,
}

fn mentions_json(mentions: &[Mention]) -> String {
    let row = |mention: &Mention| MentionRow {
        actor: mention.actor.clone(),
        page: mention.url.clone(),
        handle: mention.handle.clone(),
        in_text: mention.in_text,
    };
    to_json(&mentions.iter().map(row).collect::<Vec<_>>())
}

/// Inserts a reply.
pub async fn insert(
    tx: &mut Tx,
    reply: &CriticReply,
    uri: &url::Url,
    actor: &url::Url,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into comments (id, review_id, uri, url, actor, parent_uri, content, language, state, published_at,
                signed_at, created_at, critic_id, source, mentions)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 'shown', $9, $10, $10, $11, $12, $13)",
        )
        .bind(reply.id)
        .bind(reply.review)
        .bind(uri.as_str())
        .bind(reply.url.as_str())
        .bind(actor.as_str())
        .bind(reply.in_reply_to.as_str())
        .bind(&reply.content)
        .bind(&reply.language)
        .bind(reply.published)
        .bind(now)
        .bind(reply.critic)
        .bind(source)
        .bind(mentions_json(&reply.mentions))
    )?;
    Ok(())
}

/// Finds a reply.
pub async fn find(db: &Db, id: CommentId) -> Result<Option<StoredCriticReply>> {
    with_db!(db, |c| {
        sqlx::query_as(
        "select id, critic_id, review_id, parent_uri, content, source, mentions, language, state, published_at, edited_at,
            signed_at
         from comments where id = $1 and critic_id is not null",
    )
    .bind(id)
    .fetch_optional(c)
    .await
    })
}

/// Finds a reply of the critic with the same text to the same post.
pub async fn find_duplicate(
    tx: &mut Tx,
    critic: CriticId,
    parent: &url::Url,
    source: &str,
) -> Result<Option<CommentId>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select id from comments
         where parent_uri = $1 and state = 'shown' and critic_id = $2 and source = $3 order by id limit 1",
    )
    .bind(parent.as_str())
    .bind(critic)
    .bind(source)
    .fetch_optional(c)
    .await)
}

/// Replaces the text of a reply. Returns false if it is not shown.
pub async fn update(tx: &mut Tx, reply: &CriticReply, source: &str, now: Timestamp) -> Result<bool> {
    execute!(
        tx,
        sqlx::query(
            "update comments set content = $2, source = $3, edited_at = $4, signed_at = $5, mentions = $6
             where id = $1 and state = 'shown' and critic_id is not null",
        )
        .bind(reply.id)
        .bind(&reply.content)
        .bind(source)
        .bind(reply.edited)
        .bind(now)
        .bind(mentions_json(&reply.mentions))
    )
    .map(|rows| rows == 1)
}

/// An actor that a reply is delivered to.
#[derive(Debug, Clone, FromRow)]
pub struct ReplyRecipient {
    /// The actor's id.
    pub uri: String,
    /// The shared inbox of its server, or its own.
    pub inbox: String,
}

/// Lists the remote actors whose comments on a review are shown, the latest first.
pub async fn list_participants(db: &Db, review: ReviewId, limit: u32) -> Result<Vec<ReplyRecipient>> {
    with_db!(db, |c| sqlx::query_as(
        "select a.uri, coalesce(a.shared_inbox, a.inbox) as inbox
         from comments c join actors a on a.uri = c.actor
         where c.review_id = $1 and c.state = 'shown' and c.critic_id is null and a.deleted_at is null
         group by a.uri, a.shared_inbox, a.inbox order by max(c.published_at) desc, a.uri limit $2",
    )
    .bind(review)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// Lists the inboxes with deliveries about an object.
pub async fn list_notified_inboxes(tx: &mut Tx, object: &url::Url, limit: u32) -> Result<Vec<String>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select distinct inbox from deliveries where object_uri = $1 order by inbox limit $2",
    )
    .bind(object.as_str())
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}
