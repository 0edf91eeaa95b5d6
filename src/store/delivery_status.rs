//! The progress of deliveries, from totals that triggers keep and from the few deliveries that failed or wait for a retry.
//! A query costs the same however many inboxes there are.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, with_db};
use crate::domain::activity::ActivityKind;
use crate::domain::id::ActivityId;
use crate::domain::time::Timestamp;

/// An activity and the number of inboxes in each state.
#[derive(Debug, Clone, FromRow)]
pub struct ActivityDeliveryStatus {
    /// The activity.
    pub id: ActivityId,
    /// Its type.
    pub kind: ActivityKind,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether its fan-out is not finished.
    pub is_expanding: bool,
    done: i64,
    queued: i64,
    failed: i64,
}

impl ActivityDeliveryStatus {
    /// The number of inboxes that accepted it.
    pub fn done(&self) -> u64 {
        to_unsigned(self.done)
    }

    /// The number of inboxes that wait for it.
    pub fn queued(&self) -> u64 {
        to_unsigned(self.queued)
    }

    /// The number of inboxes that it failed to reach.
    pub fn failed(&self) -> u64 {
        to_unsigned(self.failed)
    }
}

/// Lists the activities about an object, the oldest first.
pub async fn list_for_object(db: &Db, object: &url::Url) -> Result<Vec<ActivityDeliveryStatus>> {
    with_db!(db, |c| {
        sqlx::query_as(
        "select a.id, a.kind, a.created_at,
            exists (select 1 from fanouts f where f.activity_id = a.id) as is_expanding,
            coalesce((select t.total from delivery_totals t where t.activity_id = a.id and t.state = 'done'), 0) as done,
            coalesce((select t.total from delivery_totals t where t.activity_id = a.id and t.state = 'queued'), 0)
                as queued,
            coalesce((select t.total from delivery_totals t where t.activity_id = a.id and t.state = 'failed'), 0)
                as failed
         from activities a where a.object_uri = $1 order by a.id",
    )
    .bind(object.as_str())
    .fetch_all(c)
    .await
    })
}

/// Whether a first attempt is due at a host that is not failing.
pub async fn is_in_transit(db: &Db, activity: ActivityId, now: Timestamp) -> Result<bool> {
    let found: Option<i64> = with_db!(db, |c| sqlx::query_scalar(
        "select d.attempts from deliveries d join hosts h on h.host = d.host
         where d.activity_id = $1 and d.state = 'queued' and d.attempts = 0
            and (h.retry_at is null or h.retry_at <= $2) limit 1",
    )
    .bind(activity)
    .bind(now)
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}

/// A delivery that failed at least once.
#[derive(Debug, Clone, FromRow)]
pub struct FailedDelivery {
    /// The inbox.
    pub inbox: String,
    /// Attempts so far.
    pub attempts: i64,
    /// When it is retried, or when it was abandoned.
    pub at: Timestamp,
    /// The last error.
    pub error: Option<String>,
}

/// Lists the deliveries that will be retried, the next ones first.
pub async fn list_deferred(db: &Db, activity: ActivityId, limit: u32) -> Result<Vec<FailedDelivery>> {
    with_db!(db, |c| sqlx::query_as(
        "select d.inbox, d.attempts, d.last_error as error,
            case when h.retry_at > d.next_attempt_at then h.retry_at else d.next_attempt_at end as at
         from deliveries d left join hosts h on h.host = d.host
         where d.activity_id = $1 and d.state = 'queued' and d.attempts > 0
         order by d.next_attempt_at, d.inbox limit $2",
    )
    .bind(activity)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// Lists the deliveries that were abandoned, the latest first.
pub async fn list_failed(db: &Db, activity: ActivityId, limit: u32) -> Result<Vec<FailedDelivery>> {
    with_db!(db, |c| sqlx::query_as(
        "select inbox, attempts, finished_at as at, last_error as error from deliveries
         where activity_id = $1 and state = 'failed' order by finished_at desc, inbox limit $2",
    )
    .bind(activity)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}
