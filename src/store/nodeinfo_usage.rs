//! Usage totals for NodeInfo.

use super::column_types::to_unsigned;
use super::{Db, Result, with_db};
use crate::domain::time::Timestamp;

/// Counts the critics who have published a review or replied to a comment since that time.
pub async fn count_active_critics(db: &Db, since: Timestamp) -> Result<u64> {
    let active: i64 = with_db!(db, |c| {
        sqlx::query_scalar(
            "select count(*) from critics k
             where exists (select 1 from reviews r
                    where r.critic_id = k.id and r.state = 'published' and r.released_at >= $1)
                or exists (select 1 from comments o
                    where o.critic_id = k.id and o.state = 'shown' and o.created_at >= $1)",
        )
        .bind(since)
        .fetch_one(c)
        .await
    })?;
    Ok(to_unsigned(active))
}

/// Counts the public replies by critics.
pub async fn count_critic_replies(db: &Db) -> Result<u64> {
    let replies: i64 = with_db!(db, |c| sqlx::query_scalar(
        "select count(*) from comments c join reviews r on r.id = c.review_id
         where c.critic_id is not null and c.state = 'shown' and r.state in ('archive', 'published')"
    )
    .fetch_one(c)
    .await)?;
    Ok(to_unsigned(replies))
}
