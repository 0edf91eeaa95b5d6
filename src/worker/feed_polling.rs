//! Polls feeds that are due.

use super::Shutdown;
use super::job_loop::keep_busy;
use crate::flows::ingest::older_pages::Reading;
use crate::flows::{App, ingest};

/// Feeds that are polled at a time.
const MAX_PARALLEL_POLLS: usize = 4;

pub(super) async fn poll_feeds(app: App, shutdown: Shutdown) {
    let claim = async |app: &App, slots: usize| ingest::claim_due(app, slots).await;
    let stop = shutdown.clone();
    keep_busy(app, shutdown, MAX_PARALLEL_POLLS, "poll", claim, move |app, (lease, feed)| {
        let reading = Reading { all: false, by_hand: false, stop: stop.clone() };
        Box::pin(async move { ingest::poll_claimed_feed(&app, lease, &feed, &reading).await })
    })
    .await;
}
