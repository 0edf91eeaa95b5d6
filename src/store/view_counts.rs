//! Views by day, hosts that a review has reached, and followers by day. No row identifies a reader. Transactions that
//! write here take [`lock`] first, so that no two of them wait for each other.

use sqlx::FromRow;

use super::column_types::{corrupt, to_unsigned};
use super::{Db, Result, Tx, execute, settings, with_db};
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::time::Timestamp;

/// Takes the lock that every transaction needs that writes here.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    tx.lock("readers").await
}

/// Adds views of a review on a day.
pub async fn add_views(tx: &mut Tx, review: ReviewId, day: &str, reads: u64) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into daily_views (review_id, day, total) select id, $2, $3 from reviews where id = $1
             on conflict (review_id, day) do update set total = daily_views.total + excluded.total",
        )
        .bind(review)
        .bind(day)
        .bind(i64::try_from(reads).unwrap_or(i64::MAX))
    )?;
    Ok(())
}

/// Records that a review has reached a host.
pub async fn add_reached_host(tx: &mut Tx, review: ReviewId, host: &str) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into reached_hosts (review_id, host) select id, $2 from reviews where id = $1
             on conflict (review_id, host) do nothing",
        )
        .bind(review)
        .bind(host)
    )?;
    Ok(())
}

/// The most deliveries that one window contains.
const MAX_WINDOW_DELIVERIES: i64 = 2_000;

/// The end of the next window of finished deliveries after `since`, or `None` if none finished by `until`.
pub async fn next_delivery_window(db: &Db, since: Timestamp, until: Timestamp) -> Result<Option<Timestamp>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select max(finished_at) from (
            select finished_at from deliveries where finished_at > $1 and finished_at <= $2
            order by finished_at limit $3) stretch",
    )
    .bind(since)
    .bind(until)
    .bind(MAX_WINDOW_DELIVERIES)
    .fetch_one(c)
    .await)
}

/// Records the hosts that accepted a review within that window. The id of an Article is `prefix` and the review's id.
pub async fn add_delivered_hosts(
    tx: &mut Tx,
    since: Timestamp,
    until: Timestamp,
    prefix: &str,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into reached_hosts (review_id, host)
             select distinct r.id, d.host from deliveries d
             join reviews r on r.id = substr(d.object_uri, length(cast($3 as text)) + 1)
             where d.finished_at > $1 and d.finished_at <= $2 and d.state = 'done' and d.kind in ('Create', 'Update')
                and d.object_uri = $3 || r.id
             on conflict (review_id, host) do nothing",
        )
        .bind(since)
        .bind(until)
        .bind(prefix)
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

/// The views of a review, and the number of hosts that it has reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewReach {
    /// Views.
    pub reads: u64,
    /// Hosts.
    pub hosts: u64,
}

/// Finds the counts of a review.
pub async fn for_review(db: &Db, review: ReviewId) -> Result<ReviewReach> {
    let row: Option<(i64, i64)> =
        with_db!(db, |c| sqlx::query_as("select views, hosts from view_counts where review_id = $1")
            .bind(review)
            .fetch_optional(c)
            .await)?;
    Ok(row.map_or_else(ReviewReach::default, |(reads, hosts)| ReviewReach {
        reads: to_unsigned(reads),
        hosts: to_unsigned(hosts),
    }))
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
pub async fn list_review_insights(db: &Db, critic: CriticId, limit: u32) -> Result<Vec<ReviewInsights>> {
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
    let (reads, likes, boosts, comments, hosts): (i64, i64, i64, i64, i64) = with_db!(db, |c| {
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
    Ok([reads, likes, boosts, comments, hosts].map(to_unsigned))
}

/// The setting that holds the delivery cursor.
const DELIVERY_CURSOR: &str = "delivery_cursor";

/// The time until which deliveries were examined for hosts, or the beginning.
///
/// # Errors
/// If it is not a number: starting again would examine everything that was ever sent.
pub async fn delivery_cursor(db: &Db) -> Result<Timestamp> {
    let Some(value) = settings::get(db, DELIVERY_CURSOR).await? else { return Ok(Timestamp::from_millis(0)) };
    value.parse().map(Timestamp::from_millis).map_err(|_| corrupt("settings.delivery_cursor is not a number"))
}

/// Sets the delivery cursor.
pub async fn set_delivery_cursor(tx: &mut Tx, until: Timestamp) -> Result<()> {
    settings::set(tx, DELIVERY_CURSOR, &until.millis().to_string()).await
}
