//! Pages and documents that were rendered and did not change since.
//!
//! **What makes a rendering stale.** The schema's triggers count each change of what a page shows
//! (`store::page_versions`), in the transaction that makes it. A rendering is good while the count is what it was
//! before the rendering was begun. So nothing that writes has to know of pages, no message between processes can
//! be lost or late, and what pages do not show makes none stale: a fan-out that marks a million deliveries leaves
//! them alone.
//!
//! **What asking costs.** The count is one look at an index, but each request that makes it costs more than all
//! else that it does. So one look serves all who came before it began, and for `TRUST` those who come after,
//! unless this process has committed anything meanwhile: what this process changes is seen by the next request,
//! what another process changes within a hundredth of a second. That is less than a request spends on its way, so
//! that no reader can tell.
//!
//! **A stampede.** One request at a time looks and renders; the others who want the same page wait for it. They do
//! not get the old page meanwhile: a reader who was told of a change must see it, and a rendering takes
//! milliseconds.
//!
//! **Bounds.** The renderings take at most `MOST_BYTES`; those that were not asked for longest fall out. Only
//! what is there for everyone is kept: no errors, no redirects.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use anyhow::anyhow;
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::time::Instant;

use super::error::WebError;
use super::rendering::Rendering;
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::store::{self, Db, page_versions};

/// How long a rendering is good without another look at the database, where this process wrote nothing.
const TRUST: Duration = Duration::from_millis(10);

/// What all renderings take together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What is kept, by what its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The page of a review, by the last part of its address.
    Page,
    /// The same with its comments in another order: the query stands behind the name.
    Ordered,
    /// Its conversation alone, by the same name.
    Conversation,
    /// The Article of a review, by the last part of its page's address.
    ArticleOfPage,
    /// The same, by its id.
    Article,
    /// A page with a list of reviews, by its path and number.
    List,
    /// The map of the site, or the part of it that has that name.
    Map,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Page,
        Self::Ordered,
        Self::Conversation,
        Self::ArticleOfPage,
        Self::Article,
        Self::List,
        Self::Map,
    ];

    /// How often what it shows was changed so far; none where there is no such thing.
    async fn version(self, db: &Db, name: &str) -> store::Result<Option<i64>> {
        match self {
            Self::Page | Self::ArticleOfPage => page_versions::of_slug(db, name).await,
            Self::Ordered | Self::Conversation => {
                page_versions::of_slug(db, name.split('?').next().unwrap_or_default()).await
            }
            Self::Article => match name.parse() {
                Ok(review) => page_versions::of_review(db, review).await,
                Err(_) => Ok(None),
            },
            Self::List => page_versions::of_lists(db).await.map(Some),
            Self::Map => page_versions::of_reviews(db).await.map(Some),
        }
    }
}

/// What a handler made.
pub(super) enum Made {
    /// The same for everyone, until it changes.
    Kept(Arc<Rendering>),
    /// The answer to this request alone.
    Once(Response),
}

/// Renderings by kind and name.
#[derive(Debug)]
pub struct Cache {
    /// What all renderings take together at most.
    most_bytes: usize,
    shelves: RwLock<Shelves>,
    /// Counts what is asked for, to tell what was not for long.
    asked: AtomicU64,
}

impl Default for Cache {
    fn default() -> Self {
        Self { most_bytes: MOST_BYTES, shelves: RwLock::default(), asked: AtomicU64::new(0) }
    }
}

#[derive(Debug, Default)]
struct Shelves {
    slots: [HashMap<Box<str>, Arc<Slot>>; Kind::ALL.len()],
    bytes: usize,
}

/// The place of one rendering.
#[derive(Debug, Default)]
struct Slot {
    /// Whose turn it is to look and to render.
    turn: tokio::sync::Mutex<()>,
    standing: Mutex<Standing>,
    /// Of what is kept, as counted in [`Shelves::bytes`]; zero while nothing is.
    weight: AtomicUsize,
    /// When it was last asked for, by [`Cache::asked`].
    used: AtomicU64,
}

/// What is known of a page.
#[derive(Debug, Default)]
struct Standing {
    kept: Option<Kept>,
    /// There is nothing to keep here: all may go on at once.
    is_void: bool,
    /// When a look or a rendering last failed.
    failed: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Kept {
    rendering: Arc<Rendering>,
    version: i64,
    looked: Moment,
}

/// A moment, and what this process had committed by then.
#[derive(Debug, Clone, Copy)]
struct Moment {
    commits: u64,
    at: Instant,
}

impl Moment {
    fn now() -> Self {
        Self { commits: store::commits(), at: Instant::now() }
    }
}

impl Kept {
    /// Whether it is good for a request of that moment: looked at after it came, or shortly before.
    fn is_good_at(&self, asked: Moment) -> bool {
        self.looked.commits >= asked.commits && asked.at.saturating_duration_since(self.looked.at) < TRUST
    }
}

/// Somebody at a slot. Who leaves one that keeps nothing, and to which nobody else came, takes it away: names that
/// mean nothing cost no memory, also where the client does not wait for the answer.
struct Visit<'a> {
    cache: &'a Cache,
    named: (Kind, &'a str),
    slot: Arc<Slot>,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let is_empty = self.slot.turn.try_lock().is_ok() && self.slot.standing().kept.is_none();
        if is_empty {
            self.cache.forget(self.named, &self.slot);
        }
    }
}

