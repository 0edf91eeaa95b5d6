//! Fetches images that did not come while their feed was polled.

use super::Shutdown;
use super::job_loop::keep_busy;
use crate::flows::{App, pending_images};

/// Reviews whose images are fetched at a time.
const MAX_PARALLEL_REVIEWS: usize = 4;

pub(super) async fn fetch_images(app: App, shutdown: Shutdown) {
    let claim = async |app: &App, slots: usize| pending_images::claim_due(app, slots).await;
    keep_busy(app, shutdown, MAX_PARALLEL_REVIEWS, "images", claim, |app, (lease, pending)| {
        Box::pin(async move { pending_images::fetch_claimed(&app, lease, pending).await })
    })
    .await;
}
