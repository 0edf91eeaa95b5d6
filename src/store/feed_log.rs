//! The log of each feed: what was decided about its entries, and why.

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::feed::IngestDecision;
use crate::domain::id::{FeedId, Id};
use crate::domain::time::Timestamp;

/// Lines of the log that are kept for each feed.
const MAX_LINES: i64 = 5_000;

/// A line of the log.
#[derive(Debug, FromRow)]
pub struct FeedLogLine {
    /// The feed's name.
    pub feed: String,
    /// When it was decided.
    pub at: Timestamp,
    /// The decision.
    pub decision: IngestDecision,
    /// The title of the entry, or the name of the feed.
    pub subject: String,
    /// The reason.
    pub reason: String,
}

impl std::fmt::Display for FeedLogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} “{}”: {}", self.at, self.feed, self.decision, self.subject, self.reason)
    }
}

/// Appends a decision to the log.
pub async fn append(
    tx: &mut Tx,
    feed: FeedId,
    decision: IngestDecision,
    subject: &str,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    execute!(tx, sqlx::query(
        "insert into feed_log (id, feed_id, created_at, decision, subject, reason) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(Id::<FeedLogLine>::new(now))
    .bind(feed)
    .bind(now)
    .bind(decision)
    .bind(subject)
    .bind(reason))?;
    Ok(())
}

/// Appends a decision unless the log has the same one. Returns whether it did.
pub async fn append_once(
    tx: &mut Tx,
    feed: FeedId,
    decision: IngestDecision,
    subject: &str,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    let query = "select id from feed_log where feed_id = $1 and decision = $2 and subject = $3 and reason = $4 limit 1";
    let known: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(query)
        .bind(feed)
        .bind(decision)
        .bind(subject)
        .bind(reason)
        .fetch_optional(c)
        .await)?;
    if known.is_none() {
        append(tx, feed, decision, subject, reason, now).await?;
    }
    Ok(known.is_none())
}

/// Deletes the oldest lines of a feed's log beyond the limit.
pub async fn trim(tx: &mut Tx, feed: FeedId) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "delete from feed_log where feed_id = $1 and id <= (
            select id from feed_log where feed_id = $1 order by id desc limit 1 offset $2)",
        )
        .bind(feed)
        .bind(MAX_LINES)
    )?;
    Ok(())
}

/// Reads the newest lines of one feed or of all, the oldest of them first.
pub async fn list_newest(db: &Db, name: Option<&str>, lines: u32) -> Result<Vec<FeedLogLine>> {
    let mut found: Vec<FeedLogLine> = with_db!(db, |c| {
        sqlx::query_as(
        "select f.name as feed, l.created_at as at, l.decision as decision, l.subject as subject, l.reason as reason
         from feed_log l join feeds f on f.id = l.feed_id
         where $1 is null or f.name = $1
         order by l.id desc limit $2",
    )
    .bind(name)
    .bind(i64::from(lines))
    .fetch_all(c)
    .await
    })?;
    found.reverse();
    Ok(found)
}
