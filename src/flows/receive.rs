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
use prepared::PreparedActivity;

use super::App;
use super::budget::network_jobs::HeldJob;
use super::budget::requests::OperationRequests;
use super::lease::{lease_until, with_lease};
use crate::domain::delivery_retry::retry_delay;
use crate::domain::id::LeaseId;
use crate::domain::inbox_activity::InboxLane;
use crate::domain::untrusted::Untrusted;
use crate::federation::vocab::remote_activity;
use crate::net::request_budget::{OfflineBudget, with_budget};
use crate::store::inbox_activities::{self, InboxClaim, InboxJob, InboxOutcome, InboxRetry};
use crate::store::lease_renewal::LeaseQueue;

/// An activity that fails this often is parked.
const MAX_ATTEMPTS: i64 = 8;

/// How long an activity may wait for other servers while few places are left and its domain holds many.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A stored activity that this process has claimed.
#[derive(Debug)]
pub struct ClaimedActivity {
    lease: LeaseId,
    job: InboxJob,
    /// Its place in the lane of those that need requests to other servers, if it is in that lane.
    place: Option<HeldJob>,
}

/// Claims at most `limit` stored activities of a lane that are due.
pub async fn claim_due(app: &App, lane: InboxLane, limit: usize) -> anyhow::Result<Vec<ClaimedActivity>> {
    let now = app.clock.now();
    // The read pool is asked first, so that SQLite's only writer stays free if nothing is due.
    if limit == 0 || !inbox_activities::has_due(&app.db, lane, now).await? {
        return Ok(Vec::new());
    }
    let (limit, excluded) = match lane {
        InboxLane::Ready => (limit, Vec::new()),
        InboxLane::Network => app.budgets.network_jobs.plan_claim(limit),
    };
    let lease = LeaseId::new(now);
    let claim = InboxClaim {
        lane,
        lease,
        until: lease_until(now),
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
        excluded: &excluded,
    };
    let mut tx = app.db.begin().await?;
    let jobs = inbox_activities::claim_due(&mut tx, claim, now).await?;
    if !jobs.is_empty() {
        tx.commit().await?;
    }
    let claimed = jobs.into_iter().map(|job| {
        let place = (lane == InboxLane::Network).then(|| app.budgets.network_jobs.hold(&job.domain));
        ClaimedActivity { lease, job, place }
    });
    Ok(claimed.collect())
}

/// Processes one stored activity: its effect and the end of its job commit together, perhaps with others of a group.
pub async fn process(app: &App, effects: &EffectSender, claimed: ClaimedActivity) -> anyhow::Result<()> {
    let ClaimedActivity { lease, job, place } = claimed;
    let job = Arc::new(job);
    let span = tracing::info_span!(
        "process",
        job = %job.id,
        activity = tracing::field::Empty,
        actor = tracing::field::Empty,
    );
    process_job(app, effects, (lease, place), job).instrument(span).await
}

async fn process_job(
    app: &App,
    effects: &EffectSender,
    (lease, place): (LeaseId, Option<HeldJob>),
    job: Arc<InboxJob>,
) -> anyhow::Result<()> {
    let lane = if place.is_some() { InboxLane::Network } else { InboxLane::Ready };
    let applying = Box::pin(prepare_and_apply(app, effects, (lease, place), Arc::clone(&job)));
    let outcome = with_lease(app, LeaseQueue::InboxActivities, lease, applying).await;
    let (waiting_for, note) = match outcome {
        Ok(None) => return Ok(()),
        Ok(Some(parent)) => (Some(parent), "waiting for the parent post".to_owned()),
        Err(error) => (None, Untrusted::chain(&error).to_string()),
    };
    let retry = job.attempts < MAX_ATTEMPTS;
    tracing::info!(attempt = job.attempts + 1, note = ?Untrusted::new(&note), "activity not applied");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if retry {
        let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX);
        // The first retry comes soon: the missing post is probably on its way.
        let delay = if attempts == 0 { Duration::from_secs(2) } else { retry_delay(attempts, 0) };
        let retry = InboxRetry {
            at: now + delay,
            waits_for: waiting_for.as_ref(),
            turn: app.budgets.next_turn(lane, &job.domain, now).max(now + delay),
            note: &note,
        };
        inbox_activities::defer(&mut tx, job.id, lease, retry).await?;
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
    (lease, place): (LeaseId, Option<HeldJob>),
    job: Arc<InboxJob>,
) -> anyhow::Result<Option<Url>> {
    let activity = match remote_activity::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("could not parse activity: {}", Untrusted::new(&error)),
    };
    let span = tracing::Span::current();
    span.record("activity", activity.id.as_ref().map(|id| tracing::field::display(Untrusted::new(id))));
    span.record("actor", tracing::field::display(Untrusted::new(&activity.actor)));
    // Everything is fetched first: no transaction is held across network IO.
    let inbound = InboundActivity::new(app, &activity, &job);
    let prepared = match &place {
        None => prepare_offline(inbound).await?,
        Some(place) => prepare_online(inbound, place).await?,
    };
    drop(place);
    Ok(effects.submit(PendingEffect { lease, job, activity, prepared }).await?)
}

/// Prepares an activity with what is stored. If that is not enough, it moves to the other lane.
async fn prepare_offline(inbound: InboundActivity<'_>) -> anyhow::Result<PreparedActivity> {
    let offline = Arc::new(OfflineBudget::default());
    tokio::select! {
        prepared = with_budget(Arc::clone(&offline) as _, Box::pin(inbound.prepare())) => prepared,
        () = offline.refused() => Ok(PreparedActivity::NeedsNetwork),
    }
}

/// Prepares an activity with requests to other servers. While many others wait for places, it may not hold its own for
/// long.
async fn prepare_online(inbound: InboundActivity<'_>, place: &HeldJob) -> anyhow::Result<PreparedActivity> {
    let requests = OperationRequests::of_actor(inbound.app, &inbound.activity.actor);
    tokio::select! {
        prepared = with_budget(requests, Box::pin(inbound.prepare())) => prepared,
        () = place.out_of_patience(PATIENCE) => anyhow::bail!("another server was slow to respond while many activities waited"),
    }
}
