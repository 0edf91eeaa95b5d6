//! Indexes reviews that are in no index yet: what lists are made from, the full text, and the fingerprints.

use super::{Db, Result, browse_index, execute, fingerprints, reviews, search, with_db};
use crate::domain::id::ReviewId;

/// Reviews that are indexed in one transaction.
const CHUNK: i64 = 100;

/// Indexes the reviews that an older version wrote, or wrote for another index. Each chunk commits for itself: after an
/// interruption it continues with the next.
pub async fn index_missing(db: &Db) -> Result<()> {
    let query = "select id, browse_indexed = 0 from reviews where browse_indexed = 0 or fingerprinted = 0
         order by id limit $1";
    let mark = "update reviews set browse_indexed = 1, fingerprinted = 1 where id = $1";
    loop {
        let waiting: Vec<(ReviewId, bool)> =
            with_db!(db, |c| sqlx::query_as(query).bind(CHUNK).fetch_all(c).await)?;
        if waiting.is_empty() {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        // As they are in this transaction: another process may index them, too. All are locked before the index is.
        let mut locked = Vec::new();
        for (id, is_unlisted) in waiting {
            locked.extend(reviews::find_for_update(&mut tx, id).await?.map(|review| (review, is_unlisted)));
        }
        for (review, is_unlisted) in locked {
            if is_unlisted {
                browse_index::index_review(&mut tx, &review).await?;
                search::index(&mut tx, &review).await?;
            }
            fingerprints::index_review(&mut tx, &review).await?;
            execute!(&mut tx, sqlx::query(mark).bind(review.id))?;
        }
        tx.commit().await?;
    }
}
