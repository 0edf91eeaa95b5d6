//! Views of reviews by day, and the counts that pages show. No row identifies a reader. Transactions that write views,
//! reached hosts or daily followers take [`lock`] first, so that no two of them wait for each other.

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, execute, with_db};
use crate::domain::id::ReviewId;

/// Takes the lock that every transaction needs that writes here.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    tx.lock("view_counts").await
}

/// Adds views of a review on a day.
pub async fn add_views(tx: &mut Tx, review: ReviewId, day: &str, views: u64) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into daily_views (review_id, day, total) select id, $2, $3 from reviews where id = $1
             on conflict (review_id, day) do update set total = daily_views.total + excluded.total",
        )
        .bind(review)
        .bind(day)
        .bind(i64::try_from(views).unwrap_or(i64::MAX))
    )?;
    Ok(())
}

/// Publishes counts that have grown by more than 2 %, so that these pages are rendered again. Returns how many.
pub async fn publish_counts(tx: &mut Tx) -> Result<u64> {
    execute!(
        tx,
        sqlx::query(
            "update view_counts set published_views = views, published_hosts = hosts
             where (views - published_views) * 50 > published_views or (hosts - published_hosts) * 50 > published_hosts",
        )
    )
}

/// The views of a review, and the number of hosts that it has reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewTotals {
    /// Views.
    pub views: u64,
    /// Hosts.
    pub hosts: u64,
}

/// Finds the counts of a review.
pub async fn for_review(db: &Db, review: ReviewId) -> Result<ViewTotals> {
    let row: Option<(i64, i64)> =
        with_db!(db, |c| sqlx::query_as("select views, hosts from view_counts where review_id = $1")
            .bind(review)
            .fetch_optional(c)
            .await)?;
    Ok(row.map_or_else(ViewTotals::default, |(views, hosts)| ViewTotals {
        views: to_unsigned(views),
        hosts: to_unsigned(hosts),
    }))
}
