//! The totals of likes, boosts and comments of a review, which triggers count.

use std::collections::HashMap;

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::column_types::to_unsigned;
use super::db::AnyTransaction;
use super::{Db, Result, Tx, with_db};
use crate::domain::id::ReviewId;

#[derive(FromRow)]
struct StatsRow {
    likes: i64,
    boosts: i64,
    comments: i64,
}

/// The totals of a review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewStats {
    /// Likes.
    pub likes: u64,
    /// Boosts.
    pub boosts: u64,
    /// Comments that are shown, including the critic's own.
    pub comments: u64,
}

/// The totals of a review.
pub async fn for_review(db: &Db, review: ReviewId) -> Result<ReviewStats> {
    let row: StatsRow = with_db!(db, |c| {
        sqlx::query_as(
            "select cast(coalesce(sum(case when kind = 'like' then total end), 0) as bigint) as likes,
                cast(coalesce(sum(case when kind = 'boost' then total end), 0) as bigint) as boosts,
                cast(coalesce(sum(case when kind = 'comment' then total end), 0) as bigint) as comments
             from review_stats where review_id = $1",
        )
        .bind(review)
        .fetch_one(c)
        .await
    })?;
    Ok(ReviewStats {
        likes: to_unsigned(row.likes),
        boosts: to_unsigned(row.boosts),
        comments: to_unsigned(row.comments),
    })
}

static COMMENT_COUNTS: BulkStatement = BulkStatement::new(
    "select review_id, cast(sum(total) as bigint) from review_stats where kind = 'comment' and review_id in (values",
    "(#1)",
    1,
    ") group by review_id",
);

/// The numbers of comments of several reviews. Reviews without comments can be missing.
pub async fn comment_counts(db: &Db, reviews: &[ReviewId]) -> Result<HashMap<ReviewId, u64>> {
    let mut totals = HashMap::new();
    for (text, _, part) in COMMENT_COUNTS.parts(reviews) {
        let found: Vec<(ReviewId, i64)> = with_db!(db, |c| {
            let query = sqlx::query_as(text);
            part.fold(query, |query, id| query.bind(*id)).fetch_all(c).await
        })?;
        totals.extend(found.into_iter().map(|(id, total)| (id, to_unsigned(total))));
    }
    Ok(totals)
}

/// Merges the rows of connections that are closed, as `page_versions::merge_closed_writers` does.
pub async fn merge_closed_writers(tx: &mut Tx) -> Result<()> {
    if let AnyTransaction::Postgres(tx) = &mut tx.transaction {
        let statement = "with closed as (
                delete from review_stats t where t.writer <> 0
                    and not exists (select 1 from pg_stat_activity a where a.pid = t.writer)
                returning t.review_id, t.kind, t.total)
             insert into review_stats as t (review_id, kind, writer, total)
             select review_id, kind, 0, cast(sum(total) as bigint) from closed group by review_id, kind
             on conflict (review_id, kind, writer) do update set total = t.total + excluded.total";
        sqlx::query(statement).execute(&mut **tx).await?;
    }
    Ok(())
}
