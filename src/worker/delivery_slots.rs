//! Keeps deliveries going. A host that answers in time uses one of few fast slots; one that does not is moved to one of
//! many slow slots, where it holds up no other. A host that failed the last time starts in a slow slot.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Shutdown;
use super::job_loop::{POLL_INTERVAL, log_end, pause};
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::flows::deliver::delivery_results::{self, ResultSender};
use crate::flows::deliver::{self, ActivityCache, HostBatch};
use crate::store::hosts::Capacity;

/// Fast slots: hosts that are sent to at a time.
const MAX_FAST_HOSTS: usize = 128;

/// Slow slots: hosts that respond slowly, in addition to those.
const MAX_SLOW_HOSTS: usize = 1024;

/// A batch that takes longer moves to a slow slot. There are plenty of slow slots and few fast ones: it is better to
/// take a distant host for a slow one than to let a hundred silent hosts hold up all others for long.
const FAST_TIMEOUT: Duration = Duration::from_millis(250);

/// Hosts that are claimed at a time.
const MAX_CLAIM: usize = 64;

/// Sends due deliveries until shutdown, then finishes the running batches.
pub(super) async fn deliver_all(app: App, mut shutdown: Shutdown) {
    let (results, receiver) = delivery_results::result_channel();
    let released = Arc::new(Notify::new());
    let writing = tokio::spawn(delivery_results::write_all(app.clone(), receiver, Arc::clone(&released)));
    let (fast, slow) = (Arc::new(Semaphore::new(MAX_FAST_HOSTS)), Arc::new(Semaphore::new(MAX_SLOW_HOSTS)));
    let activities = ActivityCache::default();
    let mut running = JoinSet::new();
    let mut wake = app.wake.subscribe();
    while !*shutdown.borrow() {
        while let Some(ended) = running.try_join_next() {
            log_end("delivery", ended.map(Ok));
        }
        wake.mark_unchanged();
        let free = fast.available_permits().min(MAX_CLAIM);
        let capacity = Capacity { healthy: free, failing: slow.available_permits().min(MAX_CLAIM) };
        let batches =
            if free == 0 { Ok(Vec::new()) } else { deliver::claim_hosts(&app, &activities, capacity).await };
        let batches = match batches {
            Ok(batches) => batches,
            Err(error) => {
                tracing::error!(error = ?Untrusted::chain(&error), "could not claim hosts");
                pause(&mut shutdown, POLL_INTERVAL).await;
                continue;
            }
        };
        let found = !batches.is_empty();
        for batch in batches {
            let slow_slot = if batch.is_retry() { Arc::clone(&slow).try_acquire_owned().ok() } else { None };
            let permit = match slow_slot {
                Some(permit) => Ok(permit),
                None => Arc::clone(&fast).acquire_owned().await,
            };
            let Ok(permit) = permit else { return };
            running.spawn(run_batch(app.clone(), batch, results.clone(), permit, Arc::clone(&slow)));
        }
        if free == 0 {
            tokio::select! {
                _ = fast.acquire() => {}
                _ = shutdown.changed() => {}
            }
        } else if !found {
            tokio::select! {
                _ = wake.changed() => {}
                () = released.notified() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        log_end("delivery", ended.map(Ok));
    }
    drop(results);
    log_end("delivery results", writing.await.map(Ok));
}

/// Sends a batch, and moves it to a slow slot once it takes long.
async fn run_batch(
    app: App,
    batch: HostBatch,
    results: ResultSender,
    permit: OwnedSemaphorePermit,
    slow: Arc<Semaphore>,
) {
    let mut permit = permit;
    let mut work = std::pin::pin!(deliver::deliver_batch(&app, batch, &results));
    tokio::select! {
        () = &mut work => return,
        () = tokio::time::sleep(FAST_TIMEOUT) => {}
    }
    // Without a free slow slot it keeps its fast one.
    if let Ok(other) = slow.try_acquire_owned() {
        permit = other;
    }
    work.await;
    drop(permit);
}
