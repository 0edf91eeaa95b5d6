//! Leases: a row that a worker has claimed is its own until the lease expires, unless it renews the lease.

use super::{Db, Result, claim_rows, execute};
use crate::domain::id::LeaseId;
use crate::domain::time::Timestamp;

/// A table whose rows workers claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseQueue {
    /// Feeds.
    Feeds,
    /// Hosts.
    Hosts,
    /// Received activities.
    InboxActivities,
    /// Reviews whose images are fetched.
    PendingImages,
}

/// Extends a lease.
pub async fn renew(db: &Db, queue: LeaseQueue, lease: LeaseId, until: Timestamp) -> Result<()> {
    let statement = match queue {
        LeaseQueue::Feeds => "update feeds set lease_until = $2 where lease = $1",
        LeaseQueue::Hosts => "update hosts set lease_until = $2 where lease = $1",
        LeaseQueue::PendingImages => "update pending_images set lease_until = $2 where lease = $1",
        LeaseQueue::InboxActivities => return renew_inbox_activities(db, lease, until).await,
    };
    let mut tx = db.begin().await?;
    execute!(&mut tx, sqlx::query(statement).bind(lease).bind(until))?;
    tx.commit_without_notify().await
}

/// Skips rows whose outcome is being written, so that it never waits for that transaction.
async fn renew_inbox_activities(db: &Db, lease: LeaseId, until: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    claim_rows!(
        &mut tx,
        "with picked as materialized (select id from inbox_activities where lease = $1",
        ") update inbox_activities set lease_until = $2 where id in (select id from picked)",
        |query, c| sqlx::query(query).bind(lease).bind(until).execute(c).await.map(|_| ())
    )?;
    tx.commit_without_notify().await
}
