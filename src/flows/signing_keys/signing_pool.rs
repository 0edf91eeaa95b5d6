//! The pool of threads that sign. It makes at most as many signatures at a time as there are cores, since each occupies
//! one, and none on the async threads.
//!
//! A thread goes on with the next signature that waits. Handing each to `spawn_blocking` instead would put a thread to
//! sleep and wake one for each, which costs a noticeable part of a signature, thousands of times in a fan-out.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A job that occupies a core.
type Work = Box<dyn FnOnce() + Send>;

/// The jobs that wait, and the number of threads that work.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Work>,
    threads: usize,
}

/// The pool. Cheap to clone. Its queue is bounded by the number of tasks that wait for a result.
#[derive(Clone)]
pub(super) struct SigningPool {
    queue: Arc<Mutex<Queue>>,
    cores: usize,
}

impl Default for SigningPool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { queue: Arc::default(), cores }
    }
}

impl std::fmt::Debug for SigningPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningPool")
    }
}

impl SigningPool {
    /// Runs a job on the pool and returns its result.
    ///
    /// # Errors
    /// If the job panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (done, result) = oneshot::channel();
        // The task that waited for it may be gone.
        let work = Box::new(move || {
            if !done.is_closed() {
                let _ = done.send(work());
            }
        });
        let starts_thread = {
            let mut queue = self.queue();
            queue.waiting.push_back(work);
            let starts_thread = queue.threads < self.cores;
            queue.threads += usize::from(starts_thread);
            starts_thread
        };
        if starts_thread {
            let pool = self.clone();
            tokio::task::spawn_blocking(move || pool.work());
        }
        Ok(result.await?)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(work) = self.next() {
            // The waiting task sees a panic as a closed channel; the thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// Takes the next job. With none left the thread is given back under the same lock, so that the next submitter
    /// starts one.
    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        queue.threads -= usize::from(next.is_none());
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_core_gets_one_thread_that_goes_on_with_waiting_jobs() {
        let pool = SigningPool { cores: 2, ..SigningPool::default() };
        let gate = Arc::new(std::sync::Barrier::new(3));
        let held = |number: usize| {
            let (pool, gate) = (pool.clone(), Arc::clone(&gate));
            let work = move || {
                gate.wait();
                number
            };
            tokio::spawn(async move { pool.run(work).await.unwrap() })
        };
        let first = [held(0), held(1)];
        let rest: Vec<_> = (2..1_000).map(|number| (number, pool.clone())).collect();
        let rest: Vec<_> = rest
            .into_iter()
            .map(|(n, pool)| tokio::spawn(async move { pool.run(move || n).await.unwrap() }))
            .collect();
        let has_all = || {
            let queue = pool.queue();
            queue.threads == 2 && queue.waiting.len() == 998
        };
        while !has_all() {
            tokio::task::yield_now().await;
        }
        gate.wait();
        for (number, done) in first.into_iter().chain(rest).enumerate() {
            assert_eq!(done.await.unwrap(), number);
        }
        while pool.queue().threads > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_frees_its_thread() {
        let pool = SigningPool { cores: 1, ..SigningPool::default() };
        assert!(pool.run(|| panic!("on purpose")).await.map(|(): ()| ()).is_err());
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
    }
}
