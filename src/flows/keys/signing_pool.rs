//! Where signatures are made: as many at a time as there are cores, since each keeps one busy, and off the async
//! threads. A thread that has made one goes on with the next that waits: to put a thread to sleep and to wake it
//! again costs as much as a part of a signature, a thousand times a fan-out.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A piece of work that keeps a core busy.
type Work = Box<dyn FnOnce() + Send>;

/// What waits, and who works.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Work>,
    threads: usize,
}

/// Work for the cores. Cheap to clone; what waits is bounded by how many wait for it.
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
        f.write_str("Desk")
    }
}

impl SigningPool {
    /// Does a piece of work. Fails where it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (done, result) = oneshot::channel();
        // Whoever waited for it may be gone by now.
        let work = Box::new(move || {
            if !done.is_closed() {
                let _ = done.send(work());
            }
        });
        let has_room = {
            let mut queue = self.queue();
            queue.waiting.push_back(work);
            let has_room = queue.threads < self.cores;
            queue.threads += usize::from(has_room);
            has_room
        };
        if has_room {
            let desk = self.clone();
            tokio::task::spawn_blocking(move || desk.work());
        }
        Ok(result.await?)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(work) = self.next() {
            // Whoever waits for it hears of a panic; the place goes to the next one.
            let _ = catch_unwind(AssertUnwindSafe(work));
        }
    }

    /// What is to be done next. Where nothing waits, the thread's place is given back in the same moment: whoever
    /// comes then brings a thread.
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
    async fn a_thread_a_core_works_and_goes_on_with_what_waits() {
        let desk = SigningPool { cores: 2, ..SigningPool::default() };
        let gate = Arc::new(std::sync::Barrier::new(3));
        let held = |number: usize| {
            let (desk, gate) = (desk.clone(), Arc::clone(&gate));
            let work = move || {
                gate.wait();
                number
            };
            tokio::spawn(async move { desk.run(work).await.unwrap() })
        };
        let first = [held(0), held(1)];
        let rest: Vec<_> = (2..1_000).map(|number| (number, desk.clone())).collect();
        let rest: Vec<_> = rest
            .into_iter()
            .map(|(n, desk)| tokio::spawn(async move { desk.run(move || n).await.unwrap() }))
            .collect();
        let has_all = || {
            let queue = desk.queue();
            queue.threads == 2 && queue.waiting.len() == 998
        };
        while !has_all() {
            tokio::task::yield_now().await;
        }
        gate.wait();
        for (number, done) in first.into_iter().chain(rest).enumerate() {
            assert_eq!(done.await.unwrap(), number);
        }
        while desk.queue().threads > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_and_leaves_the_place_free() {
        let desk = SigningPool { cores: 1, ..SigningPool::default() };
        assert!(desk.run(|| panic!("on purpose")).await.map(|(): ()| ()).is_err());
        assert_eq!(desk.run(|| 7).await.unwrap(), 7);
    }
}
