//! Comments: public replies from other servers, and the ids of private ones.

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::column_types::{parse_url, to_unsigned};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::comment::{Author, Comment, CommentState, CommentVisibility};
use crate::domain::id::{CommentId, CriticId, ReviewId};
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct CommentRow {
    id: CommentId,
    review_id: ReviewId,
    uri: String,
    url: String,
    parent_id: Option<CommentId>,
    content: String,
    warning: Option<String>,
    language: Option<String>,
    state: CommentState,
    published_at: Timestamp,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    author_uri: String,
    author_url: Option<String>,
    author_name: Option<String>,
    author_handle: Option<String>,
    author_avatar: Option<String>,
    author_indexable: Option<i64>,
    critic_handle: Option<String>,
}

impl CommentRow {
    /// A comment that is not shown becomes a placeholder without text and name.
    fn comment(self) -> Result<Comment> {
        let uri = parse_url(&self.author_uri)?;
        let presence = visibility(self.state);
        let comment = Comment {
            id: self.id,
            review: self.review_id,
            uri: parse_url(&self.uri)?,
            url: parse_url(&self.url)?,
            author: Author {
                url: self.author_url.as_deref().map_or_else(|| Ok(uri.clone()), parse_url)?,
                uri,
                name: self.author_name.unwrap_or_default(),
                handle: self.author_handle,
                avatar: self.author_avatar,
                indexable: self.author_indexable != Some(0),
                critic: self.critic_handle,
            },
            parent: self.parent_id,
            content: self.content,
            warning: self.warning,
            language: self.language,
            published: self.published_at.min(self.created_at),
            edited: self.edited_at,
            visibility: presence,
        };
        Ok(if presence == CommentVisibility::Shown { comment } else { placeholder(comment) })
    }
}

fn placeholder(comment: Comment) -> Comment {
    let author = Author { name: String::new(), handle: None, avatar: None, critic: None, ..comment.author };
    Comment { author, content: String::new(), warning: None, language: None, edited: None, ..comment }
}

/// How much readers see of a comment in this state.
pub(super) const fn visibility(state: CommentState) -> CommentVisibility {
    match state {
        CommentState::Shown => CommentVisibility::Shown,
        CommentState::Deleted => CommentVisibility::Deleted,
        CommentState::Hidden => CommentVisibility::Hidden,
        CommentState::Removed => CommentVisibility::Removed,
        CommentState::Held | CommentState::Withheld | CommentState::Private => CommentVisibility::Withheld,
    }
}

/// Comments of the review `$1` by their ids, with the first `$2` characters of their texts.
static LISTED: BulkStatement = BulkStatement::with(
    2,
    "select c.id, c.review_id, c.uri, c.url, p.id as parent_id, substr(c.content, 1, $2) as content, c.warning,
        c.language, c.state, c.published_at, c.created_at, c.edited_at, c.actor as author_uri, a.url as author_url,
        coalesce(k.name, a.name) as author_name, a.handle as author_handle,
        coalesce(k.avatar_name, a.avatar) as author_avatar, a.indexable as author_indexable,
        k.handle as critic_handle
     from comments c
     left join comments p on p.uri = c.parent_uri and p.review_id = c.review_id
     left join actors a on a.uri = c.actor
     left join critics k on k.id = c.critic_id
     where c.review_id = $1 and c.id in (",
    "#1",
    1,
    ")",
);

/// Lists comments of a review by their ids, in any order. Of each text there are at most `characters`. A comment that is
/// not shown is a placeholder without text and name.
pub async fn list_by_ids(
    db: &Db,
    review: ReviewId,
    ids: &[CommentId],
    characters: u32,
) -> Result<Vec<Comment>> {
    let mut comments = Vec::with_capacity(ids.len());
    for (text, _, ids) in LISTED.parts(ids) {
        let ids: Vec<CommentId> = ids.copied().collect();
        let rows: Vec<CommentRow> = with_db!(db, |c| {
            let query = sqlx::query_as(text).bind(review).bind(i32::try_from(characters).unwrap_or(i32::MAX));
            ids.iter().fold(query, |query, id| query.bind(*id)).fetch_all(c).await
        })?;
        for row in rows {
            comments.push(row.comment()?);
        }
    }
    Ok(comments)
}

/// Counts the comments of an actor below a review that are or were public, up to `limit`.
pub async fn count_by_author(tx: &mut Tx, review: ReviewId, actor: &url::Url, limit: u32) -> Result<u64> {
    let total: i64 = with_tx!(tx, |c| sqlx::query_scalar(
        "select count(*) from (select 1 from comments
            where actor = $1 and review_id = $2 and state <> 'private' limit $3) counted"
    )
    .bind(actor.as_str())
    .bind(review)
    .bind(i64::from(limit))
    .fetch_one(c)
    .await)?;
    Ok(to_unsigned(total))
}

