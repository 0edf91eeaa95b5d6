//! Entries of feeds, and the keys by which a known entry is recognized.

use sqlx::FromRow;

use super::{Result, Tx, execute, with_tx};
use crate::domain::feed::{Feed, HoldReason};
use crate::domain::id::{CriticId, EntryId, FeedId, ReviewId};
use crate::domain::time::Timestamp;

/// A stored entry.
#[derive(Debug, Clone, FromRow)]
pub struct StoredEntry {
    /// Its id.
    pub id: EntryId,
    /// The feed that contains it.
    pub feed_id: FeedId,
    /// Its id in the feed.
    pub guid: Option<String>,
    /// Its normalized URL.
    pub url: Option<String>,
    /// The review that it became, or was identified as.
    pub review_id: Option<ReviewId>,
    /// The hash of everything that a reader would notice.
    pub content_hash: String,
}

/// Finds an entry by feed and id in the feed.
pub async fn find_by_guid(tx: &mut Tx, feed: FeedId, guid: &str) -> Result<Option<StoredEntry>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select id, feed_id, guid, url, review_id, content_hash from feed_entries
         where feed_id = $1 and guid = $2 order by id limit 1",
    )
    .bind(feed)
    .bind(guid)
    .fetch_optional(c)
    .await)
}

/// Selects the entry with this value (`$2`) in a column, first of this feed (`$1`), then of the critic's (`$3`) other feeds.
macro_rules! select_in_feeds_of_critic {
    ($column:literal) => {
        concat!(
            "select id, feed_id, guid, url, review_id, content_hash from feed_entries where ",
            $column,
            " = $2 and feed_id in (select id from feeds where critic_id = $3)
             order by case when feed_id = $1 then 0 else 1 end, id limit 1"
        )
    };
}

/// Whether a feed has any entry.
pub async fn exists(tx: &mut Tx, feed: FeedId) -> Result<bool> {
    with_tx!(tx, |c| sqlx::query_scalar("select exists (select 1 from feed_entries where feed_id = $1)")
        .bind(feed)
        .fetch_one(c)
        .await)
}

/// Finds an entry by normalized URL, first in this feed, then in the critic's other feeds.
pub async fn find_by_url(tx: &mut Tx, feed: &Feed, url: &str) -> Result<Option<StoredEntry>> {
    find_in_feeds_of_critic(tx, select_in_feeds_of_critic!("url"), feed, url).await
}

/// Finds an entry by the hash of its text, first in this feed, then in the critic's other feeds.
pub async fn find_by_text(tx: &mut Tx, feed: &Feed, text_hash: &str) -> Result<Option<StoredEntry>> {
    find_in_feeds_of_critic(tx, select_in_feeds_of_critic!("text_hash"), feed, text_hash).await
}

async fn find_in_feeds_of_critic(
    tx: &mut Tx,
    query: &'static str,
    feed: &Feed,
    value: &str,
) -> Result<Option<StoredEntry>> {
    with_tx!(tx, |c| sqlx::query_as(query)
        .bind(feed.id)
        .bind(value)
        .bind(feed.critic)
        .fetch_optional(c)
        .await)
}

/// Finds a critic's review by canonical URL.
pub async fn find_review_by_url(tx: &mut Tx, critic: CriticId, url: &str) -> Result<Option<ReviewId>> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select id from reviews where canonical_key = $1 and critic_id = $2 order by id limit 1"
    )
    .bind(url)
    .bind(critic)
    .fetch_optional(c)
    .await)
}

/// Holds a review until a later poll publishes it.
pub async fn hold_until_next_poll(tx: &mut Tx, review: ReviewId) -> Result<()> {
    execute!(
        tx,
        sqlx::query("update feed_entries set hold_reason = 'next_poll' where review_id = $1").bind(review)
    )?;
    Ok(())
}

/// An entry to store.
#[derive(Debug)]
pub struct EntryRecord<'a> {
    /// Its id.
    pub id: EntryId,
    /// The feed that contains it.
    pub feed: FeedId,
    /// Its id in the feed.
    pub guid: Option<&'a str>,
    /// Its normalized URL.
    pub url: Option<&'a str>,
    /// The hash of its visible text.
    pub text_hash: &'a str,
    /// The hash of everything that a reader would notice.
    pub content_hash: &'a str,
    /// The review.
    pub review: Option<ReviewId>,
    /// Why the review is held.
    pub hold_reason: Option<HoldReason>,
}

/// Inserts or updates an entry. The reason why it is held stays the same on an update.
pub async fn upsert(tx: &mut Tx, seen: &EntryRecord<'_>, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into feed_entries (id, feed_id, guid, url, text_hash, content_hash, review_id, hold_reason,
            first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         on conflict (id) do update set guid = coalesce(excluded.guid, feed_entries.guid),
            url = coalesce(excluded.url, feed_entries.url), text_hash = excluded.text_hash,
            content_hash = excluded.content_hash, review_id = coalesce(excluded.review_id, feed_entries.review_id),
            last_seen_at = excluded.last_seen_at",
        )
        .bind(seen.id)
        .bind(seen.feed)
        .bind(seen.guid)
        .bind(seen.url)
        .bind(seen.text_hash)
        .bind(seen.content_hash)
        .bind(seen.review)
        .bind(seen.hold_reason)
        .bind(now)
    )?;
    Ok(())
}