impl Slot {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn good_at(&self, asked: Moment) -> Option<Arc<Rendering>> {
        let standing = self.standing();
        let kept = standing.kept.as_ref().filter(|kept| kept.is_good_at(asked));
        kept.map(|kept| Arc::clone(&kept.rendering))
    }

    fn keep(&self, rendering: Arc<Rendering>, version: i64, looked: Moment) {
        self.standing().kept = Some(Kept { rendering, version, looked });
    }
}

impl Shelves {
    fn get(&self, kind: Kind, name: &str) -> Option<&Arc<Slot>> {
        self.slots[kind as usize].get(name)
    }

    /// Whether it is this slot that stands there, and not a later one.
    fn holds(&self, (kind, name): (Kind, &str), slot: &Arc<Slot>) -> bool {
        self.get(kind, name).is_some_and(|there| Arc::ptr_eq(there, slot))
    }

    fn remove(&mut self, kind: Kind, name: &str) {
        if let Some(slot) = self.slots[kind as usize].remove(name) {
            self.bytes -= slot.weight.swap(0, Ordering::Relaxed);
        }
    }

    /// Drops what was not asked for longest, until the rest fits.
    fn shrink(&mut self, most_bytes: usize) {
        while self.bytes > most_bytes {
            let all = Kind::ALL.into_iter().zip(&self.slots);
            let all = all.flat_map(|(kind, slots)| slots.iter().map(move |(name, slot)| (kind, name, slot)));
            let kept = all.filter(|(_, _, slot)| slot.weight.load(Ordering::Relaxed) > 0);
            let oldest = kept.min_by_key(|(_, _, slot)| slot.used.load(Ordering::Relaxed));
            let Some((kind, name)) = oldest.map(|(kind, name, _)| (kind, name.clone())) else { return };
            self.remove(kind, &name);
        }
    }
}

impl Cache {
    /// Answers with what is kept of that name, or with what `make` gives.
    ///
    /// # Errors
    /// Those of `make`; where the database does not answer.
    pub(super) async fn answer<F, M>(
        &self,
        app: &App,
        named: (Kind, &str),
        headers: &HeaderMap,
        make: F,
    ) -> Result<Response, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Made, WebError>>,
    {
        let asked = Moment::now();
        let rendering = match self.find(named, asked) {
            Some(rendering) => rendering,
            None => match self.renew(&app.db, named, asked, make).await? {
                Made::Kept(rendering) => rendering,
                Made::Once(response) => return Ok(response),
            },
        };
        Ok(rendering.answer(headers, app.clock.now()).await)
    }

    /// The answer from what is kept and good; none where anything is to be waited for.
    pub(super) fn answer_at_once(
        &self,
        named: (Kind, &str),
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Response> {
        self.find(named, Moment::now())?.answer_at_once(headers, now)
    }

    fn find(&self, (kind, name): (Kind, &str), asked: Moment) -> Option<Arc<Rendering>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let slot = shelves.get(kind, name)?;
        slot.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        slot.good_at(asked)
    }

    /// Waits for its turn, and looks and renders where nobody did meanwhile.
    async fn renew<F, M>(
        &self,
        db: &Db,
        named: (Kind, &str),
        asked: Moment,
        make: F,
    ) -> Result<Made, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Made, WebError>>,
    {
        let visit = Visit { cache: self, named, slot: self.slot(named) };
        let slot = &visit.slot;
        let turn = slot.turn.lock().await;
        let (is_void, failed) = {
            let standing = slot.standing();
            (standing.is_void, standing.failed)
        };
        if let Some(rendering) = slot.good_at(asked) {
            return Ok(Made::Kept(rendering));
        }
        if is_void {
            drop(turn);
            return make().await;
        }
        // Who waited for somebody who failed would fail, too, and one after the other.
        if failed.is_some_and(|failed| failed >= asked.at) {
            return Err(anyhow!("it could not be rendered for another request either").into());
        }
        let given = self.look(db, named, slot, make).await;
        match &given {
            Ok(Made::Kept(_)) => {}
            Err(WebError::Internal(_)) => slot.standing().failed = Some(Instant::now()),
            Ok(Made::Once(_)) | Err(_) => {
                slot.standing().is_void = true;
                self.forget(named, slot);
            }
        }
        given
    }

