//! The loops of the worker: one that repeats a step, and one that keeps a number of jobs running. Both wait for a wake-up
//! when there is nothing to do.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::Shutdown;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;

/// How often due work is looked for without a wake-up.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Jobs that end within this time are replaced by one claim.
const JOIN_INTERVAL: Duration = Duration::from_millis(1);

/// Repeats a step as long as it returns `true`, and waits for work in between.
pub(super) async fn repeat<F>(app: App, mut shutdown: Shutdown, name: &'static str, step: F)
where
    F: AsyncFn(&App) -> anyhow::Result<bool>,
{
    let mut wake = app.wake.subscribe();
    while !*shutdown.borrow() {
        wake.mark_unchanged();
        match step(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(job = name, error = ?Untrusted::chain(&error), "worker step failed; will retry");
                pause(&mut shutdown, POLL_INTERVAL).await;
            }
        }
        wait_for_work(&mut wake, &mut shutdown).await;
    }
}

/// Waits for a wake-up, the poll interval, or shutdown.
pub(super) async fn wait_for_work(wake: &mut watch::Receiver<()>, shutdown: &mut Shutdown) {
    tokio::select! {
        _ = wake.changed() => {}
        () = tokio::time::sleep(POLL_INTERVAL) => {}
        _ = shutdown.changed() => {}
    }
}

pub(super) async fn pause(shutdown: &mut Shutdown, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = shutdown.changed() => {}
    }
}

/// Keeps up to `slots` jobs running: as soon as one ends, the next one is claimed. A slow job holds up no other.
pub(super) async fn keep_busy<J, C, R>(
    app: App,
    mut shutdown: Shutdown,
    slots: usize,
    name: &'static str,
    claim: C,
    run: R,
) where
    C: AsyncFn(&App, usize) -> anyhow::Result<Vec<J>>,
    R: Fn(App, J) -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>,
{
    let free = Arc::new(Semaphore::new(slots));
    let mut running = JoinSet::new();
    let mut wake = app.wake.subscribe();
    while !*shutdown.borrow() {
        while let Some(ended) = running.try_join_next() {
            log_end(name, ended);
        }
        wake.mark_unchanged();
        let jobs = claim(&app, free.available_permits()).await.unwrap_or_else(|error| {
            tracing::error!(job = name, error = ?Untrusted::chain(&error), "could not claim jobs");
            Vec::new()
        });
        let found = !jobs.is_empty();
        for job in jobs {
            let Ok(slot) = Arc::clone(&free).acquire_owned().await else {
                return;
            };
            let job = run(app.clone(), job);
            running.spawn(async move {
                let ended = job.await;
                drop(slot);
                ended
            });
        }
        if !found && running.is_empty() {
            wait_for_work(&mut wake, &mut shutdown).await;
        } else if !found || free.available_permits() == 0 {
            tokio::select! {
                Some(ended) = running.join_next() => {
                    log_end(name, ended);
                    // Jobs that end at about the same time are replaced by one claim.
                    tokio::time::sleep(JOIN_INTERVAL).await;
                }
                () = wait_for_work(&mut wake, &mut shutdown) => {}
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        log_end(name, ended);
    }
}

pub(super) fn log_end(name: &str, ended: Result<anyhow::Result<()>, tokio::task::JoinError>) {
    let problem = match ended {
        Ok(Ok(())) => return,
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic.to_string(),
    };
    tracing::error!(job = name, problem = ?Untrusted::new(&problem), "job failed; will retry when its lease expires");
}
