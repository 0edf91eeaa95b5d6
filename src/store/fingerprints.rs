//! Fingerprints of the texts of reviews, by which similar reviews of a critic are found.

use super::bulk_statement::BulkStatement;
use super::{Result, Tx, execute, with_tx};
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::review::Review;
use crate::domain::similar_reviews::fingerprint;

static INSERT_HASHES: BulkStatement = BulkStatement::with(
    2,
    "insert into review_fingerprints (critic_id, review_id, hash) values",
    "($1, $2, #1)",
    1,
    "on conflict (critic_id, hash, review_id) do nothing",
);

static SELECT_SIMILAR: BulkStatement = BulkStatement::with(
    2,
    "select review_id, count(*) from review_fingerprints where critic_id = $1 and hash in (values",
    "(#1)",
    1,
    ") group by review_id order by count(*) desc, review_id desc limit $2",
);

/// Updates the fingerprint of a review. Nothing is written if it is the same.
pub async fn index_review(tx: &mut Tx, review: &Review) -> Result<()> {
    let query = "select hash from review_fingerprints where review_id = $1 order by hash";
    let stored: Vec<i64> = with_tx!(tx, |c| sqlx::query_scalar(query).bind(review.id).fetch_all(c).await)?;
    let hashes = fingerprint(&review.content.body);
    if stored == hashes {
        return Ok(());
    }
    if !stored.is_empty() {
        execute!(tx, sqlx::query("delete from review_fingerprints where review_id = $1").bind(review.id))?;
    }
    for (text, _, part) in INSERT_HASHES.parts(&hashes) {
        execute!(tx, {
            let query = sqlx::query(text).bind(review.critic).bind(review.id);
            part.fold(query, |query, hash| query.bind(*hash))
        })?;
    }
    Ok(())
}

/// Returns at most `limit` reviews of a critic that share a hash, those that share most of them first.
pub async fn find_similar(
    tx: &mut Tx,
    critic: CriticId,
    hashes: &[i64],
    limit: u32,
) -> Result<Vec<ReviewId>> {
    // A fingerprint is one part.
    let Some((text, _, part)) = SELECT_SIMILAR.parts(hashes).next() else { return Ok(Vec::new()) };
    let found: Vec<(ReviewId, i64)> = with_tx!(tx, |c| {
        let query = sqlx::query_as(text).bind(critic).bind(i64::from(limit));
        part.fold(query, |query, hash| query.bind(*hash)).fetch_all(c).await
    })?;
    Ok(found.into_iter().map(|(review, _)| review).collect())
}
