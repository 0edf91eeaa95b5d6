//! Hosts that a review has reached: by a delivery that was accepted, or by a reaction from there. Finished deliveries are
//! examined in windows; a cursor keeps how far.

use super::column_types::corrupt;
use super::{Db, Result, Tx, execute, settings, with_db};
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;

/// Records that a review has reached a host.
pub async fn insert(tx: &mut Tx, review: ReviewId, host: &str) -> Result<()> {
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
            order by finished_at limit $3) finished",
    )
    .bind(since)
    .bind(until)
    .bind(MAX_WINDOW_DELIVERIES)
    .fetch_one(c)
    .await)
}

/// Records the hosts that accepted a review within that window. The id of an Article is `prefix` and the review's id.
pub async fn insert_delivered(tx: &mut Tx, since: Timestamp, until: Timestamp, prefix: &str) -> Result<()> {
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
