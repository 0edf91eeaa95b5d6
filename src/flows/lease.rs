//! Keeps a lease alive while its job runs. Leases are short, so that the jobs of a killed process are soon claimed by
//! another; a running process renews its own.

use std::time::Duration;

use super::App;
use crate::domain::id::LeaseId;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::store::lease_renewal::{self, LeaseQueue};

/// How long a lease lasts without renewal.
const LEASE_DURATION: Duration = Duration::from_secs(10);

/// How often a lease is renewed.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(3);

/// When a lease that is taken now expires.
pub(super) fn lease_until(now: Timestamp) -> Timestamp {
    now + LEASE_DURATION
}

/// Runs a job and renews its lease until it ends. The job goes on while a renewal waits for the database: the renewal
/// may be waiting for a transaction of this very job.
pub(super) async fn with_lease<T>(
    app: &App,
    queue: LeaseQueue,
    lease: LeaseId,
    work: impl Future<Output = T>,
) -> T {
    let renewing = async {
        loop {
            tokio::time::sleep(RENEWAL_INTERVAL).await;
            if let Err(error) =
                lease_renewal::renew(&app.db, queue, lease, lease_until(app.clock.now())).await
            {
                tracing::warn!(error = ?Untrusted::chain(&error), "could not renew lease");
            }
        }
    };
    tokio::select! {
        done = work => done,
        never = renewing => never,
    }
}
