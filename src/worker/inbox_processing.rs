//! Processes activities that were accepted by the inbox.

use super::Shutdown;
use super::job_loop::keep_busy;
use crate::flows::{App, receive};

/// Received activities that are processed at a time.
const MAX_PARALLEL_ACTIVITIES: usize = 32;

pub(super) async fn process_inbox(app: App, shutdown: Shutdown) {
    let (effects, receiver) = receive::effect_channel();
    let applying = tokio::spawn(receive::apply_all(app.clone(), receiver));
    let claim = async |app: &App, slots: usize| {
        let (lease, jobs) = receive::claim_due(app, slots).await?;
        Ok(jobs.into_iter().map(|job| (lease, job)).collect())
    };
    keep_busy(app, shutdown, MAX_PARALLEL_ACTIVITIES, "inbox activity", claim, move |app, (lease, job)| {
        let effects = effects.clone();
        Box::pin(async move { receive::process(&app, &effects, lease, job).await })
    })
    .await;
    // Every sender is dropped, so the receiver ends after applying what still waited.
    if let Err(panic) = applying.await {
        tracing::error!(%panic, "task that applies activities panicked");
    }
}
