//! Hosts of other servers: the lease of the worker that delivers to one, when it is due, its failures, and the signature
//! scheme that it accepts. Only one worker delivers to a host at a time, so that deliveries keep their order and a slow
//! host occupies one slot.

use sqlx::FromRow;

use super::bulk_statement::BulkStatement;
use super::db::AnyTransaction;
use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::id::LeaseId;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

/// The most hosts that get a row for their signature scheme, so that invented names do not fill the disk.
const MAX_HOSTS: i64 = 100_000;

/// The signature scheme that a host accepted last, if it is stored.
pub async fn signature_scheme(db: &Db, host: &str) -> Result<Option<SignatureScheme>> {
    with_db!(db, |c| sqlx::query_scalar("select signature_scheme from hosts where host = $1")
        .bind(host)
        .fetch_optional(c)
        .await)
}

/// Records that a host accepted this scheme after it had rejected the other one. The default scheme needs no row.
pub async fn save_signature_scheme(
    tx: &mut Tx,
    host: &str,
    scheme: SignatureScheme,
    now: Timestamp,
) -> Result<()> {
    if scheme == SignatureScheme::default() {
        return reset_signature_scheme(tx, host).await;
    }
    execute!(
        tx,
        sqlx::query(
            "insert into hosts (host, signature_scheme, updated_at)
             select $1, $2, $3 where (select count(*) from hosts) < $4
             on conflict (host) do update set signature_scheme = excluded.signature_scheme, updated_at = excluded.updated_at",
        )
        .bind(host)
        .bind(scheme)
        .bind(now)
        .bind(MAX_HOSTS)
    )?;
    Ok(())
}

/// Resets a host to the default scheme, after it rejected both.
pub async fn reset_signature_scheme(tx: &mut Tx, host: &str) -> Result<()> {
    let statement = "update hosts set signature_scheme = $2 where host = $1 and signature_scheme <> $2";
    execute!(tx, sqlx::query(statement).bind(host).bind(SignatureScheme::default()))?;
    Ok(())
}

/// Resets schemes that were recorded before that time, since servers are updated, and deletes hosts without deliveries.
pub async fn delete_idle(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let reset = "update hosts set signature_scheme = $2 where updated_at <= $1 and signature_scheme <> $2";
    execute!(tx, sqlx::query(reset).bind(before).bind(SignatureScheme::default()))?;
    let delete = "delete from hosts where updated_at <= $1 and due_at is null and lease is null
        and (failing_since is null or retry_at <= $1)";
    execute!(tx, sqlx::query(delete).bind(before))?;
    Ok(())
}

/// Makes a host due: now, or when it is retried.
pub async fn schedule(tx: &mut Tx, host: &str, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into hosts (host, signature_scheme, updated_at, due_at) values ($1, $2, $3, $3)
             on conflict (host) do update set due_at = case
                when hosts.due_at <= excluded.due_at then hosts.due_at
                when hosts.retry_at > excluded.due_at then hosts.retry_at
                else excluded.due_at end",
        )
        .bind(host)
        .bind(SignatureScheme::default())
        .bind(now)
    )?;
    Ok(())
}

/// A host that a worker has claimed.
#[derive(Debug, Clone, FromRow)]
pub struct HostLease {
    /// Its name.
    pub host: String,
    /// The signature scheme to try first.
    pub signature_scheme: SignatureScheme,
    /// Failures in a row since its last response.
    pub failures: i64,
}

/// Whether any host is due.
pub async fn has_due(db: &Db, now: Timestamp) -> Result<bool> {
    let query = "select 'due' where exists (
            select 1 from hosts where failures = 0 and due_at <= $1 and (lease_until is null or lease_until <= $1))
        or exists (
            select 1 from hosts where failures > 0 and due_at <= $1 and (lease_until is null or lease_until <= $1))";
    let due: Option<String> = with_db!(db, |c| sqlx::query_scalar(query).bind(now).fetch_optional(c).await)?;
    Ok(due.is_some())
}

/// The most hosts to claim, of healthy ones and of failing ones.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// For healthy hosts.
    pub healthy: usize,
    /// For failing hosts: probes of any number of dead hosts do not delay the healthy ones.
    pub failing: usize,
}

/// Claims hosts that are due, those that have waited longest first.
pub async fn claim_due(
    tx: &mut Tx,
    lease: LeaseId,
    now: Timestamp,
    until: Timestamp,
    capacity: Capacity,
) -> Result<Vec<HostLease>> {
    macro_rules! claim_those {
        ($failures:literal, $limit:expr) => {{
            let limit = i64::try_from($limit).unwrap_or(0);
            claim_rows!(
                tx,
                concat!(
                    "with picked as materialized (select host from hosts where ",
                    $failures,
                    " and due_at <= $1 and (lease_until is null or lease_until <= $1) order by due_at limit $4"
                ),
                ") update hosts set lease = $2, lease_until = $3 where host in (select host from picked)
                 returning host, signature_scheme, failures",
                |query, c| sqlx::query_as(query)
                    .bind(now)
                    .bind(lease)
                    .bind(until)
                    .bind(limit)
                    .fetch_all(c)
                    .await
            )
        }};
    }
    let mut leases: Vec<HostLease> = claim_those!("failures = 0", capacity.healthy)?;
    leases.extend::<Vec<HostLease>>(claim_those!("failures > 0", capacity.failing)?);
    Ok(leases)
}

