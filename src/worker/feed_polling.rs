//! Polls feeds that are due.

use super::Shutdown;
use super::job_loop::keep_busy;
use crate::flows::{App, ingest};

/// Feeds that are polled at a time.
const MAX_PARALLEL_POLLS: usize = 4;

pub(super) async fn poll_feeds(app: App, shutdown: Shutdown) {
    let claim = async |app: &App, slots: usize| ingest::claim_due(app, slots).await;
    keep_busy(app, shutdown, MAX_PARALLEL_POLLS, "poll", claim, |app, (lease, feed)| {
        Box::pin(async move { ingest::poll_claimed_feed(&app, lease, &feed).await })
    })
    .await;
}
