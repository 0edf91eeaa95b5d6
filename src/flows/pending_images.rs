//! Fetches the images of reviews that were stored without them, because they did not come at once. Published reviews are
//! updated then; others just change their pages.

use std::time::Duration;

use super::App;
use super::image_hosts::MIN_PAUSE;
use super::ingest::feed_folder;
use super::lease::{lease_until, with_lease};
use super::publish::{critic_for_review, interaction_counts};
use super::review_media::{TOTAL_TIMEOUT, fetch_review_media, strip_remote_images};
use super::revise::{self, Illustration};
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::id::LeaseId;
use crate::domain::review::{Review, ReviewState};
use crate::domain::time::Timestamp;
use crate::store::lease_renewal::LeaseQueue;
use crate::store::pending_images::{self, PendingImages};
use crate::store::{Tx, activities, feed_log, feeds, reviews};

/// The longest pause between two attempts. Images are tried again when they have waited twice as long.
const MAX_PAUSE: Duration = Duration::from_hours(6);

/// How long images are waited for.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// Claims at most `limit` reviews whose images are due.
pub async fn claim_due(app: &App, limit: usize) -> anyhow::Result<Vec<(LeaseId, PendingImages)>> {
    let mut claimed = Vec::new();
    // Every wake-up asks, and there is hardly ever anything to write.
    while claimed.len() < limit && pending_images::is_due(&app.db, app.clock.now()).await? {
        let now = app.clock.now();
        let lease = LeaseId::new(now);
        let mut tx = app.db.begin().await?;
        let due = pending_images::claim_due(&mut tx, lease, now, lease_until(now)).await?;
        let Some(pending) = due else { break };
        tx.commit_without_notify().await?;
        claimed.push((lease, pending));
    }
    Ok(claimed)
}

/// Fetches the images of a review that was claimed.
pub async fn fetch_claimed(app: &App, lease: LeaseId, pending: PendingImages) -> anyhow::Result<()> {
    let fetching = Box::pin(fetch(app, lease, pending));
    with_lease(app, LeaseQueue::PendingImages, lease, fetching).await
}

async fn fetch(app: &App, lease: LeaseId, pending: PendingImages) -> anyhow::Result<()> {
    let Some((review, feed)) = find_review(app, &pending).await? else {
        let mut tx = app.db.begin().await?;
        pending_images::delete(&mut tx, pending.review).await?;
        return Ok(tx.commit().await?);
    };
    let folder = feed_folder(app, &feed)?;
    let critic = critic_for_review(app, &review).await?;
    let counts = interaction_counts(app, review.id).await?;
    let mut content = review.content;
    content.body.clone_from(&pending.body);
    let media = Box::pin(fetch_review_media(app, &mut content, folder.as_deref(), TOTAL_TIMEOUT)).await;
    let body = strip_remote_images(app, &content.body);

    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    if !pending_images::is_leased(&mut tx, pending.review, lease).await? {
        // The review has other images now.
        return Ok(());
    }
    let Some(review) = reviews::find_for_update(&mut tx, pending.review).await? else { return Ok(()) };
    let waits = media.pending_body().is_some();
    let missing = media.describe_missing(true);
    if media.has_other_images(&review, &body) {
        if review.state == ReviewState::Published && !may_update(&mut tx, &feed, now).await? {
            media.save(&mut tx, now).await?;
            pending_images::postpone(&mut tx, review.id, now + feed.interval).await?;
            return Ok(tx.commit().await?);
        }
        let images = Illustration { body, media };
        revise::illustrate(app, &mut tx, &critic, review, images, counts, now).await?;
    }
    if waits && now < pending.since + MAX_AGE {
        let pause = now.duration_since(pending.since).clamp(MIN_PAUSE, MAX_PAUSE);
        pending_images::postpone(&mut tx, pending.review, now + pause).await?;
    } else {
        pending_images::delete(&mut tx, pending.review).await?;
        for reason in missing {
            feed_log::append_once(&mut tx, feed.id, IngestDecision::Failed, &content.title, &reason, now)
                .await?;
        }
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// The review and its feed, if it still needs images. The feed may have left the config.
async fn find_review(app: &App, pending: &PendingImages) -> anyhow::Result<Option<(Review, Feed)>> {
    let review = reviews::find(&app.db, pending.review).await?;
    let Some(review) = review.filter(|review| review.state != ReviewState::Retracted) else {
        return Ok(None);
    };
    let Some(feed) = review.feed else { return Ok(None) };
    let mut tx = app.db.begin().await?;
    let feed = feeds::find_even_removed(&mut tx, feed).await?;
    Ok(feed.map(|feed| (review, feed)))
}

/// Whether the feed may cause a further Update within its interval.
async fn may_update(tx: &mut Tx, feed: &Feed, now: Timestamp) -> crate::store::Result<bool> {
    let sent = activities::count_updates_since(tx, feed, now - feed.interval).await?;
    Ok(sent < u64::from(feed.max_publish_per_poll))
}
