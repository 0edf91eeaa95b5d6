//! The versions of pages, which triggers count. A rendered page is valid while its version stays the same.

use super::db::AnyTransaction;
use super::{Db, Result, Tx, with_db};
use crate::domain::id::ReviewId;

/// The version of a review's page, by its current or a former slug. The page also shows other reviews: of the film, and
/// by the director. `None` if there is no such review.
pub async fn for_slug(db: &Db, slug: &str) -> Result<Option<i64>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select (select cast(coalesce(sum(v.version), 0) as bigint) from page_versions v
            where v.subject in (r.id, r.critic_id, 'reviews'))
         from slugs s join reviews r on r.id = s.review_id where s.slug = $1",
    )
    .bind(slug)
    .fetch_optional(c)
    .await)
}

/// The version of a review's Article. `None` if there is no such review.
pub async fn for_review(db: &Db, review: ReviewId) -> Result<Option<i64>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select (select cast(coalesce(sum(v.version), 0) as bigint) from page_versions v
            where v.subject in (r.id, r.critic_id))
         from reviews r where r.id = $1",
    )
    .bind(review)
    .fetch_optional(c)
    .await)
}

/// The version of all pages that list reviews.
pub async fn for_lists(db: &Db) -> Result<i64> {
    for_subject(db, "lists").await
}

/// The version of which reviews and critics there are and what reviews say, without comments and reactions.
pub async fn for_reviews(db: &Db) -> Result<i64> {
    for_subject(db, "reviews").await
}

async fn for_subject(db: &Db, subject: &'static str) -> Result<i64> {
    let query = "select cast(coalesce(sum(version), 0) as bigint) from page_versions where subject = $1";
    with_db!(db, |c| sqlx::query_scalar(query).bind(subject).fetch_one(c).await)
}

/// Merges the rows of connections that are closed. On PostgreSQL each connection counts in rows of its own; SQLite has
/// one writer.
pub async fn merge_closed_writers(tx: &mut Tx) -> Result<()> {
    if let AnyTransaction::Postgres(tx) = &mut tx.transaction {
        // Rows of open connections are left alone, since waiting for one of them could cause a deadlock.
        let statement = "with closed as (
                delete from page_versions v where v.writer <> 0
                    and not exists (select 1 from pg_stat_activity a where a.pid = v.writer)
                returning v.subject, v.version)
             insert into page_versions (subject, writer, version)
             select subject, 0, cast(sum(version) as bigint) from closed group by subject
             on conflict (subject, writer) do update set version = page_versions.version + excluded.version";
        sqlx::query(statement).execute(&mut **tx).await?;
    }
    Ok(())
}
