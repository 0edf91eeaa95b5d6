//! Entries of feeds, and the keys by which a known entry is recognized.

use std::collections::HashMap;

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::compressed_text::{compress, decompress};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::feed::{Feed, HoldReason, PendingReason};
use crate::domain::feed_entry::EntrySource;
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
    /// The same before its last change.
    pub previous_hash: Option<String>,
    /// The hash of a change that is not applied yet.
    pub pending_hash: Option<String>,
    /// Why that change waits.
    pub pending_reason: Option<PendingReason>,
    /// The `publish_since` of the feed when the entry was first seen.
    pub publish_since: Option<Timestamp>,
}

/// The columns of [`StoredEntry`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, feed_id, guid, url, review_id, content_hash, previous_hash, pending_hash, pending_reason,
                publish_since
             from feed_entries where ",
            $rest
        )
    };
}

/// Finds an entry by feed and id in the feed.
pub async fn find_by_guid(tx: &mut Tx, feed: FeedId, guid: &str) -> Result<Option<StoredEntry>> {
    with_tx!(tx, |c| sqlx::query_as(select!("feed_id = $1 and guid = $2 order by id limit 1"),)
        .bind(feed)
        .bind(guid)
        .fetch_optional(c)
        .await)
}

static SELECT_BY_GUIDS: BulkStatement =
    BulkStatement::with(1, select!("feed_id = $1 and guid in (values"), "(#1)", 1, ") order by id");

static SELECT_BY_URLS: BulkStatement =
    BulkStatement::with(1, select!("feed_id = $1 and url in (values"), "(#1)", 1, ") order by id");

/// Lists the entries of a feed with any of these ids in the feed, the oldest of each part of the list first.
pub async fn list_by_guids(tx: &mut Tx, feed: FeedId, guids: &[&str]) -> Result<Vec<StoredEntry>> {
    list_by(tx, &SELECT_BY_GUIDS, feed, guids).await
}

/// Lists the entries of a feed with any of these normalized URLs, the oldest of each part of the list first.
pub async fn list_by_urls(tx: &mut Tx, feed: FeedId, urls: &[&str]) -> Result<Vec<StoredEntry>> {
    list_by(tx, &SELECT_BY_URLS, feed, urls).await
}

