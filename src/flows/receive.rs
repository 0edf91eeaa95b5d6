//! What others send: proven and kept at once, applied by a worker. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

mod accept;
mod account_move;
mod apply;
mod block;
mod effects;
mod follow;
mod forward;
pub mod intake;
mod quote_request;
mod reaction;
mod reply;
mod report;
mod thread;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use accept::{AcceptError, InboxRequest, accept};
use apply::InboundActivity;
use effects::PendingEffect;
pub use effects::{EffectReceiver, EffectSender, apply_all, effect_channel};

use super::App;
use super::lease::{lease_until, with_lease};
use crate::domain::delivery::retry_delay;
use crate::domain::id::LeaseId;
use crate::federation::vocab::remote_activity;
use crate::store::inbox_activities::{self, InboxJob, InboxOutcome};
use crate::store::leases::LeaseQueue;

/// A job that fails this often is parked.
const MOST_ATTEMPTS: i64 = 8;

/// Takes at most `limit` received activities.
pub async fn claim_due(app: &App, limit: usize) -> anyhow::Result<(LeaseId, Vec<InboxJob>)> {
    let now = app.clock.now();
    let lease = LeaseId::new(now);
    // Whoever looks for nothing need not wait for SQLite's only writer, nor keep it from others.
    if limit == 0 || !inbox_activities::has_due(&app.db, now).await? {
        return Ok((lease, Vec::new()));
    }
    let mut tx = app.db.begin().await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let jobs = inbox_activities::claim_due(&mut tx, lease, now, lease_until(now), limit).await?;
    if !jobs.is_empty() {
        tx.commit().await?;
    }
    Ok((lease, jobs))
}

/// Applies one received activity: its effect and its end commit together, perhaps with those of others.
pub async fn process(app: &App, line: &EffectSender, lease: LeaseId, job: InboxJob) -> anyhow::Result<()> {
    let job = Arc::new(job);
    let applying = Box::pin(apply(app, line, lease, Arc::clone(&job)));
    let outcome = with_lease(app, LeaseQueue::InboxActivities, lease, applying).await;
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
        let wait = if attempts == 0 { Duration::from_secs(2) } else { retry_delay(attempts, 0) };
        inbox_activities::defer(&mut tx, job.id, lease, now + wait, waits_for.as_ref(), &note).await?;
    } else {
        inbox_activities::finish(&mut tx, job.id, lease, InboxOutcome::Parked, &note).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// None where it ended; the post that it waits for where it cannot be applied yet.
async fn apply(
    app: &App,
    line: &EffectSender,
    lease: LeaseId,
    job: Arc<InboxJob>,
) -> anyhow::Result<Option<Url>> {
    let activity = match remote_activity::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("it cannot be read any more: {error}"),
    };
    // All fetching comes first: no transaction is held across the network.
    let prepared = InboundActivity::new(app, &activity, &job).prepare().await?;
    line.apply(PendingEffect { lease, job, activity, prepared }).await
}
