//! Received activities that wait to be applied or were applied, and the signatures that were seen.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::column_types::corrupt;
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::id::{InboxActivityId, LeaseId};
use crate::domain::inbox_activity::{InboxLane, InboxState};
use crate::domain::time::Timestamp;

/// The most bodies that one call erases. Older ones are deleted after 30 days anyway.
const MAX_ERASED_BODIES: i64 = 10_000;

/// Inserts signatures, and returns those that are new.
static INSERT_SIGNATURES: BulkStatement = BulkStatement::new(
    "insert into seen_signatures (fingerprint, expires_at) values",
    "(#1, #2)",
    2,
    "on conflict (fingerprint) do nothing returning fingerprint",
);

/// Inserts queued activities. A conflict is a row that fills up a part with copies of itself.
static INSERT_ACTIVITIES: BulkStatement = BulkStatement::new(
    "insert into inbox_activities (id, actor, key_id, body, signed_at, received_at, state, attempts, next_attempt_at, domain, turn) values",
    "(#1, #2, #3, #4, #5, #6, 'queued', 0, #6, #7, #8)",
    8,
    "on conflict (id) do nothing",
);

/// An accepted activity to store.
#[derive(Debug, Clone, Copy)]
pub struct NewInboxActivity<'a> {
    /// The actor who sent it.
    pub actor: &'a url::Url,
    /// The key that signed it.
    pub key_id: &'a url::Url,
    /// Its exact bytes.
    pub body: &'a str,
    /// Its signed date.
    pub signed_at: Timestamp,
    /// The fingerprint of its signature, by which a replay is recognized.
    pub fingerprint: &'a str,
    /// The registrable domain of its server.
    pub domain: &'a str,
    /// Its place in the queue: see [`claim_due`].
    pub turn: Timestamp,
}

/// Queues the activities whose signatures are new, and remembers the signatures until `expires_at`. Returns those that
/// are new.
pub async fn insert_new<'n>(
    tx: &mut Tx,
    accepted: &'n [NewInboxActivity<'n>],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Vec<&'n NewInboxActivity<'n>>> {
    // In one order everywhere, so that no two processes wait for each other.
    let by_signature: BTreeMap<&str, &'n NewInboxActivity<'n>> =
        accepted.iter().map(|accepted| (accepted.fingerprint, accepted)).collect();
    let signatures: Vec<&str> = by_signature.keys().copied().collect();
    let mut fresh = Vec::with_capacity(signatures.len());
    for (text, _, part) in INSERT_SIGNATURES.parts(&signatures) {
        let unseen: Vec<String> = with_tx!(tx, |c| {
            let query = sqlx::query_scalar(text);
            part.fold(query, |query, signature| query.bind(*signature).bind(expires_at)).fetch_all(c).await
        })?;
        fresh.extend(unseen.iter().filter_map(|signature| by_signature.get(signature.as_str()).copied()));
    }
    let rows: Vec<(InboxActivityId, &NewInboxActivity<'_>)> =
        fresh.iter().map(|accepted| (InboxActivityId::new(now), *accepted)).collect();
    for (text, count, part) in INSERT_ACTIVITIES.parts(&rows) {
        let inserted = with_tx!(tx, |c| {
            let query = part.fold(sqlx::query(text), |query, (id, accepted)| {
                let query = query.bind(id).bind(accepted.actor.as_str()).bind(accepted.key_id.as_str());
                let query = query.bind(accepted.body).bind(accepted.signed_at).bind(now);
                query.bind(accepted.domain).bind(accepted.turn)
            });
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
        if inserted != u64::try_from(count).unwrap_or(u64::MAX) {
            return Err(corrupt("an id of what was received was there before"));
        }
    }
    Ok(fresh)
}

/// A received activity that this worker has claimed.
#[derive(Debug, FromRow)]
pub struct InboxJob {
    /// Its id.
    pub id: InboxActivityId,
    /// Its exact bytes.
    pub body: String,
    /// Its signed date.
    pub signed_at: Timestamp,
    /// Attempts that failed.
    pub attempts: i64,
    /// The registrable domain of its server.
    pub domain: String,
}

/// Whether an activity in this lane is due.
pub async fn has_due(db: &Db, lane: InboxLane, now: Timestamp) -> Result<bool> {
    let query = "select id from inbox_activities
        where state = 'queued' and lane = $2 and next_attempt_at <= $1 and (lease_until is null or lease_until <= $1)
        limit 1";
    let due: Option<String> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(now).bind(lane).fetch_optional(c).await)?;
    Ok(due.is_some())
}

/// Activities of an actor among which [`has_earlier_queued`] looks.
const MAX_EARLIER: i64 = 100;

/// Whether an actor sent something shortly before this activity that is not finished yet.
pub async fn has_earlier_queued(db: &Db, actor: &url::Url, id: InboxActivityId) -> Result<bool> {
    let query = "select count(*) from (
            select state from inbox_activities where actor = $1 and id < $2 order by id desc limit $3) earlier
         where state = 'queued'";
    let queued: i64 = with_db!(db, |c| sqlx::query_scalar(query)
        .bind(actor.as_str())
        .bind(id)
        .bind(MAX_EARLIER)
        .fetch_one(c)
        .await)?;
    Ok(queued > 0)
}

/// A claim of activities.
#[derive(Debug, Clone, Copy)]
pub struct InboxClaim<'a> {
    /// The lane from which they are taken.
    pub lane: InboxLane,
    /// The lease under which they are taken.
    pub lease: LeaseId,
    /// When the lease expires.
    pub until: Timestamp,
    /// How many are taken at most.
    pub limit: u32,
    /// Domains from which none are taken, at most [`MAX_EXCLUDED`].
    pub excluded: &'a [String],
}