async fn list_by(
    tx: &mut Tx,
    statement: &'static BulkStatement,
    feed: FeedId,
    values: &[&str],
) -> Result<Vec<StoredEntry>> {
    let mut found = Vec::new();
    for (text, _, part) in statement.parts(values) {
        let rows: Vec<StoredEntry> = with_tx!(tx, |c| {
            let query = sqlx::query_as(text).bind(feed);
            part.fold(query, |query, value| query.bind(*value)).fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Selects the entry with this value (`$2`) in a column, first of this feed (`$1`), then of the critic's (`$3`) other feeds.
macro_rules! select_in_feeds_of_critic {
    ($column:literal) => {
        concat!(
            select!(""),
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

/// Lists why reviews of feeds are held.
pub async fn list_hold_reasons(db: &Db) -> Result<HashMap<ReviewId, HoldReason>> {
    let query = "select review_id, hold_reason from feed_entries where hold_reason is not null and review_id is not null";
    let reasons: Vec<(ReviewId, HoldReason)> = with_db!(db, |c| sqlx::query_as(query).fetch_all(c).await)?;
    Ok(reasons.into_iter().collect())
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
    /// What the entry was read from.
    pub source: &'a EntrySource,
    /// The `publish_since` of its feed.
    pub publish_since: Timestamp,
    /// The review.
    pub review: Option<ReviewId>,
    /// Why the review is held.
    pub hold_reason: Option<HoldReason>,
}

/// Inserts or updates an entry. The reason why it is held, and the `publish_since` of when it was first seen, stay the same
/// on an update; a change that waited is not pending any more.
pub async fn upsert(tx: &mut Tx, seen: &EntryRecord<'_>, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into feed_entries (id, feed_id, guid, url, text_hash, content_hash, review_id, hold_reason,
            first_seen_at, last_seen_at, source, publish_since)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)
         on conflict (id) do update set guid = coalesce(excluded.guid, feed_entries.guid),
            url = coalesce(excluded.url, feed_entries.url), text_hash = excluded.text_hash,
            previous_hash = case when feed_entries.content_hash = excluded.content_hash
                then feed_entries.previous_hash else feed_entries.content_hash end,
            content_hash = excluded.content_hash, review_id = coalesce(excluded.review_id, feed_entries.review_id),
            last_seen_at = excluded.last_seen_at, source = excluded.source,
            pending_source = null, pending_hash = null, pending_reason = null",
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
        .bind(pack(seen.source)?)
        .bind(seen.publish_since)
    )?;
    Ok(())
}

/// What a stored hash begins with. A compressed text cannot begin with this byte (RFC 1951 section 3.2.3).
const HASH_MARK: u8 = 0xff;

/// Returns the stored form of what an entry was read from.
fn pack(source: &EntrySource) -> Result<Vec<u8>> {
    match source {
        EntrySource::Document(document) => compress(document),
        EntrySource::Hash(hash) => Ok([&[HASH_MARK], hash.as_bytes()].concat()),
    }
}

fn unpack(bytes: &[u8]) -> Result<EntrySource> {
    match bytes {
        [] => Ok(EntrySource::Hash(String::new())),
        [HASH_MARK, hash @ ..] => Ok(EntrySource::Hash(String::from_utf8_lossy(hash).into_owned())),
        bytes => Ok(EntrySource::Document(decompress(bytes)?)),
    }
}

/// Returns what an entry was read from when its review was last changed; `None` if an earlier version of Marquee, which kept no
/// sources, read it.
pub async fn find_source(tx: &mut Tx, id: EntryId) -> Result<Option<EntrySource>> {
    let query = "select source from feed_entries where id = $1";
    let bytes: Option<Option<Vec<u8>>> =
        with_tx!(tx, |c| sqlx::query_scalar(query).bind(id).fetch_optional(c).await)?;
    bytes.flatten().as_deref().map(unpack).transpose()
}

/// A change that is not applied yet.
#[derive(Debug)]
pub struct PendingChange<'a> {
    /// Its entry.
    pub entry: EntryId,
    /// The new id in the feed.
    pub guid: Option<&'a str>,
    /// The new normalized URL.
    pub url: Option<&'a str>,
    /// What the change was read from.
    pub source: &'a EntrySource,
    /// The hash of the new content.
    pub content_hash: &'a str,
    /// Why it waits.
    pub reason: PendingReason,
}

/// Keeps a change until a later poll or the critic applies it. The entry is recognized by its new id and URL at once.
pub async fn save_pending(tx: &mut Tx, change: &PendingChange<'_>, now: Timestamp) -> Result<()> {
    let query =
        "update feed_entries set guid = coalesce($2, guid), url = coalesce($3, url), pending_source = $4,
            pending_hash = $5, pending_reason = $6, last_seen_at = $7 where id = $1";
    execute!(
        tx,
        sqlx::query(query)
            .bind(change.entry)
            .bind(change.guid)
            .bind(change.url)
            .bind(pack(change.source)?)
            .bind(change.content_hash)
            .bind(change.reason)
            .bind(now)
    )?;
    Ok(())
}

/// Forgets a change that waited, since the entry is again what its review was made from.
pub async fn clear_pending(tx: &mut Tx, id: EntryId) -> Result<()> {
    let query = "update feed_entries set pending_source = null, pending_hash = null, pending_reason = null where id = $1";
    execute!(tx, sqlx::query(query).bind(id))?;
    Ok(())
}

/// An entry whose review, or whose change, waits to be published.
#[derive(Debug, FromRow)]
pub struct WaitingEntry {
    /// Its id here.
    pub id: EntryId,
    /// The id that the feed gives it.
    pub guid: Option<String>,
    /// The key of its URL.
    pub url: Option<String>,
    /// Its review.
    pub review_id: Option<ReviewId>,
}

/// Lists the entries of a feed that later polls publish, that are scheduled, or that have a change that waits.
pub async fn list_waiting(tx: &mut Tx, feed: FeedId) -> Result<Vec<WaitingEntry>> {
    let query = "select e.id, e.guid, e.url, e.review_id
        from feed_entries e left join reviews r on r.id = e.review_id
        where e.feed_id = $1
            and (e.hold_reason = 'next_poll' or e.pending_reason is not null or r.state = 'scheduled')
            and (e.pending_reason is not null or r.state in ('held', 'scheduled'))";
    with_tx!(tx, |c| sqlx::query_as(query).bind(feed).fetch_all(c).await)
}

/// Leaves the review of an entry to the critic, and forgets a change that waits.
pub async fn stop_waiting(tx: &mut Tx, id: EntryId) -> Result<()> {
    let query = "update feed_entries set hold_reason = null, pending_source = null, pending_hash = null,
        pending_reason = null where id = $1";
    execute!(tx, sqlx::query(query).bind(id))?;
    Ok(())
}

/// Whether any entry of a feed has a change that waits.
pub async fn has_pending(tx: &mut Tx, feed: FeedId) -> Result<bool> {
    let query =
        "select exists (select 1 from feed_entries where feed_id = $1 and pending_reason is not null)";
    with_tx!(tx, |c| sqlx::query_scalar(query).bind(feed).fetch_one(c).await)
}

/// Forgets a change that waits for another entry, since it came in as a review of its own.
pub async fn clear_pending_with_hash(tx: &mut Tx, feed: FeedId, content_hash: &str) -> Result<()> {
    let query = "update feed_entries set pending_source = null, pending_hash = null, pending_reason = null
        where feed_id = $1 and pending_hash = $2";
    execute!(tx, sqlx::query(query).bind(feed).bind(content_hash))?;
    Ok(())
}

/// Takes an id and a URL from the entry of a review, if it has them, and the change that waited: they are another entry's.
pub async fn release_ids(tx: &mut Tx, id: EntryId, guid: Option<&str>, url: Option<&str>) -> Result<()> {
    let query =
        "update feed_entries set guid = nullif(guid, $2), url = nullif(url, $3), pending_source = null,
            pending_hash = null, pending_reason = null where id = $1";
    execute!(tx, sqlx::query(query).bind(id).bind(guid).bind(url))?;
    Ok(())
}

/// Returns the document of a change that waits; `None` if there is none, or if it was too large to be kept.
pub async fn find_pending(tx: &mut Tx, id: EntryId) -> Result<Option<String>> {
    let bytes: Option<Option<Vec<u8>>> =
        with_tx!(tx, |c| sqlx::query_scalar(SELECT_PENDING).bind(id).fetch_optional(c).await)?;
    unpack_document(bytes.flatten().as_deref())
}

/// The same, outside a transaction.
pub async fn read_pending(db: &Db, id: EntryId) -> Result<Option<String>> {
    let bytes: Option<Option<Vec<u8>>> =
        with_db!(db, |c| sqlx::query_scalar(SELECT_PENDING).bind(id).fetch_optional(c).await)?;
    unpack_document(bytes.flatten().as_deref())
}

const SELECT_PENDING: &str = "select pending_source from feed_entries where id = $1";

fn unpack_document(bytes: Option<&[u8]>) -> Result<Option<String>> {
    match bytes.map(unpack).transpose()? {
        Some(EntrySource::Document(document)) => Ok(Some(document)),
        None | Some(EntrySource::Hash(_)) => Ok(None),
    }
}

/// Lists entries of a feed with a change that waits for its turn, the oldest first.
pub async fn list_pending(tx: &mut Tx, feed: FeedId, limit: u32) -> Result<Vec<StoredEntry>> {
    let query = select!("feed_id = $1 and pending_reason = 'update_limit' order by id limit $2");
    with_tx!(tx, |c| sqlx::query_as(query).bind(feed).bind(i64::from(limit)).fetch_all(c).await)
}

/// Lists entries of a feed with a change that waits, for its turn or for the critic, the oldest first.
pub async fn list_kept_back(db: &Db, feed: FeedId) -> Result<Vec<StoredEntry>> {
    let query = select!("feed_id = $1 and pending_reason is not null order by id");
    with_db!(db, |c| sqlx::query_as(query).bind(feed).fetch_all(c).await)
}

/// Moves an entry and its review to another feed. What that one knows of the same review is replaced.
pub async fn move_entry(tx: &mut Tx, entry: &StoredEntry, to: FeedId) -> Result<()> {
    if let Some(review) = entry.review_id {
        let query = "delete from feed_entries where feed_id = $1 and review_id = $2";
        execute!(tx, sqlx::query(query).bind(to).bind(review))?;
        execute!(tx, sqlx::query("update reviews set feed_id = $1 where id = $2").bind(to).bind(review))?;
    }
    execute!(tx, sqlx::query("update feed_entries set feed_id = $1 where id = $2").bind(to).bind(entry.id))?;
    Ok(())
}

/// Lists the entries of the critic's feeds that are not in the config any more whose reviews this feed has, too.
pub async fn list_of_predecessors(tx: &mut Tx, feed: &Feed) -> Result<Vec<StoredEntry>> {
    let query = select!(
        "feed_id in (select id from feeds where critic_id = $1 and managed = 0)
            and review_id in (select review_id from feed_entries where feed_id = $2 and review_id is not null)
         order by id"
    );
    with_tx!(tx, |c| sqlx::query_as(query).bind(feed.critic).bind(feed.id).fetch_all(c).await)
}

/// Finds the entry that is the source of a review.
pub async fn find_by_review(tx: &mut Tx, feed: FeedId, review: ReviewId) -> Result<Option<StoredEntry>> {
    let query = select!("feed_id = $1 and review_id = $2 order by id limit 1");
    with_tx!(tx, |c| sqlx::query_as(query).bind(feed).bind(review).fetch_optional(c).await)
}
