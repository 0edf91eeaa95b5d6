//! Deletes old rows: finished deliveries, processed activities, idle hosts, private keys that have retired.

use std::time::Duration;

use super::Shutdown;
use super::job_loop::pause;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::flows::budget::kept_bytes::day;
use crate::store::{
    activities, budget_usage, deliveries, hosts, inbox_activities, kept_bytes, page_versions, reports,
    review_stats, signing_keys,
};

/// How long completed deliveries are kept.
const KEEP_DELIVERED: Duration = Duration::from_hours(7 * 24);

/// How long failed deliveries and the bodies of activities are kept.
const KEEP_FAILED: Duration = Duration::from_hours(30 * 24);

/// How long the use of budgets is kept that a process wrote before it ended.
const KEEP_USAGE: Duration = Duration::from_hours(1);

/// Accepts and Rejects that are deleted at a time.
const MAX_DELETED_RESPONSES: u32 = 1000;

/// Deletes expired rows once an hour.
pub(super) async fn delete_expired(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let now = app.clock.now();
        if let Err(error) = delete_expired_once(&app, now).await {
            tracing::warn!(error = ?Untrusted::chain(&error), "could not delete expired rows");
        }
        pause(&mut shutdown, Duration::from_hours(1)).await;
    }
}

async fn delete_expired_once(app: &App, now: Timestamp) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    inbox_activities::delete_expired(&mut tx, now, now - KEEP_FAILED).await?;
    deliveries::delete_finished(&mut tx, now - KEEP_DELIVERED, now - KEEP_FAILED).await?;
    activities::delete_old_forwards(&mut tx, now - KEEP_DELIVERED).await?;
    activities::delete_old_responses(&mut tx, now - KEEP_FAILED, MAX_DELETED_RESPONSES).await?;
    hosts::delete_idle(&mut tx, now - KEEP_FAILED).await?;
    signing_keys::erase_retired_private_keys(&mut tx, now).await?;
    reports::delete_old_closed(&mut tx, now - KEEP_FAILED).await?;
    kept_bytes::delete_before(&mut tx, day(now - KEEP_FAILED)).await?;
    budget_usage::delete_before(&mut tx, now - KEEP_USAGE).await?;
    page_versions::merge_closed_writers(&mut tx).await?;
    review_stats::merge_closed_writers(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
