//! Work that costs: a few at a time, away from the threads that answer, while so many wait and no more. Whoever asks for
//! much of it waits, or is told to come again, and nobody else notices.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::error::WebError;

/// Searches that are under way at a time: each takes a connection to the database, and reads the texts of what it found.
const SEARCHES: usize = 2;

/// Searches that are under way or wait.
const MOST_SEARCHES: usize = 32;

/// Those who work, and those who wait for it.
#[derive(Debug)]
pub(super) struct Queue {
    places: Semaphore,
    turns: Arc<Semaphore>,
    /// What is said to whom there is no place for.
    full: &'static str,
}

/// Those who search.
#[derive(Debug)]
pub struct Searches(pub(super) Queue);

impl Default for Searches {
    fn default() -> Self {
        Self(Queue::new(MOST_SEARCHES, SEARCHES, "too many searches at once"))
    }
}

/// Somebody's turn: until the work is done, or until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    place: SemaphorePermit<'a>,
    turn: OwnedSemaphorePermit,
}

impl Queue {
    /// One with that many places, from which so many work at a time.
    pub(super) fn new(places: usize, at_a_time: usize, full: &'static str) -> Self {
        Self { places: Semaphore::new(places), turns: Arc::new(Semaphore::new(at_a_time)), full }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`WebError::Busy`] where there is no place to wait.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, WebError> {
        let place = self.places.try_acquire().map_err(|_| WebError::Busy(self.full))?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(anyhow::Error::from)?;
        Ok(Turn { place, turn })
    }
}

impl Turn<'_> {
    /// Does it, away from the threads that answer. The turn lasts until it is done, also where nobody waits for it any
    /// more.
    ///
    /// # Errors
    /// Those of the work, and where it panics.
    pub(super) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, WebError> {
        let Self { place, turn } = self;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        let done = done.await;
        drop(place);
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
        let queue = Queue::new(5, 2, "full");
        let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let held = [queue.turn().await.unwrap(), queue.turn().await.unwrap()];
        let work = || async {
            let (working, most) = (Arc::clone(&working), Arc::clone(&most));
            let turn = queue.turn().await?;
            turn.work(move || {
                most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                working.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .await
        };
        let release = async { drop(held) };
        // Each is asked once, in this order, before any of them goes on.
        let (done, ()) = tokio::join!(join_all((0..9).map(|_| work())), release);
        let refused = done.iter().filter(|one| matches!(one, Err(WebError::Busy("full")))).count();
        assert_eq!((refused, done.iter().filter(|one| one.is_ok()).count()), (6, 3));
        assert!(most.load(Ordering::SeqCst) <= 2);
        assert!(work().await.is_ok(), "there is room again");
    }

    #[tokio::test]
    async fn work_that_fails_gives_its_turn_back() {
        let queue = Queue::new(1, 1, "full");
        let failed = queue.turn().await.unwrap().work(|| -> anyhow::Result<()> { anyhow::bail!("no") }).await;
        assert!(matches!(failed, Err(WebError::Internal(_))));
        assert!(queue.turn().await.unwrap().work(|| Ok(())).await.is_ok());
    }
}
