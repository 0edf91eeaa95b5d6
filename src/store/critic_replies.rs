//! Replies by critics of this site. They are comments whose `critic_id` is set.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::column::{from_json, to_json};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::comment::{CriticReply, Mention};
use crate::domain::id::{CommentId, CriticId, ReviewId};
use crate::domain::states::CommentState;
use crate::domain::time::Timestamp;

/// An answer as it is kept.
#[derive(Debug, Clone, FromRow)]
pub struct StoredCriticReply {
    /// Its id.
    pub id: CommentId,
    /// Who wrote it.
    pub critic_id: CriticId,
    /// The review in whose thread it stands.
    pub review_id: ReviewId,
    /// What it answers.
    pub parent_uri: String,
    /// What it says, as safe HTML.
    pub content: String,
    /// What the critic typed.
    pub source: Option<String>,
    /// Whom it speaks to, as JSON.
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
    /// Whom it speaks to, as it was sent.
    pub fn mentions(&self) -> Result<Vec<Mention>> {
        let kept: Vec<Spoken> = self.mentions.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let mention = |kept: Spoken| Mention {
            actor: kept.actor,
            url: kept.page,
            handle: kept.handle,
            in_text: kept.in_text,
        };
        Ok(kept.into_iter().map(mention).collect())
    }
}

/// A mention as it is kept.
#[derive(Serialize, Deserialize)]
struct Spoken {
    actor: url::Url,
    page: url::Url,
    handle: Option<String>,
    in_text: bool,
}

fn mentions_json(mentions: &[Mention]) -> String {
    let spoken = |mention: &Mention| Spoken {
        actor: mention.actor.clone(),
        page: mention.url.clone(),
        handle: mention.handle.clone(),
        in_text: mention.in_text,
    };
    to_json(&mentions.iter().map(spoken).collect::<Vec<_>>())
}

/// Writes a new answer down.
pub async fn insert(
    tx: &mut Tx,
    answer: &CriticReply,
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
        .bind(answer.id)
        .bind(answer.review)
        .bind(uri.as_str())
        .bind(answer.url.as_str())
        .bind(actor.as_str())
        .bind(answer.in_reply_to.as_str())
        .bind(&answer.content)
        .bind(&answer.language)
        .bind(answer.published)
        .bind(now)
        .bind(answer.critic)
        .bind(source)
        .bind(mentions_json(&answer.mentions))
    )?;
    Ok(())
}

/// The answer of that id.
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

/// An answer of that critic that says the same in the same place.
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

/// Replaces what an answer says; false where it is not shown any more.
pub async fn update(tx: &mut Tx, answer: &CriticReply, source: &str, now: Timestamp) -> Result<bool> {
    execute!(
        tx,
        sqlx::query(
            "update comments set content = $2, source = $3, edited_at = $4, signed_at = $5, mentions = $6
             where id = $1 and state = 'shown' and critic_id is not null",
        )
        .bind(answer.id)
        .bind(&answer.content)
        .bind(source)
        .bind(answer.edited)
        .bind(now)
        .bind(mentions_json(&answer.mentions))
    )
    .map(|rows| rows == 1)
}

/// Somebody who is to hear of an answer.
#[derive(Debug, Clone, FromRow)]
pub struct ReplyRecipient {
    /// The actor's id.
    pub uri: String,
    /// Where it is told: the shared inbox where there is one.
    pub inbox: String,
}

/// Those of other servers whose comments on a review are shown, the latest first.
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

/// The inboxes that were told of an object, or are about to be.
pub async fn list_notified_inboxes(tx: &mut Tx, object: &url::Url, limit: u32) -> Result<Vec<String>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select distinct inbox from deliveries where object_uri = $1 order by inbox limit $2",
    )
    .bind(object.as_str())
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}
