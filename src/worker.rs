//! The background worker: it waits for work, claims jobs, runs them and acknowledges them, and finishes its running jobs
//! on shutdown. Every job is leased and may be run twice.

mod delivery;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::domain::time::Timestamp;
use crate::flows::{App, avatar, deliver, facepile, ingest, publish, receive, view_counts};
use crate::store::{
    activities, deliveries, hosts, inbox_activities, keys, page_versions, reports, review_stats,
};

/// How often due work is looked for without a wake-up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Received activities that are processed at a time.
const MAX_RECEIPTS: usize = 32;

/// Jobs that end within this time are replaced by one claim.
const JOIN_INTERVAL: Duration = Duration::from_millis(1);

/// Feeds that are polled at a time.
const MAX_POLLS: usize = 4;

/// How long completed deliveries are kept.
const KEEP_DELIVERED: Duration = Duration::from_hours(7 * 24);

/// How long failed deliveries and the bodies of activities are kept.
const KEEP_FAILED: Duration = Duration::from_hours(30 * 24);

/// Accepts and Rejects that are deleted at a time.
const MAX_DELETED_ANSWERS: u32 = 1000;

/// Becomes `true` on shutdown: tasks finish what they do and begin nothing new.
pub type Shutdown = watch::Receiver<bool>;

/// Runs the worker until shutdown, then finishes the running jobs.
///
/// # Errors
/// If one of its loops ends before shutdown, which is a bug: restarting is better than running without it.
pub async fn run(app: App, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut loops = JoinSet::new();
    loops.spawn(watch_database(app.clone(), shutdown.clone()));
    loops.spawn(repeat(app.clone(), shutdown.clone(), "fan-out", async |app| {
        deliver::expand_fan_out(app).await
    }));
    loops.spawn(poll_all(app.clone(), shutdown.clone()));
    loops.spawn(repeat(app.clone(), shutdown.clone(), "release", async |app| {
        publish::release_due(app).await.map(|released| released > 0)
    }));
    loops.spawn(repeat(app.clone(), shutdown.clone(), "faces", async |app| {
        facepile::process_batch(app).await
    }));
    loops.spawn(count_views(app.clone(), shutdown.clone()));
    loops.spawn(fetch_avatars(app.clone(), shutdown.clone()));
    loops.spawn(delivery::deliver_all(app.clone(), shutdown.clone()));
    loops.spawn(receive_all(app.clone(), shutdown.clone()));
    loops.spawn(delete_expired(app, shutdown.clone()));
    while let Some(ended) = loops.join_next().await {
        ended.context("a loop of the worker panicked")?;
        ensure!(*shutdown.borrow(), "a loop of the worker ended before shutdown");
    }
    Ok(())
}

/// Repeats a step as long as it returns `true`, and waits for work in between.
async fn repeat<F>(app: App, mut shutdown: Shutdown, what: &'static str, step: F)
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
                tracing::error!(what, error = format!("{error:#}"), "step failed, will retry");
                pause(&mut shutdown, POLL_INTERVAL).await;
            }
        }
        wait_for_work(&mut wake, &mut shutdown).await;
    }
}

/// Waits for a wake-up, the poll interval, or shutdown.
async fn wait_for_work(wake: &mut watch::Receiver<()>, shutdown: &mut Shutdown) {
    tokio::select! {
        _ = wake.changed() => {}
        () = tokio::time::sleep(POLL_INTERVAL) => {}
        _ = shutdown.changed() => {}
    }
}

async fn pause(shutdown: &mut Shutdown, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = shutdown.changed() => {}
    }
}

/// Keeps up to `places` jobs running: as soon as one ends, the next one is claimed. A slow job holds up no other.
async fn keep_busy<J, C, R>(
    app: App,
    mut shutdown: Shutdown,
    slots: usize,
    what: &'static str,
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
            log_end(what, ended);
        }
        wake.mark_unchanged();
        let jobs = claim(&app, free.available_permits()).await.unwrap_or_else(|error| {
            tracing::error!(what, error = format!("{error:#}"), "could not claim jobs");
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
                    log_end(what, ended);
                    // Jobs that end at about the same time are replaced by one claim.
                    tokio::time::sleep(JOIN_INTERVAL).await;
                }
                () = wait_for_work(&mut wake, &mut shutdown) => {}
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        log_end(what, ended);
    }
}