/// How many domains a claim can exclude.
pub const MAX_EXCLUDED: usize = 8;

/// Claims activities that are due, in order of their turns. The turn of an activity is the time when it arrived, or later if
/// its domain sent many before, so that the activities of others go first.
pub async fn claim_due(tx: &mut Tx, claim: InboxClaim<'_>, now: Timestamp) -> Result<Vec<InboxJob>> {
    let mut jobs: Vec<InboxJob> = claim_rows!(
        tx,
        "with picked as materialized (
            select id from inbox_activities
            where state = 'queued' and lane = $5 and next_attempt_at <= $1
                and (lease_until is null or lease_until <= $1)
                and domain not in ($6, $7, $8, $9, $10, $11, $12, $13)
            order by turn, id limit $4",
        ") update inbox_activities set lease = $2, lease_until = $3 where id in (select id from picked)
         returning id, body, signed_at, attempts, domain",
        |query, c| {
            let query = sqlx::query_as(query).bind(now).bind(claim.lease).bind(claim.until);
            let query = query.bind(i64::from(claim.limit)).bind(claim.lane);
            // No domain has this name.
            let excluded = claim.excluded.iter().map(String::as_str).chain(std::iter::repeat("-"));
            excluded.take(MAX_EXCLUDED).fold(query, sqlx::query::QueryAs::bind).fetch_all(c).await
        }
    )?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}

/// The outcome of applying an activity.
#[derive(Debug, Clone, Copy)]
pub enum InboxOutcome {
    /// It had its effect.
    Done,
    /// It has no effect, for the reason noted. Its body is not kept.
    Dropped,
    /// It fails each time; it is kept for the operator to look at.
    Parked,
}

/// Records the outcome in the transaction that contains the effect. Returns false if the lease was lost, or a block has
/// dropped the activity: then the transaction must not commit.
pub async fn finish(
    tx: &mut Tx,
    id: InboxActivityId,
    lease: LeaseId,
    ended: InboxOutcome,
    note: &str,
) -> Result<bool> {
    let state = match ended {
        InboxOutcome::Done => InboxState::Done,
        InboxOutcome::Dropped => InboxState::Dropped,
        InboxOutcome::Parked => InboxState::Parked,
    };
    execute!(
        tx,
        sqlx::query(
            "update inbox_activities set state = $3, note = $4, lease = null, lease_until = null,
             body = case when $3 = 'dropped' then '' else body end
         where id = $1 and lease = $2 and state = 'queued'",
        )
        .bind(id)
        .bind(lease)
        .bind(state)
        .bind(note)
    )
    .map(|rows| rows == 1)
}

