//! What others send: proven and kept at once, applied by a worker. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

mod accept;
mod block;
mod follow;
mod forward;
pub mod intake;
mod letter;
mod movement;
mod quote;
mod reaction;
mod reply;
mod report;
mod thread;
mod undo;

use std::time::Duration;

use url::Url;

pub use accept::{Arrival, Refused, accept};
use letter::{Effect, Letter};

use super::App;
use super::hold::{hold, until};
use crate::domain::delivery::wait_after;
use crate::domain::id::LeaseId;
use crate::federation::vocab::incoming;
use crate::store::hosts;
use crate::store::leases::Queue;
use crate::store::received::{self, Ended, Job};

/// A job that fails this often is parked.
const MOST_ATTEMPTS: i64 = 8;

/// Takes at most `limit` received activities.
pub async fn claim(app: &App, limit: usize) -> anyhow::Result<(LeaseId, Vec<Job>)> {
    let now = app.clock.now();
    let lease = LeaseId::new(now);
    // Whoever looks for nothing need not wait for SQLite's only writer, nor keep it from others.
    if limit == 0 || !received::is_any_due(&app.db, now).await? {
        return Ok((lease, Vec::new()));
    }
    let mut tx = app.db.begin().await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let jobs = received::claim_due(&mut tx, lease, now, until(now), limit).await?;
    if !jobs.is_empty() {
        tx.commit().await?;
    }
    Ok((lease, jobs))
}

/// Applies one received activity: its effect and its end commit together.
pub async fn receive(app: &App, lease: LeaseId, job: &Job) -> anyhow::Result<()> {
    let outcome = hold(app, Queue::Received, lease, Box::pin(apply(app, lease, job))).await;
    let (waits_for, note) = match outcome {
        Ok(None) => return Ok(()),
        Ok(Some(parent)) => (Some(parent), "what it answers is not here yet".to_owned()),
        Err(error) => (None, format!("{error:#}")),
    };
    let retry = job.attempts < MOST_ATTEMPTS;
    tracing::info!(id = %job.id, attempt = job.attempts + 1, %note, "received activity not applied");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if retry {
        let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX);
        // The first time soon: what it waits for is probably on its way.
        let wait = if attempts == 0 { Duration::from_secs(2) } else { wait_after(attempts, 0) };
        received::defer(&mut tx, job.id, lease, now + wait, waits_for.as_ref(), &note).await?;
    } else {
        received::finish(&mut tx, job.id, lease, Ended::Parked, &note).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// None where it ended; the post that it waits for where it cannot be applied yet.
async fn apply(app: &App, lease: LeaseId, job: &Job) -> anyhow::Result<Option<Url>> {
    let activity = match incoming::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("it cannot be read any more: {error}"),
    };
    let has_waited = job.attempts > 0;
    let letter = Letter { app, activity: &activity, signed_at: job.signed_at, body: &job.body, has_waited };
    // All fetching comes first: no transaction is held across the network.
    let prepared = letter.prepare().await?;
    let mut tx = app.db.begin().await?;
    // In one order everywhere, so that no two wait for each other.
    for actor in letter.concerned(&prepared) {
        tx.lock(&actor).await?;
    }
    let (ended, note) = match letter.enact(&mut tx, prepared).await? {
        Effect::Done(note) => (Ended::Done, note),
        Effect::None(note) => (Ended::Dropped, note),
        Effect::Later(parent) => return Ok(Some(parent)),
    };
    hosts::revive(&mut tx, activity.actor.host_str().unwrap_or_default(), app.clock.now()).await?;
    if received::finish(&mut tx, job.id, lease, ended, note).await? {
        fail_point!("apply-before-commit");
        tx.commit().await?;
        fail_point!("apply-after-commit");
        app.wake.up();
        tracing::info!(actor = %activity.actor, note, "activity taken in");
    }
    Ok(None)
}