/// Lists the ids of the public replies to a post, the oldest first.
pub async fn list_reply_uris(db: &Db, parent: &url::Url, limit: u32, offset: u32) -> Result<Vec<String>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select uri from comments where parent_uri = $1 and state = 'shown'
         order by created_at, id limit $2 offset $3",
    )
    .bind(parent.as_str())
    .bind(i64::from(limit))
    .bind(i64::from(offset))
    .fetch_all(c)
    .await)
}

/// Counts the public replies to a post.
pub async fn count_replies(db: &Db, parent: &url::Url) -> Result<u64> {
    let total: i64 = with_db!(db, |c| sqlx::query_scalar(
        "select count(*) from comments where parent_uri = $1 and state = 'shown'"
    )
    .bind(parent.as_str())
    .fetch_one(c)
    .await)?;
    Ok(to_unsigned(total))
}

/// Lists the ids of all public comments of a review, the oldest first.
pub async fn list_uris(db: &Db, review: ReviewId, limit: u32, offset: u32) -> Result<Vec<String>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select uri from comments where review_id = $1 and state = 'shown'
         order by created_at, id limit $2 offset $3",
    )
    .bind(review)
    .bind(i64::from(limit))
    .bind(i64::from(offset))
    .fetch_all(c)
    .await)
}

/// A stored comment without its text.
#[derive(Debug, Clone, FromRow)]
pub struct StoredComment {
    /// Its id here.
    pub id: CommentId,
    /// The review that it belongs to.
    pub review_id: ReviewId,
    /// The id of its author.
    pub actor: String,
    /// Whether readers see it.
    pub state: CommentState,
    /// When it was last edited, according to its author's server.
    pub edited_at: Option<Timestamp>,
    /// The signed date of the activity that changed it last.
    pub signed_at: Timestamp,
}

/// Finds a comment by its ActivityPub id.
pub async fn find_by_uri(db: &Db, uri: &url::Url) -> Result<Option<StoredComment>> {
    with_db!(db, |c| sqlx::query_as(
        "select id, review_id, actor, state, edited_at, signed_at from comments where uri = $1",
    )
    .bind(uri.as_str())
    .fetch_optional(c)
    .await)
}

/// Finds the critic of this site who wrote a comment that is shown.
pub async fn find_critic(db: &Db, id: CommentId) -> Result<Option<CriticId>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select critic_id from comments where id = $1 and critic_id is not null and state = 'shown'"
    )
    .bind(id)
    .fetch_optional(c)
    .await)
}

/// Finds a comment by its ActivityPub id, inside a transaction.
pub async fn find_in_tx(tx: &mut Tx, uri: &url::Url) -> Result<Option<StoredComment>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select id, review_id, actor, state, edited_at, signed_at from comments where uri = $1",
    )
    .bind(uri.as_str())
    .fetch_optional(c)
    .await)
}

/// A comment to store.
#[derive(Debug)]
pub struct NewComment<'a> {
    /// The review that it belongs to.
    pub review: ReviewId,
    /// Its id on the fediverse.
    pub uri: &'a url::Url,
    /// Its page.
    pub url: &'a url::Url,
    /// Its author.
    pub actor: &'a url::Url,
    /// The id of the post that it replies to.
    pub parent: &'a url::Url,
    /// Safe HTML.
    pub content: &'a str,
    /// Plain text.
    pub warning: Option<&'a str>,
    /// BCP 47.
    pub language: Option<&'a str>,
    /// When its author wrote it.
    pub published: Timestamp,
    /// When its author last edited it.
    pub edited: Option<Timestamp>,
    /// The signed date of the activity that contained it.
    pub signed_at: Timestamp,
    /// Its state.
    pub state: CommentState,
}

/// Inserts a comment. Returns false if there is one with this id.
pub async fn insert(tx: &mut Tx, written: &NewComment<'_>, now: Timestamp) -> Result<bool> {
    execute!(tx, sqlx::query(
        "insert into comments (id, review_id, uri, url, actor, parent_uri, content, warning, language, state,
            published_at, edited_at, signed_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $14, $10, $11, $12, $13)
         on conflict (uri) do nothing",
    )
    .bind(CommentId::new(now))
    .bind(written.review)
    .bind(written.uri.as_str())
    .bind(written.url.as_str())
    .bind(written.actor.as_str())
    .bind(written.parent.as_str())
    .bind(written.content)
    .bind(written.warning)
    .bind(written.language)
    .bind(written.published)
    .bind(written.edited)
    .bind(written.signed_at)
    .bind(now)
    .bind(written.state))
    .map(|rows| rows == 1)
}