/// When an activity is tried again.
#[derive(Debug, Clone, Copy)]
pub struct InboxRetry<'a> {
    /// Not before this time, unless the post arrives that it waits for.
    pub at: Timestamp,
    /// The id of that post.
    pub waits_for: Option<&'a url::Url>,
    /// Its next turn.
    pub turn: Timestamp,
    /// Why it was not applied.
    pub note: &'a str,
}

/// Moves an activity to the lane of those that need requests to other servers. Returns false if the lease was lost, or a
/// block has dropped the activity.
pub async fn move_to_network(
    tx: &mut Tx,
    id: InboxActivityId,
    lease: LeaseId,
    turn: Timestamp,
) -> Result<bool> {
    execute!(
        tx,
        sqlx::query(
            "update inbox_activities set lane = 'network', turn = $3, lease = null, lease_until = null
             where id = $1 and lease = $2 and state = 'queued'",
        )
        .bind(id)
        .bind(lease)
        .bind(turn)
    )
    .map(|rows| rows == 1)
}

/// Retries an activity later, or when the post that it waits for arrives.
pub async fn defer(tx: &mut Tx, id: InboxActivityId, lease: LeaseId, retry: InboxRetry<'_>) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            // The post may have arrived while the activity was looked at.
            "update inbox_activities set attempts = attempts + 1, note = $4, waiting_for = $5, turn = $6,
            next_attempt_at = case when exists (select 1 from comments where uri = $5) then 0 else $3 end,
            lease = null, lease_until = null
         where id = $1 and lease = $2 and state = 'queued'",
        )
        .bind(id)
        .bind(lease)
        .bind(retry.at)
        .bind(retry.note)
        .bind(retry.waits_for.map(url::Url::as_str))
        .bind(retry.turn)
    )?;
    Ok(())
}

/// Makes the activities due that wait for this post.
pub async fn wake_waiting(tx: &mut Tx, arrived: &url::Url, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update inbox_activities set next_attempt_at = $2, lane = 'ready'
             where waiting_for = $1 and state = 'queued'"
        )
        .bind(arrived.as_str())
        .bind(now)
    )?;
    Ok(())
}

/// Erases the bodies of an actor's finished activities, the newest first, since they may contain a text that it
/// deleted.
pub async fn erase_bodies(tx: &mut Tx, actor: &url::Url) -> Result<()> {
    let rows = execute!(
        tx,
        sqlx::query(
            "update inbox_activities set body = '' where id in (
                select id from inbox_activities where actor = $1 and state <> 'queued' and body <> ''
                order by id desc limit $2)",
        )
        .bind(actor.as_str())
        .bind(MAX_ERASED_BODIES)
    )?;
    tx.record_erasure(rows);
    Ok(())
}

/// Erases the body of an activity that is being applied, since it contains a text that nobody shall read any more.
pub async fn erase_body(tx: &mut Tx, id: InboxActivityId) -> Result<()> {
    let rows = execute!(tx, sqlx::query("update inbox_activities set body = '' where id = $1").bind(id))?;
    tx.record_erasure(rows);
    Ok(())
}

/// Deletes expired signatures, and finished activities and tombstones from before `received_before`.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp, received_before: Timestamp) -> Result<()> {
    execute!(tx, sqlx::query("delete from seen_signatures where expires_at <= $1").bind(now))?;
    execute!(
        tx,
        sqlx::query("delete from inbox_activities where received_at <= $1 and state <> 'queued'")
            .bind(received_before)
    )?;
    execute!(tx, sqlx::query("delete from tombstones where signed_at <= $1").bind(received_before))?;
    Ok(())
}
