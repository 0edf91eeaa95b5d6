//! Entries without a date that were in a feed before it was read to its last page, and that are no reviews.

use super::bulk_statement::BulkStatement;
use super::{Result, Tx, execute, with_tx};
use crate::domain::id::FeedId;

static INSERT_KEYS: BulkStatement = BulkStatement::with(
    1,
    "insert into left_out_entries (feed_id, key_hash) values",
    "($1, #1)",
    1,
    "on conflict (feed_id, key_hash) do nothing",
);

/// Remembers entries by the hashes of their keys.
pub async fn insert(tx: &mut Tx, feed: FeedId, key_hashes: &[String]) -> Result<()> {
    for (text, _, part) in INSERT_KEYS.parts(key_hashes) {
        execute!(tx, {
            let query = sqlx::query(text).bind(feed);
            part.fold(query, |query, hash| query.bind(hash.as_str()))
        })?;
    }
    Ok(())
}

/// Whether an entry with that key is remembered.
pub async fn exists(tx: &mut Tx, feed: FeedId, key_hash: &str) -> Result<bool> {
    let query = "select exists (select 1 from left_out_entries where feed_id = $1 and key_hash = $2)";
    with_tx!(tx, |c| sqlx::query_scalar(query).bind(feed).bind(key_hash).fetch_one(c).await)
}