fn log_end(what: &str, ended: Result<anyhow::Result<()>, tokio::task::JoinError>) {
    let problem = match ended {
        Ok(Ok(())) => return,
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic.to_string(),
    };
    tracing::error!(what, problem, "job failed, will retry when its lease expires");
}

async fn poll_all(app: App, shutdown: Shutdown) {
    let claim = async |app: &App, slots: usize| ingest::claim_due(app, slots).await;
    keep_busy(app, shutdown, MAX_POLLS, "poll", claim, |app, (lease, feed)| {
        Box::pin(async move { ingest::poll_claimed_feed(&app, lease, &feed).await })
    })
    .await;
}

async fn receive_all(app: App, shutdown: Shutdown) {
    let (effects, receiver) = receive::effect_channel();
    let applying = tokio::spawn(receive::apply_all(app.clone(), receiver));
    let claim = async |app: &App, slots: usize| {
        let (lease, jobs) = receive::claim_due(app, slots).await?;
        Ok(jobs.into_iter().map(|job| (lease, job)).collect())
    };
    keep_busy(app, shutdown, MAX_RECEIPTS, "receipt", claim, move |app, (lease, job)| {
        let effects = effects.clone();
        Box::pin(async move { receive::process(&app, &effects, lease, job).await })
    })
    .await;
    // Every sender is dropped, so the receiver ends after applying what still waited.
    if let Err(panic) = applying.await {
        tracing::error!(%panic, "the task that applies activities panicked");
    }
}

/// Like [`repeat`], with a cursor that is kept between steps.
async fn fetch_avatars(app: App, mut shutdown: Shutdown) {
    let mut wake = app.wake.subscribe();
    let mut round = avatar::AvatarCursor::default();
    while !*shutdown.borrow() {
        wake.mark_unchanged();
        match avatar::process_batch(&app, &mut round).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(what = "avatars", error = format!("{error:#}"), "step failed, will retry");
                pause(&mut shutdown, POLL_INTERVAL).await;
            }
        }
        wait_for_work(&mut wake, &mut shutdown).await;
    }
}

/// Nothing waits for these numbers, so wake-ups are ignored and only the interval counts.
async fn count_views(app: App, mut shutdown: Shutdown) {
    let mut round = view_counts::ViewCountSchedule::default();
    while !*shutdown.borrow() {
        match view_counts::process_batch(&app, &mut round).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(
                    what = "view counts",
                    error = format!("{error:#}"),
                    "step failed, will retry"
                );
            }
        }
        pause(&mut shutdown, POLL_INTERVAL).await;
    }
}

/// Wakes the tasks when another process of the site has written something.
async fn watch_database(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let watching = async {
            let mut watch = app.db.listen().await?;
            loop {
                watch.changed().await?;
                app.wake.notify();
            }
        };
        let ended: Result<(), sqlx::Error> = tokio::select! {
            ended = watching => ended,
            _ = shutdown.changed() => return,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "lost the notifications of the database, will reconnect");
        }
        pause(&mut shutdown, POLL_INTERVAL).await;
    }
}

/// Deletes expired rows once an hour.
async fn delete_expired(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let now = app.clock.now();
        if let Err(error) = delete_expired_once(&app, now).await {
            tracing::warn!(error = format!("{error:#}"), "could not delete expired rows");
        }
        pause(&mut shutdown, Duration::from_hours(1)).await;
    }
}

async fn delete_expired_once(app: &App, now: Timestamp) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    inbox_activities::delete_expired(&mut tx, now, now - KEEP_FAILED).await?;
    deliveries::delete_finished(&mut tx, now - KEEP_DELIVERED, now - KEEP_FAILED).await?;
    activities::delete_old_forwards(&mut tx, now - KEEP_DELIVERED).await?;
    activities::delete_old_responses(&mut tx, now - KEEP_FAILED, MAX_DELETED_ANSWERS).await?;
    hosts::delete_idle(&mut tx, now - KEEP_FAILED).await?;
    keys::erase_retired_private_keys(&mut tx, now).await?;
    reports::delete_old_closed(&mut tx, now - KEEP_FAILED).await?;
    page_versions::merge_closed_writers(&mut tx).await?;
    review_stats::merge_closed_writers(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
