//! Wake, claim, run, acknowledge; drains on shutdown. Every job is leased and may be done twice.

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

/// Without a word from anyone, work that became due is looked for this often.
const PULSE: Duration = Duration::from_secs(1);

/// Received activities that are applied at a time.
const RECEIPTS: usize = 32;

/// Jobs that end within this time end together.
const TOGETHER: Duration = Duration::from_millis(1);

/// Feeds that are read at a time.
const POLLS: usize = 4;

/// Deliveries that arrived are kept this long.
const KEEP_DONE: Duration = Duration::from_hours(7 * 24);

/// Deliveries that were given up, and raw activities, are kept this long.
const KEEP: Duration = Duration::from_hours(30 * 24);

/// Answers that are forgotten at a time.
const MOST_FORGOTTEN: u32 = 1000;

/// Tells everyone to finish what they do and begin nothing new.
pub type Shutdown = watch::Receiver<bool>;

/// Does the work of the site until it is told to stop, then ends what it began.
///
/// # Errors
/// Where a part of it ended by itself, which it never should: better to begin anew than to go on without it.
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
    loops.spawn(count_readers(app.clone(), shutdown.clone()));
    loops.spawn(fetch_avatars(app.clone(), shutdown.clone()));
    loops.spawn(delivery::deliver_all(app.clone(), shutdown.clone()));
    loops.spawn(receive_all(app.clone(), shutdown.clone()));
    loops.spawn(forget(app, shutdown.clone()));
    while let Some(ended) = loops.join_next().await {
        ended.context("a part of the worker failed")?;
        ensure!(*shutdown.borrow(), "a part of the worker ended by itself");
    }
    Ok(())
}

/// Does one thing at a time for as long as there is more of it.
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
                tracing::error!(what, error = format!("{error:#}"), "work failed, tried again");
                pause(&mut shutdown, PULSE).await;
            }
        }
        idle(&mut wake, &mut shutdown).await;
    }
}

/// Waits for a word, a pulse, or the end.
async fn idle(wake: &mut watch::Receiver<()>, shutdown: &mut Shutdown) {
    tokio::select! {
        _ = wake.changed() => {}
        () = tokio::time::sleep(PULSE) => {}
        _ = shutdown.changed() => {}
    }
}

async fn pause(shutdown: &mut Shutdown, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = shutdown.changed() => {}
    }
}

/// Keeps up to `places` jobs running: as soon as one ends, its place is claimed for. A slow one holds its own
/// place and nobody else's.
async fn keep_busy<J, C, R>(
    app: App,
    mut shutdown: Shutdown,
    places: usize,
    what: &'static str,
    claim: C,
    run: R,
) where
    C: AsyncFn(&App, usize) -> anyhow::Result<Vec<J>>,
    R: Fn(App, J) -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>,
{
    let free = Arc::new(Semaphore::new(places));
    let mut running = JoinSet::new();
    let mut wake = app.wake.subscribe();
    while !*shutdown.borrow() {
        while let Some(ended) = running.try_join_next() {
            log_end(what, ended);
        }
        wake.mark_unchanged();
        let jobs = claim(&app, free.available_permits()).await.unwrap_or_else(|error| {
            tracing::error!(what, error = format!("{error:#}"), "no work could be claimed");
            Vec::new()
        });
        let found = !jobs.is_empty();
        for job in jobs {
            let Ok(place) = Arc::clone(&free).acquire_owned().await else {
                return;
            };
            let job = run(app.clone(), job);
            running.spawn(async move {
                let ended = job.await;
                drop(place);
                ended
            });
        }
        if !found && running.is_empty() {
            idle(&mut wake, &mut shutdown).await;
        } else if !found || free.available_permits() == 0 {
            tokio::select! {
                Some(ended) = running.join_next() => {
                    log_end(what, ended);
                    // Those that end together give their places back together: one claim takes them all.
                    tokio::time::sleep(TOGETHER).await;
                }
                () = idle(&mut wake, &mut shutdown) => {}
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
    tracing::error!(what, problem, "a job failed; it is taken up again once its lease runs out");
}

async fn poll_all(app: App, shutdown: Shutdown) {
    let claim = async |app: &App, places: usize| ingest::claim_due(app, places).await;
    keep_busy(app, shutdown, POLLS, "poll", claim, |app, (lease, feed)| {
        Box::pin(async move { ingest::poll_claimed_feed(&app, lease, &feed).await })
    })
    .await;
}

async fn receive_all(app: App, shutdown: Shutdown) {
    let (line, end) = receive::effect_channel();
    let enacting = tokio::spawn(receive::apply_all(app.clone(), end));
    let claim = async |app: &App, places: usize| {
        let (lease, jobs) = receive::claim_due(app, places).await?;
        Ok(jobs.into_iter().map(|job| (lease, job)).collect())
    };
    keep_busy(app, shutdown, RECEIPTS, "receipt", claim, move |app, (lease, job)| {
        let line = line.clone();
        Box::pin(async move { receive::process(&app, &line, lease, job).await })
    })
    .await;
    // The line is given up: what still waited had its effect.
    if let Err(panic) = enacting.await {
        tracing::error!(%panic, "effects ended");
    }
}

/// Like [`repeat`], with the place to which the last look came.
async fn fetch_avatars(app: App, mut shutdown: Shutdown) {
    let mut wake = app.wake.subscribe();
    let mut round = avatar::AvatarCursor::default();
    while !*shutdown.borrow() {
        wake.mark_unchanged();
        match avatar::process_batch(&app, &mut round).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(what = "avatars", error = format!("{error:#}"), "work failed, tried again");
                pause(&mut shutdown, PULSE).await;
            }
        }
        idle(&mut wake, &mut shutdown).await;
    }
}

/// Nobody waits for these numbers: only the pulse sets it going.
async fn count_readers(app: App, mut shutdown: Shutdown) {
    let mut round = view_counts::ViewCountSchedule::default();
    while !*shutdown.borrow() {
        match view_counts::process_batch(&app, &mut round).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(what = "readers", error = format!("{error:#}"), "work failed, tried again");
            }
        }
        pause(&mut shutdown, PULSE).await;
    }
}

/// Notices what other processes of the site write.
async fn watch_database(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let watching = async {
            let mut watch = app.db.watch().await?;
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
            tracing::warn!(%error, "not told of changes for now");
        }
        pause(&mut shutdown, PULSE).await;
    }
}

/// Forgets what is kept for a time only, once an hour.
async fn forget(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let now = app.clock.now();
        if let Err(error) = forget_once(&app, now).await {
            tracing::warn!(error = format!("{error:#}"), "nothing forgotten this time");
        }
        pause(&mut shutdown, Duration::from_hours(1)).await;
    }
}

async fn forget_once(app: &App, now: Timestamp) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    inbox_activities::delete_expired(&mut tx, now, now - KEEP).await?;
    deliveries::delete_finished(&mut tx, now - KEEP_DONE, now - KEEP).await?;
    activities::delete_old_forwards(&mut tx, now - KEEP_DONE).await?;
    activities::delete_old_responses(&mut tx, now - KEEP, MOST_FORGOTTEN).await?;
    hosts::delete_idle(&mut tx, now - KEEP).await?;
    keys::erase_retired_private_keys(&mut tx, now).await?;
    reports::delete_old_closed(&mut tx, now - KEEP).await?;
    page_versions::merge_closed_writers(&mut tx).await?;
    review_stats::merge_closed_writers(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
