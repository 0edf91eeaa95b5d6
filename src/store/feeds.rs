//! Feeds and their leases.

use std::time::Duration;

use sqlx::FromRow;

use super::column_types::{from_json, to_json, to_unsigned};
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::feed::{Feed, PageProgress};
use crate::domain::feed_selection::FeedSelection;
use crate::domain::id::{CriticId, FeedId, LeaseId};
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct FeedRow {
    id: FeedId,
    critic_id: CriticId,
    name: String,
    url: String,
    interval_ms: i64,
    publish_since: Timestamp,
    max_publish_per_poll: i64,
    selection: String,
    etag: Option<String>,
    last_modified: Option<String>,
    failures: i64,
    read_url: Option<String>,
    parser_version: Option<String>,
    user_agent: Option<String>,
    page_interval_ms: i64,
    resolved_url: Option<String>,
    next_page: Option<String>,
    pages_read: i64,
    pages_archived: i64,
    page_failures: i64,
    page_retry_at: Timestamp,
    authors: Option<String>,
}

impl FeedRow {
    fn feed(self) -> Result<Feed> {
        let row = self;
        let count = |value: i64| u32::try_from(value).unwrap_or(0);
        Ok(Feed {
            id: row.id,
            critic: row.critic_id,
            name: row.name,
            url: row.url,
            interval: Duration::from_millis(to_unsigned(row.interval_ms)),
            publish_since: row.publish_since,
            max_publish_per_poll: count(row.max_publish_per_poll),
            selection: from_json(&row.selection)?,
            etag: row.etag,
            last_modified: row.last_modified,
            failures: count(row.failures),
            read_url: row.read_url,
            parser_version: row.parser_version,
            user_agent: row.user_agent,
            page_interval: Duration::from_millis(to_unsigned(row.page_interval_ms)),
            resolved_url: row.resolved_url,
            pages: PageProgress {
                next: row.next_page,
                read: count(row.pages_read),
                archived: count(row.pages_archived),
                failures: count(row.page_failures),
                retry_at: row.page_retry_at,
            },
            authors: row.authors.as_deref().map(from_json).transpose()?,
        })
    }
}

/// A feed in the config file.
#[derive(Debug)]
pub struct ConfiguredFeed<'a> {
    /// The critic whose reviews it carries.
    pub critic: CriticId,
    /// Its name.
    pub name: &'a str,
    /// Its URL, or the path of a local file.
    pub url: &'a str,
    /// How often it is polled.
    pub interval: Duration,
    /// Entries dated before this are archived. If `None`: before the feed was added.
    pub publish_since: Option<Timestamp>,
    /// The most reviews that one poll may publish.
    pub max_publish_per_poll: u32,
    /// Which entries are reviews.
    pub selection: &'a FeedSelection,
    /// The `User-Agent` of requests for the feed, instead of Marquee's own.
    pub user_agent: Option<&'a str>,
    /// The pause between requests for its pages.
    pub page_interval: Duration,
}

/// Inserts or updates a feed from the config file. If its URL changed, the feed is fetched without validators, redirects
/// and its authors are forgotten, and its older pages are read again. If its selection changed, so that entries may be taken that
/// were left out before, it is read anew, too, and undated entries are archived once more. If its interval is shorter now, it is
/// polled after that one at the latest. A feed that is in the config again counts as added
/// now: what it published meanwhile is old.
pub async fn upsert_from_config(
    tx: &mut Tx,
    feed: &ConfiguredFeed<'_>,
    added: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    execute!(tx, sqlx::query(
        "insert into feeds (id, critic_id, name, url, managed, interval_ms, publish_since, max_publish_per_poll,
            failures, next_poll_at, created_at, selection, user_agent, page_interval_ms)
         values ($1, $2, $3, $4, 1, $5, coalesce($6, $7), $8, 0, 0, $9, $10, $11, $12)
         on conflict (name) do update set critic_id = excluded.critic_id,
            etag = case when feeds.url = excluded.url and feeds.selection = excluded.selection
                then feeds.etag end,
            last_modified = case when feeds.url = excluded.url and feeds.selection = excluded.selection
                then feeds.last_modified end,
            next_poll_at = case when feeds.url <> excluded.url or feeds.selection <> excluded.selection then 0
                when excluded.interval_ms < feeds.interval_ms and $9 + excluded.interval_ms < feeds.next_poll_at
                    and feeds.failures = 0 and coalesce(feeds.page_retry_at, 0) <= $9
                then $9 + excluded.interval_ms else feeds.next_poll_at end,
            read_url = case when feeds.selection = excluded.selection and feeds.managed = 1 then feeds.read_url end,
            selection = excluded.selection,
            resolved_url = case when feeds.url = excluded.url then feeds.resolved_url end,
            next_page = case when feeds.url = excluded.url and feeds.selection = excluded.selection
                then feeds.next_page end,
            pages_read = case when feeds.url = excluded.url and feeds.selection = excluded.selection
                then feeds.pages_read else 0 end,
            authors = case when feeds.url = excluded.url and feeds.selection = excluded.selection
                then feeds.authors end,
            user_agent = excluded.user_agent, page_interval_ms = excluded.page_interval_ms,
            url = excluded.url, managed = 1, interval_ms = excluded.interval_ms,
            publish_since = coalesce($6, case when feeds.managed = 1 then feeds.publish_since else $7 end),
            max_publish_per_poll = excluded.max_publish_per_poll",
    )
    .bind(FeedId::new(now))
    .bind(feed.critic)
    .bind(feed.name)
    .bind(feed.url)
    .bind(millis(feed.interval))
    .bind(feed.publish_since)
    .bind(added)
    .bind(i64::from(feed.max_publish_per_poll))
    .bind(now)
    .bind(to_json(feed.selection))
    .bind(feed.user_agent)
    .bind(millis(feed.page_interval)))?;
    Ok(())
}