    /// Asks the database whether what is kept is still good, and renders where it is not.
    async fn look<F, M>(
        &self,
        db: &Db,
        named: (Kind, &str),
        slot: &Arc<Slot>,
        make: F,
    ) -> Result<Made, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Made, WebError>>,
    {
        // Before anything else is read: what changes while it is rendered makes the rendering stale.
        let looked = Moment::now();
        let version = named.0.version(db, named.1).await?;
        let kept = slot.standing().kept.clone().filter(|kept| Some(kept.version) == version);
        if let Some(Kept { rendering, version, .. }) = kept {
            slot.keep(Arc::clone(&rendering), version, looked);
            return Ok(Made::Kept(rendering));
        }
        let fresh = make().await?;
        let Made::Kept(rendering) = &fresh else { return Ok(fresh) };
        tracing::debug!(kind = ?named.0, name = named.1, "rendered");
        if let Some(version) = version {
            slot.keep(Arc::clone(rendering), version, looked);
            self.weigh(named, slot, rendering.weight());
        }
        Ok(fresh)
    }

    /// The slot of that name, made where there is none.
    fn slot(&self, (kind, name): (Kind, &str)) -> Arc<Slot> {
        if let Some(slot) = self.shelves.read().unwrap_or_else(PoisonError::into_inner).get(kind, name) {
            return Arc::clone(slot);
        }
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shelves.slots[kind as usize].entry(name.into()).or_default())
    }

    /// Counts what a slot keeps now. One that was dropped meanwhile is not counted: nobody finds it any more.
    fn weigh(&self, named: (Kind, &str), slot: &Arc<Slot>, weight: usize) {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if shelves.holds(named, slot) {
            shelves.bytes = shelves.bytes + weight - slot.weight.swap(weight, Ordering::Relaxed);
            slot.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
            shelves.shrink(self.most_bytes);
        }
    }

    fn forget(&self, named: (Kind, &str), slot: &Arc<Slot>) {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if shelves.holds(named, slot) {
            shelves.remove(named.0, named.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 100_000;

    fn rendering() -> Arc<Rendering> {
        Arc::new(Rendering::new("text/html", "x".repeat(LENGTH), None, Timestamp::default()))
    }

    fn keep(cache: &Cache, name: &str) {
        let named = (Kind::Page, name);
        let visit = Visit { cache, named, slot: cache.slot(named) };
        let rendering = rendering();
        visit.slot.keep(Arc::clone(&rendering), 1, Moment::now());
        cache.weigh(named, &visit.slot, rendering.weight());
    }

    fn has(cache: &Cache, name: &str) -> bool {
        cache.shelves.read().unwrap().get(Kind::Page, name).is_some()
    }

    #[test]
    fn what_was_not_asked_for_longest_falls_out() {
        let cache = Cache { most_bytes: rendering().weight() * 3, ..Cache::default() };
        for name in ["one", "two", "three"] {
            keep(&cache, name);
        }
        keep(&cache, "three");
        cache.find((Kind::Page, "one"), Moment::now());
        keep(&cache, "four");
        assert!(!has(&cache, "two") && ["one", "three", "four"].iter().all(|name| has(&cache, name)));
        for number in 0..1_000 {
            keep(&cache, &number.to_string());
        }
        let shelves = cache.shelves.read().unwrap();
        assert_eq!((shelves.bytes, shelves.slots[0].len()), (cache.most_bytes, 3));
    }

    #[test]
    fn a_rendering_that_is_larger_than_all_that_fits_is_not_kept() {
        let cache = Cache { most_bytes: LENGTH, ..Cache::default() };
        keep(&cache, "one");
        assert!(!has(&cache, "one"));
        assert_eq!(cache.shelves.read().unwrap().bytes, 0);
    }

    #[test]
    fn a_name_that_means_nothing_leaves_nothing_behind() {
        let cache = Cache::default();
        let named = (Kind::Page, "nothing");
        let visit = || Visit { cache: &cache, named, slot: cache.slot(named) };
        let (first, second) = (visit(), visit());
        let turn = first.slot.turn.try_lock().unwrap();
        drop(second);
        assert!(has(&cache, "nothing"), "somebody is still at it");
        drop(turn);
        drop(first);
        assert!(!has(&cache, "nothing"));
    }

    #[test]
    fn a_look_serves_those_who_came_before_it_and_shortly_after() {
        let looked = Moment { commits: 5, at: Instant::now() };
        let kept = Kept { rendering: rendering(), version: 1, looked };
        let at = |commits, at| kept.is_good_at(Moment { commits, at });
        assert!(at(5, looked.at) && at(5, looked.at + TRUST / 2));
        assert!(at(4, looked.at - TRUST * 100), "it waited for the look");
        assert!(!at(5, looked.at + TRUST), "another process may have written");
        assert!(!at(6, looked.at), "this process has written");
    }
}
