//! The background worker: it waits for work, claims jobs, runs them and acknowledges them, and finishes its running jobs
//! on shutdown. Every job is leased and may be run twice.

mod cleanup;
mod database_watch;
mod delivery_slots;
mod feed_polling;
mod image_fetching;
mod inbox_processing;
mod job_loop;
mod wal_truncation;

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::job_loop::{POLL_INTERVAL, pause, repeat, wait_for_work};
use crate::domain::id::LeaseId;
use crate::domain::untrusted::Untrusted;
use crate::flows::{App, budget, facepile, fan_out, release, remote_avatar, view_counts};

/// How often the use of budgets is written.
const USAGE_INTERVAL: Duration = Duration::from_secs(10);

/// Becomes `true` on shutdown: tasks finish what they do and begin nothing new.
pub type Shutdown = watch::Receiver<bool>;

/// Runs the worker until shutdown, then finishes the running jobs.
///
/// # Errors
/// If one of its loops ends before shutdown, which is a bug: restarting is better than running without it.
pub async fn run(app: App, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut loops = JoinSet::new();
    loops.spawn(database_watch::watch_database(app.clone(), shutdown.clone()));
    loops
        .spawn(repeat(app.clone(), shutdown.clone(), "fan-out", async |app| fan_out::expand_next(app).await));
    loops.spawn(feed_polling::poll_feeds(app.clone(), shutdown.clone()));
    loops.spawn(image_fetching::fetch_images(app.clone(), shutdown.clone()));
    loops.spawn(repeat(app.clone(), shutdown.clone(), "scheduled reviews", async |app| {
        release::release_due(app).await.map(|released| released > 0)
    }));
    loops.spawn(repeat(app.clone(), shutdown.clone(), "facepile", async |app| {
        facepile::process_batch(app).await
    }));
    loops.spawn(count_views(app.clone(), shutdown.clone()));
    loops.spawn(fetch_avatars(app.clone(), shutdown.clone()));
    loops.spawn(delivery_slots::deliver_all(app.clone(), shutdown.clone()));
    loops.spawn(inbox_processing::process_inbox(app.clone(), shutdown.clone()));
    loops.spawn(wal_truncation::truncate_after_erasures(app.clone(), shutdown.clone()));
    loops.spawn(write_budget_usage(app.clone(), shutdown.clone()));
    loops.spawn(cleanup::delete_expired(app, shutdown.clone()));
    while let Some(ended) = loops.join_next().await {
        ended.context("worker loop panicked")?;
        ensure!(*shutdown.borrow(), "worker loop exited unexpectedly");
    }
    Ok(())
}

/// Like [`repeat`], with a cursor that is kept between steps.
async fn fetch_avatars(app: App, mut shutdown: Shutdown) {
    let mut wake = app.wake.subscribe();
    let mut cursor = remote_avatar::AvatarCursor::default();
    while !*shutdown.borrow() {
        wake.mark_unchanged();
        match remote_avatar::process_batch(&app, &mut cursor).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(
                    job = "avatars",
                    error = ?Untrusted::chain(&error),
                    "worker step failed; will retry"
                );
                pause(&mut shutdown, POLL_INTERVAL).await;
            }
        }
        wait_for_work(&mut wake, &mut shutdown).await;
    }
}

/// Writes what strangers use of their budgets, for `marquee host show` and `marquee actor show`.
async fn write_budget_usage(app: App, mut shutdown: Shutdown) {
    let process = LeaseId::new(app.clock.now()).to_string();
    while !*shutdown.borrow() {
        if let Err(error) = budget::usage::write(&app, &process).await {
            let error = format!("{error:#}");
            tracing::warn!(error = ?Untrusted::new(&error), "could not write the use of budgets");
        }
        pause(&mut shutdown, USAGE_INTERVAL).await;
    }
}

/// Nothing waits for these numbers, so wake-ups are ignored and only the interval counts.
async fn count_views(app: App, mut shutdown: Shutdown) {
    let mut schedule = view_counts::ViewCountSchedule::default();
    while !*shutdown.borrow() {
        match view_counts::process_batch(&app, &mut schedule).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(
                    job = "view counts",
                    error = ?Untrusted::chain(&error),
                    "worker step failed; will retry"
                );
            }
        }
        pause(&mut shutdown, POLL_INTERVAL).await;
    }
}