/// Gives a feed the name that it has in the config file now, if it has the URL of a feed of the same critic that is not in the
/// config file any more. Its entries, its reviews and its log stay with it.
pub async fn rename_from_config(tx: &mut Tx, feed: &ConfiguredFeed<'_>, names: &[&str]) -> Result<()> {
    let query = "select name from feeds where (critic_id = $1 and url = $2) or name = $3 order by managed desc, id desc";
    let known: Vec<String> = with_tx!(tx, |c| sqlx::query_scalar(query)
        .bind(feed.critic)
        .bind(feed.url)
        .bind(feed.name)
        .fetch_all(c)
        .await)?;
    let old = known.iter().find(|name| !names.contains(&name.as_str()));
    if let Some(old) = old.filter(|_| known.iter().all(|name| name != feed.name)) {
        execute!(tx, sqlx::query("update feeds set name = $2 where name = $1").bind(old).bind(feed.name))?;
    }
    Ok(())
}

/// Marks all other feeds as not in the config file: they are not polled, and their reviews stay.
pub async fn mark_others_unmanaged(tx: &mut Tx, names: &[&str]) -> Result<()> {
    let query = "select name from feeds where managed = 1";
    let managed: Vec<String> = with_tx!(tx, |c| sqlx::query_scalar(query).fetch_all(c).await)?;
    for name in managed.iter().filter(|name| !names.contains(&name.as_str())) {
        execute!(tx, sqlx::query("update feeds set managed = 0 where name = $1").bind(name))?;
    }
    Ok(())
}

/// Lists the feeds of the config file by name.
pub async fn list_all(db: &Db) -> Result<Vec<Feed>> {
    let rows: Vec<FeedRow> =
        with_db!(db, |c| sqlx::query_as("select * from feeds where managed = 1 order by name")
            .fetch_all(c)
            .await)?;
    rows.into_iter().map(FeedRow::feed).collect()
}

