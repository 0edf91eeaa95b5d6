//! Runs expensive work on blocking threads, a few items at a time, with a bounded queue. While the queue is full,
//! further requests get 503 at once, so that they do not pile up.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::error::WebError;

/// How many searches run at the same time. Each uses a database connection and reads the texts of its results.
const MAX_CONCURRENT_SEARCHES: usize = 2;

/// How many searches may run or wait.
const MAX_QUEUED_SEARCHES: usize = 32;

/// A bounded queue of expensive work.
#[derive(Debug)]
pub(super) struct WorkQueue {
    capacity: Semaphore,
    workers: Arc<Semaphore>,
    /// The error message when the queue is full.
    full: &'static str,
}

/// The queue of searches.
#[derive(Debug)]
pub struct SearchQueue(pub(super) WorkQueue);

impl Default for SearchQueue {
    fn default() -> Self {
        Self(WorkQueue::new(MAX_QUEUED_SEARCHES, MAX_CONCURRENT_SEARCHES, "too many concurrent searches"))
    }
}

/// Permission to run one item of work, until it is dropped.
#[derive(Debug)]
pub(super) struct WorkPermit<'a> {
    slot: SemaphorePermit<'a>,
    worker: OwnedSemaphorePermit,
}

impl WorkQueue {
    /// Creates a queue for `capacity` items, of which up to `concurrency` run at the same time.
    pub(super) fn new(capacity: usize, concurrency: usize, full: &'static str) -> Self {
        Self { capacity: Semaphore::new(capacity), workers: Arc::new(Semaphore::new(concurrency)), full }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`WebError::Busy`] if the queue is full.
    pub(super) async fn acquire(&self) -> Result<WorkPermit<'_>, WebError> {
        let slot = self.capacity.try_acquire().map_err(|_| WebError::Busy(self.full))?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(anyhow::Error::from)?;
        Ok(WorkPermit { slot, worker })
    }
}

impl WorkPermit<'_> {
    /// Runs the work on a blocking thread. The permit is held until the work is done, even if the client is gone.
    ///
    /// # Errors
    /// Those of the work; an internal error if it panics.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WebError> {
        let Self { slot, worker } = self;
        let result = tokio::task::spawn_blocking(move || {
            let _worker = worker;
            work()
        });
        let result = result.await;
        drop(slot);
        Ok(result.map_err(anyhow::Error::from)??)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_rejects_work_at_once() {
        let queue = WorkQueue::new(5, 2, "full");
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let held = [queue.acquire().await.unwrap(), queue.acquire().await.unwrap()];
        let work = || async {
            let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
            let permit = queue.acquire().await?;
            permit
                .run(move || {
                    peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
                .await
        };
        let release = async { drop(held) };
        // All of them are polled once, in this order, before any of them continues.
        let (results, ()) = tokio::join!(join_all((0..9).map(|_| work())), release);
        let rejected = results.iter().filter(|result| matches!(result, Err(WebError::Busy("full")))).count();
        assert_eq!((rejected, results.iter().filter(|result| result.is_ok()).count()), (6, 3));
        assert!(peak.load(Ordering::SeqCst) <= 2);
        assert!(work().await.is_ok(), "the queue has capacity again");
    }

    #[tokio::test]
    async fn failed_work_returns_its_permit() {
        let queue = WorkQueue::new(1, 1, "full");
        let failed =
            queue.acquire().await.unwrap().run(|| -> anyhow::Result<()> { anyhow::bail!("no") }).await;
        assert!(matches!(failed, Err(WebError::Internal(_))));
        assert!(queue.acquire().await.unwrap().run(|| Ok(())).await.is_ok());
    }
}
