//! Deliveries: one row for each activity and inbox, and the fan-outs that create these rows in chunks.

use sqlx::FromRow;

use super::bulk::BulkStatement;
use super::{Db, Result, Tx, claim_rows, execute, hosts, with_db, with_tx};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, LeaseId};
use crate::domain::states::DeliveryState;
use crate::domain::time::Timestamp;

/// How many inboxes of a fan-out get their row at once.
pub const FAN_OUT_CHUNK: i64 = 1_000;

/// An activity for one inbox, outside a fan-out: an answer to its actor.
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

/// A fan-out that is expanded in this transaction.
#[derive(Debug, FromRow)]
pub struct FanOut {
    /// The activity.
    pub activity_id: ActivityId,
    /// The last inbox that has its row.
    pub cursor: String,
}

/// Whether a fan-out waits.
pub async fn has_fan_out(db: &Db) -> Result<bool> {
    let query = "select activity_id from fanouts limit 1";
    let waiting: Option<String> = with_db!(db, |c| sqlx::query_scalar(query).fetch_optional(c).await)?;
    Ok(waiting.is_some())
}

/// The fan-out that waits longest, which nobody else expands meanwhile. One about an object comes after all
/// older ones about it.
pub async fn claim_fan_out(tx: &mut Tx) -> Result<Option<FanOut>> {
    claim_rows!(
        tx,
        "select f.activity_id, f.cursor from fanouts f join activities a on a.id = f.activity_id
         where not exists (
            select 1 from fanouts e join activities b on b.id = e.activity_id
            where b.object_uri = a.object_uri and e.activity_id < f.activity_id)
         order by f.activity_id limit 1",
        "",
        |query, c| sqlx::query_as(query).fetch_optional(c).await
    )
}

/// Writes the next rows of a fan-out, and ends it once there are no more inboxes. What is passed on does not go
/// back to the server that it came from.
pub async fn expand_fan_out(tx: &mut Tx, fan_out: &FanOut, now: Timestamp) -> Result<()> {
    let last: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(
        "select max(inbox) from (
            select i.inbox from follower_inboxes i join activities a on a.critic_id = i.critic_id
            where a.id = $1 and i.inbox > $2 and i.followers > 0
                and not (a.kind = 'Forward' and a.object_uri like 'https://' || i.host || '/%')
            order by i.inbox limit $3) chunk",
    )
    .bind(fan_out.activity_id)
    .bind(&fan_out.cursor)
    .bind(FAN_OUT_CHUNK)
    .fetch_one(c)
    .await)?;
    let Some(last) = last else {
        execute!(tx, sqlx::query("delete from fanouts where activity_id = $1").bind(fan_out.activity_id))?;
        return Ok(());
    };
    let statements = [
        "insert into deliveries (activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at,
            created_at)
         select a.id, i.inbox, i.host, a.object_uri, a.kind, 'queued', 0, $4, $4
         from follower_inboxes i join activities a on a.critic_id = i.critic_id
         where a.id = $1 and i.inbox > $2 and i.inbox <= $3 and i.followers > 0
            and not (a.kind = 'Forward' and a.object_uri like 'https://' || i.host || '/%')
         on conflict (activity_id, inbox) do nothing",
        "insert into hosts (host, signature_scheme, updated_at, due_at)
         select distinct i.host, 'cavage', $4, $4 from follower_inboxes i join activities a on a.critic_id = i.critic_id
         where a.id = $1 and i.inbox > $2 and i.inbox <= $3 and i.followers > 0
         order by i.host
         on conflict (host) do update set due_at = case
            when hosts.due_at <= excluded.due_at then hosts.due_at
            when hosts.retry_at > excluded.due_at then hosts.retry_at
            else excluded.due_at end",
    ];
    for statement in statements {
        execute!(
            tx,
            sqlx::query(statement).bind(fan_out.activity_id).bind(&fan_out.cursor).bind(&last).bind(now)
        )?;
    }
    let moved = "update fanouts set cursor = $2 where activity_id = $1";
    execute!(tx, sqlx::query(moved).bind(fan_out.activity_id).bind(&last))?;
    Ok(())
}

/// What waits about an object is overtaken by a newer activity: a Delete takes the place of everything, an
/// Update that of older Updates. What is on its way at this moment arrives before it: one worker at a time sends
/// to a host.
pub async fn supersede(
    tx: &mut Tx,
    activity: ActivityId,
    kind: ActivityKind,
    object: &url::Url,
    now: Timestamp,
) -> Result<()> {
    let overtaken = match kind {
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
        .bind(overtaken)
    )?;
    execute!(
        tx,
        sqlx::query(
            "update deliveries set state = 'superseded', finished_at = $4
             where object_uri = $2 and state = 'queued' and activity_id <> $1 and ($3 = '' or kind = $3)",
        )
        .bind(activity)
        .bind(object.as_str())
        .bind(overtaken)
        .bind(now)
    )?;
    Ok(())
}

/// Forgets deliveries that were done before `done_before`, and those that were given up before `failed_before`.
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

/// A delivery to be made.
#[derive(Debug, Clone, FromRow)]
pub struct DueDelivery {
    /// The activity.
    pub activity_id: ActivityId,
    /// Where it goes.
    pub inbox: String,
    /// The host of the inbox.
    pub host: String,
    /// Attempts that failed.
    pub attempts: i64,
    /// When it was first to go.
    pub created_at: Timestamp,
}

/// What is due at the hosts that are held under a lease, the oldest first, at most `limit` a host: of one that
/// failed a single one, to see whether it is back. None comes before an older one about the same object to the
/// same inbox.
pub async fn list_due(db: &Db, lease: LeaseId, now: Timestamp, limit: u32) -> Result<Vec<DueDelivery>> {
    with_db!(db, |c| sqlx::query_as(
        "select activity_id, inbox, host, attempts, created_at from (
            select d.activity_id, d.inbox, d.host, d.attempts, d.created_at, h.failures,
                row_number() over (partition by d.host order by d.activity_id, d.inbox) as place
            from hosts h join deliveries d on d.host = h.host
            where h.lease = $1 and d.state = 'queued' and d.next_attempt_at <= $2
                and not exists (
                    select 1 from deliveries e where e.inbox = d.inbox and e.object_uri = d.object_uri
                        and e.state = 'queued' and e.activity_id < d.activity_id)) waiting
         where place <= case when failures > 0 then 1 else $3 end
         order by host, place",
    )
    .bind(lease)
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum DeliveryOutcome {
    /// It arrived.
    Delivered {
        /// The answer's status.
        status: u16,
    },
    /// It is tried again.
    Deferred {
        /// The answer's status, where there was an answer.
        status: Option<u16>,
        /// Why, in a line.
        error: String,
        /// When.
        next: Timestamp,
    },
    /// It is given up.
    Failed {
        /// The answer's status, where there was an answer.
        status: Option<u16>,
        /// Why, in a line.
        error: String,
    },
}

/// Deliveries of an activity that arrived.
static MARK_DELIVERED: BulkStatement = BulkStatement::with(
    3,
    "update deliveries set state = 'done', attempts = attempts + 1, last_status = $2, last_error = null,
        next_attempt_at = $3, finished_at = $3
     where activity_id = $1 and state = 'queued' and inbox in (values",
    "(#1)",
    1,
    ")",
);

/// Acknowledges that an activity arrived at these inboxes, which all answered with this status. Nothing happens
/// to deliveries that were superseded.
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

/// Acknowledges an attempt. Nothing happens where the delivery was superseded.
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

/// Gives up what waits for a host since before then.
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
