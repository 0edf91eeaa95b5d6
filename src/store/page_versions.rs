//! How often what a page shows was changed. The triggers of the schema count; nothing here writes.

use super::{Db, Result, read};
use crate::domain::id::ReviewId;

/// The version of all that a review's page and document show, by the last part of the page's address, current or
/// former; none where there is no such review.
pub async fn of_slug(db: &Db, slug: &str) -> Result<Option<i64>> {
    read!(db, |c| sqlx::query_scalar(
        "select (select cast(coalesce(sum(v.version), 0) as bigint) from page_versions v
            where v.subject in (r.id, r.critic_id))
         from slugs s join reviews r on r.id = s.review_id where s.slug = $1",
    )
    .bind(slug)
    .fetch_optional(c)
    .await)
}

/// The same, by the review's id.
pub async fn of_review(db: &Db, review: ReviewId) -> Result<Option<i64>> {
    read!(db, |c| sqlx::query_scalar(
        "select (select cast(coalesce(sum(v.version), 0) as bigint) from page_versions v
            where v.subject in (r.id, r.critic_id))
         from reviews r where r.id = $1",
    )
    .bind(review)
    .fetch_optional(c)
    .await)
}

/// The version of all that pages with a list of reviews show.
pub async fn of_lists(db: &Db) -> Result<i64> {
    read!(db, |c| sqlx::query_scalar(
        "select cast(coalesce(sum(version), 0) as bigint) from page_versions where subject = 'lists'",
    )
    .fetch_one(c)
    .await)
}
