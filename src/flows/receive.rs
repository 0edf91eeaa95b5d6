//! Receiving: an activity is verified and stored while its sender waits ([`accept`]), and applied later by a worker
//! ([`process`]). Effects depend on the stored state and the signed dates alone, so that an activity has its effect
//! once, however often and in whatever order activities arrive.

mod account_move;
mod apply;
mod block;
mod delete;
mod edit;
mod effects;
mod flag;
mod follow;
mod forward;
mod inbound_activity;
mod inbox_request;
mod initial_comment_state;
pub mod intake;
mod prepare;
mod prepared;
mod profile_update;
mod quote_request;
mod reaction;
mod reply;
mod thread;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;
use url::Url;

use effects::PendingEffect;
pub use effects::{EffectReceiver, EffectSender, apply_all, effect_channel};
use inbound_activity::InboundActivity;
pub use inbox_request::{AcceptError, InboxRequest, accept};

use super::App;
use super::lease::{lease_until, with_lease};
use crate::domain::delivery_retry::retry_delay;
use crate::domain::id::LeaseId;
use crate::federation::vocab::remote_activity;
use crate::store::inbox_activities::{self, InboxJob, InboxOutcome};
use crate::store::lease_renewal::LeaseQueue;

/// An activity that fails this often is parked.
const MAX_ATTEMPTS: i64 = 8;

/// Claims at most `limit` stored activities that are due.
pub async fn claim_due(app: &App, limit: usize) -> anyhow::Result<(LeaseId, Vec<InboxJob>)> {
    let now = app.clock.now();
    let lease = LeaseId::new(now);
    // The read pool is asked first, so that SQLite's only writer stays free if nothing is due.
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

/// Processes one stored activity: its effect and the end of its job commit together, perhaps with others of a group.
pub async fn process(app: &App, effects: &EffectSender, lease: LeaseId, job: InboxJob) -> anyhow::Result<()> {
    let job = Arc::new(job);
    let span = tracing::info_span!(
        "process",
        job = %job.id,
        activity = tracing::field::Empty,
        actor = tracing::field::Empty,
    );
    process_job(app, effects, lease, job).instrument(span).await
}

async fn process_job(
    app: &App,
    effects: &EffectSender,
    lease: LeaseId,
    job: Arc<InboxJob>,
) -> anyhow::Result<()> {
    let applying = Box::pin(prepare_and_apply(app, effects, lease, Arc::clone(&job)));
    let outcome = with_lease(app, LeaseQueue::InboxActivities, lease, applying).await;
    let (waiting_for, note) = match outcome {
        Ok(None) => return Ok(()),
        Ok(Some(parent)) => (Some(parent), "waiting for the parent post".to_owned()),
        Err(error) => (None, format!("{error:#}")),
    };
    let retry = job.attempts < MAX_ATTEMPTS;
    tracing::info!(attempt = job.attempts + 1, %note, "activity not applied");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if retry {
        let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX);
        // The first retry comes soon: the missing post is probably on its way.
        let delay = if attempts == 0 { Duration::from_secs(2) } else { retry_delay(attempts, 0) };
        inbox_activities::defer(&mut tx, job.id, lease, now + delay, waiting_for.as_ref(), &note).await?;
    } else {
        inbox_activities::finish(&mut tx, job.id, lease, InboxOutcome::Parked, &note).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Fetches what the activity needs and submits it to be applied. Returns the id of the parent post that it must wait for,
/// or `None` once it is finished.
async fn prepare_and_apply(
    app: &App,
    effects: &EffectSender,
    lease: LeaseId,
    job: Arc<InboxJob>,
) -> anyhow::Result<Option<Url>> {
    let activity = match remote_activity::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("could not parse activity: {error}"),
    };
    let span = tracing::Span::current();
    span.record("activity", activity.id.as_ref().map(tracing::field::display));
    span.record("actor", tracing::field::display(&activity.actor));
    // Everything is fetched first: no transaction is held across network IO.
    let prepared = InboundActivity::new(app, &activity, &job).prepare().await?;
    Ok(effects.submit(PendingEffect { lease, job, activity, prepared }).await?)
}
