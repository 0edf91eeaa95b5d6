//! Keeps hosts being sent to. A host that answers in time has one of few places; one that does not is moved to one
//! of many, where it waits in nobody's way. One that failed the last time is there from the start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::{PULSE, Shutdown, log_end, pause};
use crate::flows::App;
use crate::flows::deliver::delivery_results::{self, DeliveryResult};
use crate::flows::deliver::{self, ActivityCache, HostBatch};
use crate::store::hosts::Capacity;

/// Hosts that are sent to at a time.
const QUICK: usize = 128;

/// Hosts that let us wait, at a time, beside those.
const SLOW: usize = 1024;

/// A turn that takes longer is slow. There are places enough for slow ones, and few for the others: better to take
/// a distant host for a slow one than to let a hundred that say nothing hold everyone up for long.
const PATIENCE: Duration = Duration::from_millis(250);

/// Hosts that are taken at a time.
const A_CLAIM: usize = 64;

/// What came of attempts, until it is written down.
const UNWRITTEN: usize = 1024;

/// Sends what is due until it is told to stop, then ends what it began.
pub(super) async fn deliver_all(app: App, mut shutdown: Shutdown) {
    let (ledger, entries) = mpsc::channel(UNWRITTEN);
    let freed = Arc::new(Notify::new());
    let keeping = {
        let (app, freed) = (app.clone(), Arc::clone(&freed));
        tokio::spawn(async move { delivery_results::write_all(app, entries, &freed).await })
    };
    let (quick, slow) = (Arc::new(Semaphore::new(QUICK)), Arc::new(Semaphore::new(SLOW)));
    let mut letters = ActivityCache::default();
    let mut running = JoinSet::new();
    let mut wake = app.wake.subscribe();
    while !*shutdown.borrow() {
        while let Some(ended) = running.try_join_next() {
            log_end("delivery", ended.map(Ok));
        }
        wake.mark_unchanged();
        let places = quick.available_permits().min(A_CLAIM);
        let room = Capacity { healthy: places, failing: slow.available_permits().min(A_CLAIM) };
        let rounds =
            if places == 0 { Ok(Vec::new()) } else { deliver::claim_hosts(&app, &mut letters, room).await };
        let rounds = match rounds {
            Ok(rounds) => rounds,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no deliveries could be claimed");
                pause(&mut shutdown, PULSE).await;
                continue;
            }
        };
        let found = !rounds.is_empty();
        for round in rounds {
            let place = if round.is_retry() { Arc::clone(&slow).try_acquire_owned().ok() } else { None };
            let place = match place {
                Some(place) => Ok(place),
                None => Arc::clone(&quick).acquire_owned().await,
            };
            let Ok(place) = place else { return };
            running.spawn(in_place(app.clone(), round, ledger.clone(), place, Arc::clone(&slow)));
        }
        if places == 0 {
            tokio::select! {
                _ = quick.acquire() => {}
                _ = shutdown.changed() => {}
            }
        } else if !found {
            tokio::select! {
                _ = wake.changed() => {}
                () = freed.notified() => {}
                () = tokio::time::sleep(PULSE) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        log_end("delivery", ended.map(Ok));
    }
    drop(ledger);
    log_end("ledger", keeping.await.map(Ok));
}

/// Sends to a host; once it takes long, in another place.
async fn in_place(
    app: App,
    round: HostBatch,
    ledger: mpsc::Sender<DeliveryResult>,
    place: OwnedSemaphorePermit,
    slow: Arc<Semaphore>,
) {
    let mut place = place;
    let mut work = std::pin::pin!(deliver::deliver_batch(&app, round, &ledger));
    tokio::select! {
        () = &mut work => return,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    // Where there is none, it goes on in the place that it has.
    if let Ok(other) = slow.try_acquire_owned() {
        place = other;
    }
    work.await;
    drop(place);
}
