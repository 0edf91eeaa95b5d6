//! Reviews that were stored before all their images could be fetched, and their leases.

use sqlx::FromRow;

use super::compressed_text::{compress, decompress};
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::id::{LeaseId, ReviewId};
use crate::domain::time::Timestamp;

/// A review whose images are fetched later.
#[derive(Debug)]
pub struct PendingImages {
    /// The review.
    pub review: ReviewId,
    /// Its body, in which the images have their own URLs.
    pub body: String,
    /// Since when they have been waiting.
    pub since: Timestamp,
}

#[derive(FromRow)]
struct PendingImagesRow {
    review_id: ReviewId,
    body: Vec<u8>,
    since: Timestamp,
}

/// Fetches the images of a review later. Replaces what was stored for it, and ends the lease of that.
pub async fn upsert(tx: &mut Tx, review: ReviewId, body: &str, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into pending_images (review_id, since, next_attempt_at, body) values ($1, $2, $2, $3)
             on conflict (review_id) do update set since = excluded.since,
                next_attempt_at = excluded.next_attempt_at, body = excluded.body, lease = null, lease_until = null",
        )
        .bind(review)
        .bind(now)
        .bind(compress(body)?)
    )?;
    Ok(())
}

/// Fetches the images of a review no more.
pub async fn delete(tx: &mut Tx, review: ReviewId) -> Result<()> {
    execute!(tx, sqlx::query("delete from pending_images where review_id = $1").bind(review))?;
    Ok(())
}

/// Whether the images of any review are due.
pub async fn is_due(db: &Db, now: Timestamp) -> Result<bool> {
    with_db!(db, |c| sqlx::query_scalar(
        "select exists (select 1 from pending_images
            where next_attempt_at <= $1 and (lease_until is null or lease_until <= $1))"
    )
    .bind(now)
    .fetch_one(c)
    .await)
}

/// Claims a review whose images are due, the newest first: an archive has thousands.
pub async fn claim_due(
    tx: &mut Tx,
    lease: LeaseId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<PendingImages>> {
    let row: Option<PendingImagesRow> = claim_rows!(
        tx,
        "with picked as materialized (
            select review_id from pending_images
            where next_attempt_at <= $2 and (lease_until is null or lease_until <= $2)
            order by since desc limit 1",
        ") update pending_images set lease = $1, lease_until = $3
          where review_id in (select review_id from picked) returning review_id, body, since",
        |query, c| sqlx::query_as(query).bind(lease).bind(now).bind(until).fetch_optional(c).await
    )?;
    let claimed = |row: PendingImagesRow| {
        Ok(PendingImages { review: row.review_id, body: decompress(&row.body)?, since: row.since })
    };
    row.map(claimed).transpose()
}

/// Whether a lease still holds. Another change of the review ends it.
pub async fn is_leased(tx: &mut Tx, review: ReviewId, lease: LeaseId) -> Result<bool> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "select exists (select 1 from pending_images where review_id = $1 and lease = $2)"
    )
    .bind(review)
    .bind(lease)
    .fetch_one(c)
    .await)
}

/// Ends the lease; the images are fetched again at `at`.
pub async fn postpone(tx: &mut Tx, review: ReviewId, at: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update pending_images set next_attempt_at = $2, lease = null, lease_until = null where review_id = $1"
        )
        .bind(review)
        .bind(at)
    )?;
    Ok(())
}
