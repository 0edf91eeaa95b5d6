//! Runs expensive work a few items at a time on blocking threads, with a bounded queue. A client that asks for too much
//! waits or is told to retry, and nobody else is affected.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::error::WebError;

/// Concurrent searches. Each takes a database connection and reads the texts of its results.
const MAX_CONCURRENT_SEARCHES: usize = 2;

/// Searches that run or wait.
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

/// Permission to run one item of work. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct WorkPermit<'a> {
    slot: SemaphorePermit<'a>,
    worker: OwnedSemaphorePermit,
}

impl WorkQueue {
    /// Creates a queue with that capacity, from which `at_a_time` items run concurrently.
    pub(super) fn new(capacity: usize, at_a_time: usize, full: &'static str) -> Self {
        Self { capacity: Semaphore::new(capacity), workers: Arc::new(Semaphore::new(at_a_time)), full }
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
        let done = tokio::task::spawn_blocking(move || {
            let _worker = worker;
            work()
        });
        let done = done.await;
        drop(slot);
        Ok(done.map_err(anyhow::Error::from)??)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn so_many_work_so_many_wait_and_the_others_are_sent_away_at_once() {
        let queue = WorkQueue::new(5, 2, "full");
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let held = [queue.acquire().await.unwrap(), queue.acquire().await.unwrap()];
        let work = || async {
            let (working, most) = (Arc::clone(&working), Arc::clone(&most));
            let permit = queue.acquire().await?;
            permit
                .run(move || {
                    most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    working.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
                .await
        };
        let release = async { drop(held) };
        // All of them are polled once, in this order, before any of them continues.
        let (done, ()) = tokio::join!(join_all((0..9).map(|_| work())), release);
        let refused = done.iter().filter(|one| matches!(one, Err(WebError::Busy("full")))).count();
        assert_eq!((refused, done.iter().filter(|one| one.is_ok()).count()), (6, 3));
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert!(work().await.is_ok(), "there is room again");
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_turn_back() {
        let queue = WorkQueue::new(1, 1, "full");
        let failed =
            queue.acquire().await.unwrap().run(|| -> anyhow::Result<()> { anyhow::bail!("no") }).await;
        assert!(matches!(failed, Err(WebError::Internal(_))));
        assert!(queue.acquire().await.unwrap().run(|| Ok(())).await.is_ok());
    }
}
