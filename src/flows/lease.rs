//! Holds a lease while work goes on. Leases are short, so that what a killed process had taken is soon taken by
//! another; whoever lives renews its own.

use std::time::Duration;

use super::App;
use crate::domain::id::LeaseId;
use crate::domain::time::Timestamp;
use crate::store::leases::{self, LeaseQueue};

/// How long a lease lasts that nobody renews.
const LEASE: Duration = Duration::from_secs(10);

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(3);

/// Until when work that is taken now is taken.
pub(super) fn lease_until(now: Timestamp) -> Timestamp {
    now + LEASE
}

/// Does the work, and renews its lease as long as it takes. The work goes on while the renewal waits for the
/// database, since it may be the work itself that the renewal waits for.
pub(super) async fn with_lease<T>(
    app: &App,
    queue: LeaseQueue,
    lease: LeaseId,
    work: impl Future<Output = T>,
) -> T {
    let renewing = async {
        loop {
            tokio::time::sleep(RENEWAL).await;
            if let Err(error) = leases::renew(&app.db, queue, lease, lease_until(app.clock.now())).await {
                tracing::warn!(%error, "a lease could not be renewed");
            }
        }
    };
    tokio::select! {
        done = work => done,
        never = renewing => never,
    }
}
