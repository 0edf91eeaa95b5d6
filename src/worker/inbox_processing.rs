//! Processes activities that were accepted by the inbox.

use super::Shutdown;
use super::job_loop::keep_busy;
use crate::domain::inbox_activity::InboxLane;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::flows::budget::network_jobs::MAX_NETWORK_JOBS;
use crate::flows::receive::{self, EffectSender};

/// Received activities that are processed at a time without requests to other servers.
const MAX_PARALLEL_ACTIVITIES: usize = 32;

/// Processes both lanes, each with places of its own: what needs no request never waits for what does.
pub(super) async fn process_inbox(app: App, shutdown: Shutdown) {
    let (effects, receiver) = receive::effect_channel();
    let applying = tokio::spawn(receive::apply_all(app.clone(), receiver));
    let ready = process_lane(&app, &shutdown, effects.clone(), InboxLane::Ready, MAX_PARALLEL_ACTIVITIES);
    let network = process_lane(&app, &shutdown, effects, InboxLane::Network, MAX_NETWORK_JOBS);
    tokio::join!(ready, network);
    // Every sender is dropped, so the receiver ends after applying what still waited.
    if let Err(panic) = applying.await {
        tracing::error!(panic = ?Untrusted::new(&panic), "task that applies activities panicked");
    }
}

async fn process_lane(app: &App, shutdown: &Shutdown, effects: EffectSender, lane: InboxLane, places: usize) {
    let claim = async move |app: &App, places: usize| receive::claim_due(app, lane, places).await;
    keep_busy(app.clone(), shutdown.clone(), places, "inbox activity", claim, move |app, claimed| {
        let effects = effects.clone();
        Box::pin(async move { receive::process(&app, &effects, claimed).await })
    })
    .await;
}
