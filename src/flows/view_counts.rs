//! Counts page views without identifying readers.
//!
//! Views are counted in memory, one number a review, and added to the review's day in groups: a crash loses the views
//! of the last seconds and nothing else. No address, cookie or name is stored or read. Several processes add to the
//! same days. Pages show the numbers of the time when they were rendered; for new numbers they are rendered again only
//! once they are wrong by more than two percent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::App;
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::store::{insights, reached_hosts, view_counts};

/// How often views are added to their day.
const FLUSH_INTERVAL: Duration = Duration::from_secs(3);

/// Reviews whose views are stored in one transaction.
const MAX_REVIEWS: usize = 200;

/// How often pages are marked for rendering because of new numbers.
const PUBLISH_INTERVAL: Duration = Duration::from_mins(2);

/// How often followers are counted.
const FOLLOWER_COUNT_INTERVAL: Duration = Duration::from_hours(1);

/// Deliveries that were finished this long ago are committed, whichever process made them.
const COMMIT_MARGIN: Duration = Duration::from_secs(10);

/// The counter of one review's views.
pub type ViewCounter = Arc<AtomicU64>;

/// Views that are not stored yet.
#[derive(Debug, Default)]
pub struct ViewCounts(Mutex<HashMap<ReviewId, ViewCounter>>);

impl ViewCounts {
    /// Returns the counter of that review.
    pub fn counter_for(&self, review: ReviewId) -> ViewCounter {
        Arc::clone(self.lock().entry(review).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReviewId, ViewCounter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the counted views, in the order of the reviews. Counters that are no longer in use are dropped.
    fn take(&self) -> Vec<(ReviewId, u64)> {
        let mut taken = Vec::new();
        self.lock().retain(|review, counter| {
            let views = counter.swap(0, Ordering::Relaxed);
            if views > 0 {
                taken.push((*review, views));
            }
            views > 0 || Arc::strong_count(counter) > 1
        });
        taken.sort_unstable();
        taken
    }

    fn restore(&self, views: &[(ReviewId, u64)]) {
        for (review, views) in views {
            self.counter_for(*review).fetch_add(*views, Ordering::Relaxed);
        }
    }
}

/// Stores the views every few seconds until shutdown, and a last time then.
pub async fn flush_all(app: App, views: Arc<ViewCounts>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        tokio::select! {
            () = tokio::time::sleep(FLUSH_INTERVAL) => {}
            _ = shutdown.changed() => {}
        }
        flush(&app, &views).await;
    }
}

/// Adds the counted views to this day. Views that cannot be stored now stay counted.
pub async fn flush(app: &App, views: &ViewCounts) {
    let taken = views.take();
    for part in taken.chunks(MAX_REVIEWS) {
        if let Err(error) = store_views(app, part).await {
            tracing::warn!(error = ?Untrusted::chain(&error), "could not store views; will retry");
            views.restore(part);
        }
    }
}

async fn store_views(app: &App, part: &[(ReviewId, u64)]) -> crate::store::Result<()> {
    let day = local_day(app, app.clock.now());
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    for (review, views) in part {
        view_counts::add_views(&mut tx, *review, &day, *views).await?;
    }
    tx.commit_without_notify().await
}

/// The date of a time in the site's time zone, as in `2026-11-23`.
pub fn local_day(app: &App, at: Timestamp) -> String {
    at.to_jiff().to_zoned(app.site.timezone.clone()).date().to_string()
}

/// When the periodic steps were last done.
#[derive(Debug, Default)]
pub struct ViewCountSchedule {
    published_at: Option<Timestamp>,
    counted_at: Option<Timestamp>,
}

impl ViewCountSchedule {
    fn is_due(last: Option<Timestamp>, now: Timestamp, after: Duration) -> bool {
        // A clock that was set back counts as due.
        last.is_none_or(|last| now >= last + after || now < last)
    }
}

/// Records which servers deliveries reached, publishes new numbers to pages, and counts followers. Returns whether there
/// may be more to do.
///
/// # Errors
/// If the database fails.
pub async fn process_batch(app: &App, schedule: &mut ViewCountSchedule) -> anyhow::Result<bool> {
    let now = app.clock.now();
    if ViewCountSchedule::is_due(schedule.counted_at, now, FOLLOWER_COUNT_INTERVAL) {
        let mut tx = app.db.begin().await?;
        view_counts::lock(&mut tx).await?;
        insights::snapshot_followers(&mut tx, &local_day(app, now)).await?;
        tx.commit_without_notify().await?;
        schedule.counted_at = Some(now);
    }
    if ViewCountSchedule::is_due(schedule.published_at, now, PUBLISH_INTERVAL) {
        let mut tx = app.db.begin().await?;
        view_counts::lock(&mut tx).await?;
        view_counts::publish_counts(&mut tx).await?;
        tx.commit_without_notify().await?;
        schedule.published_at = Some(now);
    }
    process_deliveries(app, now - COMMIT_MARGIN).await
}

/// Records the servers that the next range of deliveries reached.
async fn process_deliveries(app: &App, until: Timestamp) -> anyhow::Result<bool> {
    let since = reached_hosts::delivery_cursor(&app.db).await?;
    let Some(end) = reached_hosts::next_delivery_window(&app.db, since, until).await? else {
        return Ok(false);
    };
    let prefix = app.origin.url("/ap/article/");
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    reached_hosts::insert_delivered(&mut tx, since, end, prefix.as_str()).await?;
    reached_hosts::set_delivery_cursor(&mut tx, end).await?;
    tx.commit_without_notify().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_that_cannot_be_stored_stay_counted() {
        let views = ViewCounts::default();
        let review = ReviewId::new(Timestamp::from_millis(5));
        let counter = views.counter_for(review);
        counter.fetch_add(2, Ordering::Relaxed);
        let taken = views.take();
        assert_eq!(taken, [(review, 2)]);
        counter.fetch_add(1, Ordering::Relaxed);
        views.restore(&taken);
        assert_eq!(views.take(), [(review, 3)]);
        assert_eq!(views.take(), []);
        drop(counter);
        views.take();
        assert!(views.lock().is_empty(), "nobody holds the counter");
    }
}