/// Stores the id of a reply that is not public, and nothing else of it.
pub async fn insert_private(
    tx: &mut Tx,
    review: ReviewId,
    uri: &url::Url,
    actor: &url::Url,
    signed_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into comments (id, review_id, uri, url, actor, parent_uri, content, state, published_at,
                signed_at, created_at)
             values ($1, $2, $3, $3, $4, '', '', 'private', $5, $5, $6)
             on conflict (uri) do nothing",
        )
        .bind(CommentId::new(now))
        .bind(review)
        .bind(uri.as_str())
        .bind(actor.as_str())
        .bind(signed_at)
        .bind(now)
    )?;
    Ok(())
}

/// A newer version of a comment.
#[derive(Debug)]
pub struct CommentRevision<'a> {
    /// Its page.
    pub url: &'a url::Url,
    /// Safe HTML.
    pub content: &'a str,
    /// Plain text.
    pub warning: Option<&'a str>,
    /// BCP 47.
    pub language: Option<&'a str>,
    /// When its author edited it.
    pub edited: Timestamp,
    /// The signed date of the activity that contained it.
    pub signed_at: Timestamp,
}

/// Replaces the text of a comment. Its state and its place in the thread stay the same.
pub async fn update_content(tx: &mut Tx, id: CommentId, written: &CommentRevision<'_>) -> Result<()> {
    execute!(tx, sqlx::query(
        "update comments set url = $2, content = $3, warning = $4, language = $5, edited_at = $6, signed_at = $7
         where id = $1 and state in ('shown', 'held', 'hidden', 'withheld')",
    )
    .bind(id)
    .bind(written.url.as_str())
    .bind(written.content)
    .bind(written.warning)
    .bind(written.language)
    .bind(written.edited)
    .bind(written.signed_at))?;
    Ok(())
}

/// Erases the text of a comment.
macro_rules! erase_text {
    () => {
        "content = '', source = null, mentions = null, warning = null, language = null, url = uri, edited_at = null"
    };
}

/// Erases the text of a comment that its author deleted. It stays in the thread as a placeholder, unless it was
/// private.
pub async fn mark_deleted(tx: &mut Tx, id: CommentId, signed_at: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        sqlx::query(
            concat!(
                "update comments set state = case when state = 'private' then state else 'deleted' end, signed_at = $2, ",
                erase_text!(),
                " where id = $1",
            )
        )
        .bind(id)
        .bind(signed_at)
    )?;
    tx.record_erasure(rows);
    Ok(())
}

/// The same for all comments of an actor.
pub async fn mark_all_deleted(tx: &mut Tx, actor: &url::Url, signed_at: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        sqlx::query(
            concat!(
                "update comments set state = case when state = 'private' then state else 'deleted' end, signed_at = $2, ",
                erase_text!(),
                " where actor = $1",
            )
        )
        .bind(actor.as_str())
        .bind(signed_at)
    )?;
    tx.record_erasure(rows);
    Ok(())
}

/// Permanently erases the text of a comment for the critic.
pub async fn mark_removed(tx: &mut Tx, id: CommentId) -> Result<()> {
    let rows = execute!(
        tx,
        sqlx::query(concat!(
            "update comments set state = 'removed', ",
            erase_text!(),
            " where id = $1 and state not in ('deleted', 'private')",
        ))
        .bind(id)
    )?;
    tx.record_erasure(rows);
    Ok(())
}

/// Withholds an actor's comments on a critic's reviews while it blocks the critic.
pub async fn withhold_by_author(tx: &mut Tx, actor: &url::Url, critic: CriticId) -> Result<()> {
    transition_all_by(tx, actor, critic, CommentState::Shown, CommentState::Withheld).await
}

/// Shows them again.
pub async fn release_by_author(tx: &mut Tx, actor: &url::Url, critic: CriticId) -> Result<()> {
    transition_all_by(tx, actor, critic, CommentState::Withheld, CommentState::Shown).await
}

async fn transition_all_by(
    tx: &mut Tx,
    actor: &url::Url,
    critic: CriticId,
    from: CommentState,
    to: CommentState,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update comments set state = $4 where actor = $1 and state = $3
                and review_id in (select id from reviews where critic_id = $2)"
        )
        .bind(actor.as_str())
        .bind(critic)
        .bind(from)
        .bind(to)
    )?;
    Ok(())
}

/// Whether a comment of that actor is hidden or held, or was removed by the critic.
pub async fn has_unwanted(tx: &mut Tx, actor: &url::Url) -> Result<bool> {
    let query = "select id from comments where actor = $1 and state in ('hidden', 'held', 'removed') limit 1";
    let unwanted: Option<String> =
        with_tx!(tx, |c| sqlx::query_scalar(query).bind(actor.as_str()).fetch_optional(c).await)?;
    Ok(unwanted.is_some())
}

/// How many comments of an actor are in each state.
pub async fn count_by_actor(db: &Db, actor: &url::Url) -> Result<Vec<(CommentState, i64)>> {
    let query = "select state, count(*) from comments where actor = $1 group by state order by state";
    with_db!(db, |c| sqlx::query_as(query).bind(actor.as_str()).fetch_all(c).await)
}