/// Claims the feed that has been due longest.
pub async fn claim_due(
    tx: &mut Tx,
    lease: LeaseId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Feed>> {
    let row: Option<FeedRow> = claim_rows!(
        tx,
        "with picked as materialized (
            select id from feeds
            where managed = 1 and next_poll_at <= $1 and (lease_until is null or lease_until <= $1)
            order by next_poll_at limit 1",
        ") update feeds set lease = $2, lease_until = $3
          where id in (select id from picked) returning *",
        |query, c| sqlx::query_as(query).bind(now).bind(lease).bind(until).fetch_optional(c).await
    )?;
    row.map(FeedRow::feed).transpose()
}

/// Finds a feed of the config file.
pub async fn find(tx: &mut Tx, id: FeedId) -> Result<Option<Feed>> {
    let row: Option<FeedRow> =
        with_tx!(tx, |c| sqlx::query_as("select * from feeds where id = $1 and managed = 1")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    row.map(FeedRow::feed).transpose()
}

/// Finds a feed, even if it has left the config.
pub async fn find_even_removed(tx: &mut Tx, id: FeedId) -> Result<Option<Feed>> {
    let row: Option<FeedRow> = with_tx!(tx, |c| sqlx::query_as("select * from feeds where id = $1")
        .bind(id)
        .fetch_optional(c)
        .await)?;
    row.map(FeedRow::feed).transpose()
}

/// Claims a feed, due or not, unless another worker holds its lease.
pub async fn claim(
    tx: &mut Tx,
    feed: FeedId,
    lease: LeaseId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Feed>> {
    let row: Option<FeedRow> = with_tx!(tx, |c| sqlx::query_as(
        "update feeds set lease = $2, lease_until = $3
         where id = $1 and (lease_until is null or lease_until <= $4) returning *",
    )
    .bind(feed)
    .bind(lease)
    .bind(until)
    .bind(now)
    .fetch_optional(c)
    .await)?;
    row.map(FeedRow::feed).transpose()
}

/// The result of a poll.
#[derive(Debug)]
pub struct PollResult<'a> {
    /// The `ETag` of the response.
    pub etag: Option<&'a str>,
    /// Its `Last-Modified`.
    pub last_modified: Option<&'a str>,
    /// Polls that failed in a row.
    pub failures: u32,
    /// When to poll again.
    pub next_poll_at: Timestamp,
    /// The URL at which this poll read the feed to its last page, if it did.
    pub read_url: Option<&'a str>,
    /// The version of Marquee that read the feed, if it could be read.
    pub parser_version: Option<&'a str>,
    /// The URL to request instead of the configured one.
    pub resolved_url: Option<&'a str>,
    /// The authors of its entries so far.
    pub authors: Option<&'a [String]>,
}

/// Saves the result of a poll and ends the lease, unless the lease was lost.
pub async fn finish_poll(tx: &mut Tx, feed: FeedId, lease: LeaseId, polled: &PollResult<'_>) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update feeds set etag = $3, last_modified = $4, failures = $5, next_poll_at = $6,
                read_url = coalesce($7, read_url), resolved_url = $8,
                parser_version = coalesce($9, parser_version), authors = coalesce($10, authors), lease = null, lease_until = null
             where id = $1 and lease = $2",
        )
        .bind(feed)
        .bind(lease)
        .bind(polled.etag)
        .bind(polled.last_modified)
        .bind(i64::from(polled.failures))
        .bind(polled.next_poll_at)
        .bind(polled.read_url)
        .bind(polled.resolved_url)
        .bind(polled.parser_version)
        .bind(polled.authors.as_ref().map(to_json))
    )?;
    Ok(())
}

/// Saves how far the pages of a feed have been read, unless the lease was lost.
pub async fn save_page_progress(
    tx: &mut Tx,
    feed: FeedId,
    lease: LeaseId,
    progress: &PageProgress,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update feeds set next_page = $3, pages_read = $4, pages_archived = $5, page_failures = $6,
                page_retry_at = $7
             where id = $1 and lease = $2",
        )
        .bind(feed)
        .bind(lease)
        .bind(progress.next.as_deref())
        .bind(i64::from(progress.read))
        .bind(i64::from(progress.archived))
        .bind(i64::from(progress.failures))
        .bind(progress.retry_at)
    )?;
    Ok(())
}

/// Returns the hashes of the texts of a feed's entries, in their order, when it last had entries without a date.
pub async fn find_entry_order(tx: &mut Tx, feed: FeedId) -> Result<Option<Vec<String>>> {
    let query = "select entry_order from feeds where id = $1";
    let order: Option<Option<String>> =
        with_tx!(tx, |c| sqlx::query_scalar(query).bind(feed).fetch_optional(c).await)?;
    order.flatten().as_deref().map(from_json).transpose()
}

/// Saves the order of a feed's entries.
pub async fn save_entry_order(tx: &mut Tx, feed: FeedId, order: &[String]) -> Result<()> {
    let query = "update feeds set entry_order = $2 where id = $1";
    execute!(tx, sqlx::query(query).bind(feed).bind(to_json(&order)))?;
    Ok(())
}

/// Makes the feed due that has waited longest to read its older pages, except this one.
pub async fn poll_next_postponed(tx: &mut Tx, except: FeedId, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update feeds set next_poll_at = $2 where id = (
                select id from feeds where next_page is not null and managed = 1 and id <> $1 and failures = 0
                    and page_retry_at <= $2 order by next_poll_at limit 1
            ) and next_poll_at > $2",
        )
        .bind(except)
        .bind(now)
    )?;
    Ok(())
}
