//! Deliveries: one row for each activity and inbox.

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::{Db, Result, Tx, execute, hosts, with_db, with_tx};
use crate::domain::activity::ActivityKind;
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{ActivityId, LeaseId};
use crate::domain::time::Timestamp;

/// Queues an activity for one inbox, such as a response to an actor.
pub async fn enqueue(tx: &mut Tx, activity: ActivityId, inbox: &url::Url, now: Timestamp) -> Result<()> {
    execute!(tx, sqlx::query(
        "insert into deliveries (activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at, created_at)
         select a.id, $2, $3, a.object_uri, a.kind, 'queued', 0, $4, $4 from activities a where a.id = $1
         on conflict (activity_id, inbox) do update set state = 'queued', attempts = 0,
            next_attempt_at = excluded.next_attempt_at, created_at = excluded.created_at, finished_at = null
         where deliveries.state in ('done', 'failed')",
    )
    .bind(activity)
    .bind(inbox.as_str())
    .bind(inbox.host_str())
    .bind(now))?;
    hosts::schedule(tx, inbox.host_str().unwrap_or_default(), now).await
}

/// Supersedes queued deliveries about an object: a Delete supersedes all of them, an Update supersedes older Updates. A
/// delivery in progress still arrives first, since one worker at a time delivers to a host.
pub async fn supersede(
    tx: &mut Tx,
    activity: ActivityId,
    kind: ActivityKind,
    object: &url::Url,
    now: Timestamp,
) -> Result<()> {
    let superseded_kind = match kind {
        ActivityKind::Delete => "",
        ActivityKind::Update => "Update",
        ActivityKind::Create
        | ActivityKind::Accept
        | ActivityKind::Reject
        | ActivityKind::Move
        | ActivityKind::Forward => return Ok(()),
    };
    execute!(
        tx,
        sqlx::query(
            "delete from fanouts where activity_id in (
                select id from activities where object_uri = $2 and id <> $1 and ($3 = '' or kind = $3))",
        )
        .bind(activity)
        .bind(object.as_str())
        .bind(superseded_kind)
    )?;
    execute!(
        tx,
        sqlx::query(
            "update deliveries set state = 'superseded', finished_at = $4
             where object_uri = $2 and state = 'queued' and activity_id <> $1 and ($3 = '' or kind = $3)",
        )
        .bind(activity)
        .bind(object.as_str())
        .bind(superseded_kind)
        .bind(now)
    )?;
    Ok(())
}

/// Deletes deliveries that were done before `done_before`, and those that failed before `failed_before`.
pub async fn delete_finished(tx: &mut Tx, done_before: Timestamp, failed_before: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "delete from deliveries where finished_at <= $1 and (state <> 'failed' or finished_at <= $2)",
        )
        .bind(done_before)
        .bind(failed_before)
    )?;
    Ok(())
}

/// A delivery that is due.
#[derive(Debug, Clone, FromRow)]
pub struct DueDelivery {
    /// The activity.
    pub activity_id: ActivityId,
    /// The inbox.
    pub inbox: String,
    /// The host of the inbox.
    pub host: String,
    /// Attempts that failed.
    pub attempts: i64,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// Lists what is due at the hosts of a lease, the oldest first, at most `limit` for each host. A host that is failing
/// gets a single delivery as a probe. No delivery comes before an older one about the same object to the same inbox.
pub async fn list_due(db: &Db, lease: LeaseId, now: Timestamp, limit: u32) -> Result<Vec<DueDelivery>> {
    with_db!(db, |c| sqlx::query_as(
        "select activity_id, inbox, host, attempts, created_at from (
            select d.activity_id, d.inbox, d.host, d.attempts, d.created_at, h.failures,
                row_number() over (partition by d.host order by d.activity_id, d.inbox) as queue_position
            from hosts h join deliveries d on d.host = h.host
            where h.lease = $1 and d.state = 'queued' and d.next_attempt_at <= $2
                and not exists (
                    select 1 from deliveries e where e.inbox = d.inbox and e.object_uri = d.object_uri
                        and e.state = 'queued' and e.activity_id < d.activity_id)) waiting
         where queue_position <= case when failures > 0 then 1 else $3 end
         order by host, queue_position",
    )
    .bind(lease)
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// The outcome of an attempt.
#[derive(Debug, Clone)]
pub enum DeliveryOutcome {
    /// It arrived.
    Delivered {
        /// The status of the response.
        status: u16,
    },
    /// It will be retried.
    Deferred {
        /// The status of the response, if there was one.
        status: Option<u16>,
        /// The reason, in one line.
        error: String,
        /// When it is retried.
        next: Timestamp,
    },
    /// It failed permanently.
    Failed {
        /// The status of the response, if there was one.
        status: Option<u16>,
        /// The reason, in one line.
        error: String,
    },
}

impl DeliveryOutcome {
    /// The status of the response, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Delivered { status } => Some(*status),
            Self::Deferred { status, .. } | Self::Failed { status, .. } => *status,
        }
    }
}

/// Marks deliveries of an activity as done.
static MARK_DELIVERED: BulkStatement = BulkStatement::with(
    3,
    "update deliveries set state = 'done', attempts = attempts + 1, last_status = $2, last_error = null,
        next_attempt_at = $3, finished_at = $3
     where activity_id = $1 and state = 'queued' and inbox in (values",
    "(#1)",
    1,
    ")",
);

/// Records that these inboxes accepted an activity with this status. Superseded deliveries stay as they are.
pub async fn mark_delivered(
    tx: &mut Tx,
    activity: ActivityId,
    status: u16,
    inboxes: &[&str],
    now: Timestamp,
) -> Result<()> {
    for (text, _, part) in MARK_DELIVERED.parts(inboxes) {
        with_tx!(tx, |c| {
            let query = sqlx::query(text).bind(activity).bind(i64::from(status)).bind(now);
            part.fold(query, |query, inbox| query.bind(*inbox)).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Records the outcome of an attempt. A superseded delivery stays as it is.
pub async fn record_outcome(
    tx: &mut Tx,
    activity: ActivityId,
    inbox: &str,
    outcome: &DeliveryOutcome,
    now: Timestamp,
) -> Result<()> {
    let (state, status, error, next) = match outcome {
        DeliveryOutcome::Delivered { status } => (DeliveryState::Done, Some(*status), None, now),
        DeliveryOutcome::Deferred { status, error, next } => {
            (DeliveryState::Queued, *status, Some(error), *next)
        }
        DeliveryOutcome::Failed { status, error } => (DeliveryState::Failed, *status, Some(error), now),
    };
    let finished = (state != DeliveryState::Queued).then_some(now);
    execute!(
        tx,
        sqlx::query(
            "update deliveries set state = $3, attempts = attempts + 1, last_status = $4, last_error = $5,
            next_attempt_at = $6, finished_at = $7
         where activity_id = $1 and inbox = $2 and state = 'queued'",
        )
        .bind(activity)
        .bind(inbox)
        .bind(state)
        .bind(status.map(i64::from))
        .bind(error)
        .bind(next)
        .bind(finished)
    )?;
    Ok(())
}

/// Fails the deliveries to a host that were queued before that time.
pub async fn fail_older_than(
    tx: &mut Tx,
    host: &str,
    before: Timestamp,
    error: &str,
    now: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update deliveries set state = 'failed', last_error = $3, finished_at = $4
             where host = $1 and state = 'queued' and created_at <= $2",
        )
        .bind(host)
        .bind(before)
        .bind(error)
        .bind(now)
    )?;
    Ok(())
}
