//! What others send: proven and kept at once, applied by a worker. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

mod accept;
mod block;
mod effects;
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

use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use accept::{Arrival, Refused, accept};
use effects::Ready;
pub use effects::{End, Line, enact_all, line};
use letter::Letter;

use super::App;
use super::hold::{hold, until};
use crate::domain::delivery::wait_after;
use crate::domain::id::LeaseId;
use crate::federation::vocab::incoming;
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

/// Applies one received activity: its effect and its end commit together, perhaps with those of others.
pub async fn receive(app: &App, line: &Line, lease: LeaseId, job: Job) -> anyhow::Result<()> {
    let job = Arc::new(job);
    let applying = Box::pin(apply(app, line, lease, Arc::clone(&job)));
    let outcome = hold(app, Queue::Received, lease, applying).await;
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
async fn apply(app: &App, line: &Line, lease: LeaseId, job: Arc<Job>) -> anyhow::Result<Option<Url>> {
    let activity = match incoming::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("it cannot be read any more: {error}"),
    };
    // All fetching comes first: no transaction is held across the network.
    let prepared = Letter::new(app, &activity, &job).prepare().await?;
    line.enact(Ready { lease, job, activity, prepared }).await
}
