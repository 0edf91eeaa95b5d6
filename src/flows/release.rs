//! Releases reviews that were not published at once: scheduled ones at their time, held ones by the critic or by the next
//! poll of their feed.

use anyhow::{Context, bail};

use super::App;
use super::move_account::ensure_not_moved;
use super::publish::{MAX_AGE, critic_for_review, write_create};
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, IngestDecision, NEVER_SENDS};
use crate::domain::id::{FeedId, ReviewId};
use crate::domain::review::{Review, ReviewState};
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::store::{Tx, feed_entries, feed_log, feeds, reviews};

/// Publishes scheduled reviews whose time has come; returns how many were handled.
pub async fn release_due(app: &App) -> anyhow::Result<usize> {
    let due = reviews::list_due(&app.db, app.clock.now(), 20).await?;
    let mut released = 0;
    for review in &due {
        match release_scheduled(app, review).await {
            Ok(()) => released += 1,
            // A review that cannot be published does not stop the others.
            Err(error) => {
                tracing::error!(id = %review.id, error = ?Untrusted::chain(&error), "could not publish scheduled review");
            }
        }
    }
    Ok(released)
}

/// Publishes a scheduled review whose time has come. For a review of a feed the feed's limit applies: no more in an
/// interval than in one poll.
async fn release_scheduled(app: &App, due: &Review) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // What its feed publishes is counted under this lock.
    tx.lock(&due.critic.to_string()).await?;
    // Read again inside the transaction: another worker may have been faster.
    let Some(mut review) = reviews::find_for_update(&mut tx, due.id).await? else { return Ok(()) };
    if review.state != ReviewState::Scheduled || review.released_at > now {
        return Ok(());
    }
    if is_old(&mut tx, &review).await? {
        // Its date was corrected after it had been scheduled.
        archive(&mut tx, &mut review, OLD, now).await?;
        return Ok(tx.commit().await?);
    }
    let feed = match review.feed {
        Some(feed) => feeds::find(&mut tx, feed).await?,
        None => None,
    };
    let critic = critic_for_review(app, &review).await?;
    if let Err(moved) = ensure_not_moved(&critic) {
        return hold_until_next_poll(tx, review, feed.as_ref(), &moved.to_string(), now).await;
    }
    if let Some(feed) = &feed {
        let recent = reviews::count_released_since(&mut tx, feed.id, now - feed.interval).await?;
        let title = review.content.title.clone();
        if recent >= u64::from(feed.max_publish_per_poll) {
            let reason = if feed.never_sends() {
                format!("scheduled time reached, but {NEVER_SENDS}")
            } else {
                format!(
                    "scheduled time reached, but {recent} reviews were published recently; a later poll will publish it"
                )
            };
            return hold_until_next_poll(tx, review, Some(feed), &reason, now).await;
        }
        feed_log::append(&mut tx, feed.id, IngestDecision::Published, &title, "scheduled time reached", now)
            .await?;
    }
    review.release(now)?;
    reviews::upsert(&mut tx, &review, now).await?;
    write_create(app, &mut tx, &critic, &review, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Holds a review whose time came but that cannot be published yet.
async fn hold_until_next_poll(
    mut tx: Tx,
    mut review: Review,
    feed: Option<&Feed>,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    review.state = ReviewState::Held;
    reviews::upsert(&mut tx, &review, now).await?;
    if let Some(feed) = feed {
        feed_entries::hold_until_next_poll(&mut tx, review.id).await?;
        feed_log::append(&mut tx, feed.id, IngestDecision::Held, &review.content.title, reason, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Holds a scheduled review until the critic releases it.
pub async fn unschedule(app: &App, id: ReviewId) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::find_for_update(&mut tx, id).await?.context("no such review")?;
    review.unschedule()?;
    reviews::upsert(&mut tx, &review, now).await?;
    if let Some(feed) = review.feed {
        let title = &review.content.title;
        feed_log::append(&mut tx, feed, IngestDecision::Held, title, "unscheduled manually", now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}

/// Publishes a review that was held for the critic's decision. An old one is archived, unless the critic announces it; one that
/// is archived already can be announced, too.
pub async fn release_held(app: &App, id: ReviewId, announce: bool) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::find_for_update(&mut tx, id).await?.context("no such review")?;
    let critic = critic_for_review(app, &review).await?;
    if review.state == ReviewState::Archive && !announce {
        bail!(
            "the review is in the archive, which was sent to nobody; to send it to followers, run: \
             marquee feed release {} --announce",
            review.slug
        );
    }
    if is_old(&mut tx, &review).await? && !announce {
        archive(&mut tx, &mut review, "released to the archive", now).await?;
        tx.commit().await?;
        return Ok(review);
    }
    ensure_not_moved(&critic)?;
    if announce {
        review.announce(now)?;
    } else {
        review.release(now)?;
    }
    reviews::upsert(&mut tx, &review, now).await?;
    write_create(app, &mut tx, &critic, &review, now).await?;
    if let Some(feed) = review.feed {
        let title = &review.content.title;
        feed_log::append(&mut tx, feed, IngestDecision::Published, title, "released manually", now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}

/// Why a review that a feed held or scheduled is archived.
const OLD: &str = "it was old when it was first seen";

/// Whether a review is old, so that only the critic can have it sent. A review of a feed is old if it was dated before the
/// `publish_since` that held when its entry was first seen; one by hand, if it was dated long before it was written. The time that
/// a review waits makes it no older. What is not known counts as old.
async fn is_old(tx: &mut Tx, review: &Review) -> anyhow::Result<bool> {
    let date = review.content.published;
    let Some(feed) = review.feed else {
        return Ok(date.is_some_and(|date| date < review.id.created_at() - MAX_AGE));
    };
    let since =
        feed_entries::find_by_review(tx, feed, review.id).await?.and_then(|entry| entry.publish_since);
    Ok(match (date, since) {
        (Some(date), Some(since)) => date < since,
        // An earlier version held it.
        (Some(date), None) => feeds::find(tx, feed).await?.is_none_or(|feed| date < feed.publish_since),
        // This version holds no entry without a date, unless that is new; earlier ones did not look.
        (None, since) => since.is_none(),
    })
}

/// Archives a review that was held or scheduled.
async fn archive(tx: &mut Tx, review: &mut Review, reason: &str, now: Timestamp) -> anyhow::Result<()> {
    review.archive()?;
    reviews::upsert(tx, review, now).await?;
    if let Some(feed) = review.feed {
        let title = &review.content.title;
        feed_log::append(tx, feed, IngestDecision::Archived, title, reason, now).await?;
    }
    Ok(())
}

/// Archives all reviews that feeds hold, or those of one feed or of one year; returns their number. They are delivered to nobody.
pub async fn archive_held(app: &App, feed: Option<FeedId>, year: Option<i16>) -> anyhow::Result<usize> {
    let now = app.clock.now();
    let mut archived = 0;
    for held in reviews::list_held(&app.db, feed).await? {
        let zone = app.site.timezone.clone();
        if year.is_some_and(|year| held.original_date.to_jiff().to_zoned(zone).year() != year) {
            continue;
        }
        let mut tx = app.db.begin().await?;
        // Read again inside the transaction: another process may have decided.
        let Some(mut review) = reviews::find_for_update(&mut tx, held.id).await? else { continue };
        if review.state == ReviewState::Held {
            archive(&mut tx, &mut review, "released to the archive", now).await?;
            tx.commit().await?;
            archived += 1;
        }
    }
    Ok(archived)
}

/// Publishes reviews that an earlier poll held because of its limit, the oldest first: no more in an interval than the limit.
/// Each has a transaction of its own.
pub(super) async fn release_held_by_feed(app: &App, feed: &Feed, critic: &Critic) -> anyhow::Result<()> {
    loop {
        let now = app.clock.now();
        let mut tx = app.db.begin().await?;
        tx.lock(&feed.critic.to_string()).await?;
        let recent = reviews::count_released_since(&mut tx, feed.id, now - feed.interval).await?;
        if critic.moved_to.is_some() || recent >= u64::from(feed.max_publish_per_poll) {
            return Ok(());
        }
        let Some(held) = reviews::find_held_by_feed(&mut tx, feed.id).await? else { return Ok(()) };
        // Read again under its lock: the critic may have retracted it.
        let Some(mut review) = reviews::find_for_update(&mut tx, held).await? else { continue };
        if review.state != ReviewState::Held {
            continue;
        }
        if is_old(&mut tx, &review).await? {
            archive(&mut tx, &mut review, OLD, now).await?;
        } else {
            review.release(now)?;
            reviews::upsert(&mut tx, &review, now).await?;
            write_create(app, &mut tx, critic, &review, now).await?;
            let (title, reason) = (&review.content.title, "previously held by the poll limit");
            feed_log::append(&mut tx, feed.id, IngestDecision::Published, title, reason, now).await?;
        }
        tx.commit().await?;
        app.wake.notify();
    }
}