/// Locks hosts in one order, so that two transactions that change several never wait for each other.
static LOCK: BulkStatement = BulkStatement::new(
    "select host from hosts where host in (values",
    "(#1)",
    1,
    ") order by host for update",
);

/// Ends the lease of hosts that responded.
static RELEASE: BulkStatement = BulkStatement::with(
    1,
    "update hosts set lease = null, lease_until = null, failures = 0, failing_since = null, retry_at = null,
        last_error = null
     where lease = $1 and host in (values",
    "(#1)",
    1,
    ") returning host",
);

/// Makes a host due when its next delivery is, which waits for no older one. A transaction that inserts a delivery
/// schedules the host after that, and this one holds the lock of the host: it sees every delivery that was inserted
/// before, and a later one schedules the host again.
static SCHEDULE_NEXT: BulkStatement = BulkStatement::new(
    "update hosts set due_at = (
            select case when d.next_attempt_at < hosts.retry_at then hosts.retry_at else d.next_attempt_at end
            from deliveries d
            where d.host = hosts.host and d.state = 'queued' and not exists (
                select 1 from deliveries e where e.inbox = d.inbox and e.object_uri = d.object_uri
                    and e.state = 'queued' and e.activity_id < d.activity_id)
            order by d.next_attempt_at limit 1)
     where host in (values",
    "(#1)",
    1,
    ")",
);

/// The health of a host after a lease.
#[derive(Debug, Clone)]
pub enum HostHealth {
    /// It responded.
    Healthy,
    /// Nothing was sent to it.
    NotTried,
    /// It did not respond, or asked to wait: nothing is sent to it before `until`.
    Failing {
        /// When it is retried.
        until: Timestamp,
        /// The reason, in one line.
        error: String,
    },
}

/// Ends a lease and schedules the host for its next delivery. Nothing happens if the lease was lost.
pub async fn release(
    tx: &mut Tx,
    host: &str,
    lease: LeaseId,
    health: &HostHealth,
    now: Timestamp,
) -> Result<()> {
    let ended = match health {
        HostHealth::Healthy => {
            let query =
                "update hosts set lease = null, lease_until = null, failures = 0, failing_since = null,
                    retry_at = null, last_error = null
                where host = $1 and lease = $2";
            execute!(tx, sqlx::query(query).bind(host).bind(lease))?
        }
        HostHealth::NotTried => {
            let query = "update hosts set lease = null, lease_until = null where host = $1 and lease = $2";
            execute!(tx, sqlx::query(query).bind(host).bind(lease))?
        }
        HostHealth::Failing { until, error } => {
            let query = "update hosts set lease = null, lease_until = null, failures = failures + 1,
                    failing_since = coalesce(failing_since, $3), retry_at = $4, last_error = $5
                where host = $1 and lease = $2";
            execute!(tx, sqlx::query(query).bind(host).bind(lease).bind(now).bind(*until).bind(error))?
        }
    };
    if ended == 0 {
        return Ok(());
    }
    schedule_next(tx, &[host]).await
}

/// Ends the lease of hosts that responded, and schedules them.
pub async fn release_all(tx: &mut Tx, lease: LeaseId, hosts: &[&str]) -> Result<()> {
    let mut ended = Vec::with_capacity(hosts.len());
    for (text, _, part) in RELEASE.parts(hosts) {
        let found: Vec<String> = with_tx!(tx, |c| {
            let query = sqlx::query_scalar(text).bind(lease);
            part.fold(query, |query, host| query.bind(*host)).fetch_all(c).await
        })?;
        ended.extend(found);
    }
    let ended: Vec<&str> = ended.iter().map(String::as_str).collect();
    schedule_next(tx, &ended).await
}

async fn schedule_next(tx: &mut Tx, hosts: &[&str]) -> Result<()> {
    for (text, _, part) in SCHEDULE_NEXT.parts(hosts) {
        with_tx!(tx, |c| {
            part.fold(sqlx::query(text), |query, host| query.bind(*host)).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Locks hosts before they are changed. SQLite has one writer anyway.
pub async fn lock_rows(tx: &mut Tx, hosts: &[&str]) -> Result<()> {
    if let AnyTransaction::Postgres(tx) = &mut tx.transaction {
        for (text, _, part) in LOCK.parts(hosts) {
            let query = part.fold(sqlx::query(text), |query, host| query.bind(*host));
            query.execute(&mut **tx).await?;
        }
    }
    Ok(())
}

/// Makes a failing host due now, since it sent something.
pub async fn mark_reachable(tx: &mut Tx, host: &str, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "update hosts set failures = 0, failing_since = null, retry_at = null, last_error = null,
                due_at = case when due_at > $2 then $2 else due_at end
             where host = $1 and failures > 0",
        )
        .bind(host)
        .bind(now)
    )?;
    Ok(())
}

/// A failing host in a list.
#[derive(Debug, Clone, FromRow)]
pub struct FailingHost {
    /// Its name.
    pub host: String,
    /// Failures in a row since its last response.
    pub failures: i64,
    /// When it began to fail.
    pub failing_since: Option<Timestamp>,
    /// When it is retried.
    pub retry_at: Option<Timestamp>,
    /// The last error.
    pub last_error: Option<String>,
}

/// Lists failing hosts, those that have failed longest first.
pub async fn list_failing(db: &Db, limit: u32) -> Result<Vec<FailingHost>> {
    with_db!(db, |c| sqlx::query_as(
        "select host, failures, failing_since, retry_at, last_error from hosts
         where failing_since is not null order by failing_since, host limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}
