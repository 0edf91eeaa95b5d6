//! The statistics of `marquee insights`: views and followers by day, and the totals of reviews and critics.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, execute, with_db};
use crate::domain::id::{CriticId, ReviewId};

/// Stores the number of each critic's followers on that day so far.
pub async fn snapshot_followers(tx: &mut Tx, day: &str) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into daily_followers (critic_id, day, followers)
             select k.id, $1, cast(coalesce(sum(i.followers), 0) as bigint)
             from critics k left join follower_inboxes i on i.critic_id = k.id where true group by k.id
             on conflict (critic_id, day) do update set followers = excluded.followers",
        )
        .bind(day)
    )?;
    Ok(())
}

/// A number for a day.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DailyCount {
    /// `2026-11-23`, in the time zone of the site.
    pub day: String,
    total: i64,
}

impl DailyCount {
    /// The number.
    pub fn total(&self) -> u64 {
        to_unsigned(self.total)
    }
}

/// Lists the views of a review by day from that day on, the oldest first.
pub async fn views_by_day(db: &Db, review: ReviewId, from: &str) -> Result<Vec<DailyCount>> {
    with_db!(db, |c| sqlx::query_as(
        "select day, total from daily_views where review_id = $1 and day >= $2 order by day"
    )
    .bind(review)
    .bind(from)
    .fetch_all(c)
    .await)
}

/// Lists the views of a critic's reviews by day from that day on, the oldest first.
pub async fn critic_views_by_day(db: &Db, critic: CriticId, from: &str) -> Result<Vec<DailyCount>> {
    with_db!(db, |c| {
        sqlx::query_as(
        "select d.day, cast(sum(d.total) as bigint) as total from daily_views d join reviews r on r.id = d.review_id
         where r.critic_id = $1 and d.day >= $2 group by d.day order by d.day",
    )
    .bind(critic)
    .bind(from)
    .fetch_all(c)
    .await
    })
}

/// Lists the followers of a critic by day from that day on, the oldest first.
pub async fn followers_by_day(db: &Db, critic: CriticId, from: &str) -> Result<Vec<DailyCount>> {
    with_db!(db, |c| sqlx::query_as(
        "select day, followers as total from daily_followers where critic_id = $1 and day >= $2 order by day"
    )
    .bind(critic)
    .bind(from)
    .fetch_all(c)
    .await)
}

/// The insights of a review.
#[derive(Debug, Clone, FromRow)]
pub struct ReviewInsights {
    /// The review.
    pub id: ReviewId,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    views: i64,
    hosts: i64,
    likes: i64,
    boosts: i64,
    comments: i64,
}

impl ReviewInsights {
    /// Views, likes, boosts, replies and hosts, in this order.
    pub fn numbers(&self) -> [u64; 5] {
        [self.views, self.likes, self.boosts, self.comments, self.hosts].map(to_unsigned)
    }
}

/// Lists the insights of a critic's reviews, the most viewed first.
pub async fn list_by_review(db: &Db, critic: CriticId, limit: u32) -> Result<Vec<ReviewInsights>> {
    with_db!(db, |c| {
        sqlx::query_as(
            "select r.id, r.slug, r.title, coalesce(e.views, 0) as views, coalesce(e.hosts, 0) as hosts,
                coalesce(t.likes, 0) as likes, coalesce(t.boosts, 0) as boosts, coalesce(t.comments, 0) as comments
             from reviews r left join view_counts e on e.review_id = r.id
             left join (
                select review_id, cast(sum(case when kind = 'like' then total else 0 end) as bigint) as likes,
                    cast(sum(case when kind = 'boost' then total else 0 end) as bigint) as boosts,
                    cast(sum(case when kind = 'comment' then total else 0 end) as bigint) as comments
                from review_stats group by review_id) t on t.review_id = r.id
             where r.critic_id = $1 and r.state in ('archive', 'published')
             order by 4 desc, r.original_date desc, r.id limit $2",
        )
        .bind(critic)
        .bind(i64::from(limit))
        .fetch_all(c)
        .await
    })
}

/// The views, likes, boosts and replies of all reviews of a critic, and the number of hosts that any of them has
/// reached.
pub async fn critic_totals(db: &Db, critic: CriticId) -> Result<[u64; 5]> {
    let (views, likes, boosts, comments, hosts): (i64, i64, i64, i64, i64) = with_db!(db, |c| {
        sqlx::query_as(
            "select
                (select cast(coalesce(sum(e.views), 0) as bigint) from view_counts e join reviews r on r.id = e.review_id
                    where r.critic_id = $1 and r.state in ('archive', 'published')),
                cast(coalesce(sum(case when t.kind = 'like' then t.total end), 0) as bigint),
                cast(coalesce(sum(case when t.kind = 'boost' then t.total end), 0) as bigint),
                cast(coalesce(sum(case when t.kind = 'comment' then t.total end), 0) as bigint),
                (select count(distinct h.host) from reached_hosts h join reviews r on r.id = h.review_id
                    where r.critic_id = $1)
             from review_stats t join reviews w on w.id = t.review_id
             where w.critic_id = $1 and w.state in ('archive', 'published')",
        )
        .bind(critic)
        .fetch_one(c)
        .await
    })?;
    Ok([views, likes, boosts, comments, hosts].map(to_unsigned))
}
