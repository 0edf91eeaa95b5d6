//! How many read, without knowing who.
//!
//! Reads are counted in memory, one number a review, and added to its day in groups: a crash loses those of the last
//! seconds and nothing else. No address, no cookie and no name is written down or looked at. Several processes add to
//! the same days. Pages tell the numbers as they were when they were rendered, and are rendered anew for their sake
//! only where they became wrong by more than one in fifty.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::App;
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;
use crate::store::view_counts;

/// Reads are added to their day this often.
const GATHERING: Duration = Duration::from_secs(3);

/// Reviews that are written in one transaction.
const AT_ONCE: usize = 200;

/// Pages are told of more readers this often.
const TELLING: Duration = Duration::from_mins(2);

/// Followers are counted this often.
const COUNTING: Duration = Duration::from_hours(1);

/// What was finished this long ago is committed, whichever process did it.
const SETTLED: Duration = Duration::from_secs(10);

/// Counts the reads of one review.
pub type ViewCounter = Arc<AtomicU64>;

/// Reads that are not written yet.
#[derive(Debug, Default)]
pub struct ViewCounts(Mutex<HashMap<ReviewId, ViewCounter>>);

impl ViewCounts {
    /// What counts the reads of that review.
    pub fn counter_for(&self, review: ReviewId) -> ViewCounter {
        Arc::clone(self.lock().entry(review).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReviewId, ViewCounter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was counted, in the order of the reviews. Counters that nobody holds any more go.
    fn take(&self) -> Vec<(ReviewId, u64)> {
        let mut taken = Vec::new();
        self.lock().retain(|review, counter| {
            let reads = counter.swap(0, Ordering::Relaxed);
            if reads > 0 {
                taken.push((*review, reads));
            }
            reads > 0 || Arc::strong_count(counter) > 1
        });
        taken.sort_unstable();
        taken
    }

    fn give_back(&self, reads: &[(ReviewId, u64)]) {
        for (review, reads) in reads {
            self.counter_for(*review).fetch_add(*reads, Ordering::Relaxed);
        }
    }
}

/// Writes what is counted every few seconds, and a last time where it is told to stop.
pub async fn flush_all(app: App, reads: Arc<ViewCounts>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        tokio::select! {
            () = tokio::time::sleep(GATHERING) => {}
            _ = shutdown.changed() => {}
        }
        flush(&app, &reads).await;
    }
}

/// Adds what was counted to this day. What cannot be written now is counted still.
pub async fn flush(app: &App, reads: &ViewCounts) {
    let taken = reads.take();
    for part in taken.chunks(AT_ONCE) {
        if let Err(error) = write_part(app, part).await {
            tracing::warn!(%error, "reads not written, tried again");
            reads.give_back(part);
        }
    }
}

async fn write_part(app: &App, part: &[(ReviewId, u64)]) -> crate::store::Result<()> {
    let day = local_day(app, app.clock.now());
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    for (review, reads) in part {
        view_counts::add_views(&mut tx, *review, &day, *reads).await?;
    }
    tx.commit_without_notify().await
}

/// A day of the site's own calendar: `2026-11-23`.
pub fn local_day(app: &App, at: Timestamp) -> String {
    at.to_jiff().to_zoned(app.site.timezone.clone()).date().to_string()
}

/// When something was last done.
#[derive(Debug, Default)]
pub struct ViewCountSchedule {
    told: Option<Timestamp>,
    counted: Option<Timestamp>,
}

impl ViewCountSchedule {
    fn is_due(last: Option<Timestamp>, now: Timestamp, after: Duration) -> bool {
        // Also where the clock went back.
        last.is_none_or(|last| now >= last + after || now < last)
    }
}

/// Goes through what arrived at other servers, tells pages of their readers, and counts followers. Gives whether there
/// may be more.
///
/// # Errors
/// Where the database does not answer.
pub async fn process_batch(app: &App, round: &mut ViewCountSchedule) -> anyhow::Result<bool> {
    let now = app.clock.now();
    if ViewCountSchedule::is_due(round.counted, now, COUNTING) {
        let mut tx = app.db.begin().await?;
        view_counts::lock(&mut tx).await?;
        view_counts::snapshot_followers(&mut tx, &local_day(app, now)).await?;
        tx.commit_without_notify().await?;
        round.counted = Some(now);
    }
    if ViewCountSchedule::is_due(round.told, now, TELLING) {
        let mut tx = app.db.begin().await?;
        view_counts::lock(&mut tx).await?;
        view_counts::publish_counts(&mut tx).await?;
        tx.commit_without_notify().await?;
        round.told = Some(now);
    }
    go_through(app, now - SETTLED).await
}

/// The servers that a stretch of deliveries reached.
async fn go_through(app: &App, until: Timestamp) -> anyhow::Result<bool> {
    let since = view_counts::delivery_cursor(&app.db).await?;
    let Some(end) = view_counts::next_delivery_window(&app.db, since, until).await? else { return Ok(false) };
    let prefix = app.origin.url("/ap/article/");
    let mut tx = app.db.begin().await?;
    view_counts::lock(&mut tx).await?;
    view_counts::add_delivered_hosts(&mut tx, since, end, prefix.as_str()).await?;
    view_counts::set_delivery_cursor(&mut tx, end).await?;
    tx.commit_without_notify().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_counted_still() {
        let reads = ViewCounts::default();
        let review = ReviewId::new(Timestamp::from_millis(5));
        let counter = reads.counter_for(review);
        counter.fetch_add(2, Ordering::Relaxed);
        let taken = reads.take();
        assert_eq!(taken, [(review, 2)]);
        counter.fetch_add(1, Ordering::Relaxed);
        reads.give_back(&taken);
        assert_eq!(reads.take(), [(review, 3)]);
        assert_eq!(reads.take(), []);
        drop(counter);
        reads.take();
        assert!(reads.lock().is_empty(), "nobody counts any more");
    }
}
