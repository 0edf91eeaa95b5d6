//! Pages and documents that were rendered and did not change since.
//!
//! **What makes a rendering stale.** The schema's triggers count each change of what a page shows
//! (`store::page_versions`), in the transaction that makes it. A rendering is good while the count is what it was
//! before the rendering was begun. So nothing that writes has to know of pages, no message between processes can
//! be lost or late, and what pages do not show makes none stale: a fan-out that marks a million deliveries leaves
//! them alone.
//!
//! **What asking costs.** The count is one revalidate at an index, but each request that makes it costs more than all
//! else that it does. So one revalidate serves all who came before it began, and for `REVALIDATION_INTERVAL` those who come after,
//! unless this process has committed anything meanwhile: what this process changes is seen by the next request,
//! what another process changes within a hundredth of a second. That is less than a request spends on its way, so
//! that no reader can tell.
//!
//! **A stampede.** One request at a time looks and renders; the others who want the same page wait for it. They do
//! not get the old page meanwhile: a reader who was told of a change must see it, and a rendering takes
//! milliseconds.
//!
//! **Bounds.** The renderings take at most `MAX_CACHE_BYTES`; those that were not asked for longest fall out. Only
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

/// How long a rendering is good without another revalidate at the database, where this process wrote nothing.
const REVALIDATION_INTERVAL: Duration = Duration::from_millis(10);

/// What all renderings take together.
const MAX_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What is kept, by what its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheKind {
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

impl CacheKind {
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
            Self::Page | Self::ArticleOfPage => page_versions::for_slug(db, name).await,
            Self::Ordered | Self::Conversation => {
                page_versions::for_slug(db, name.split('?').next().unwrap_or_default()).await
            }
            Self::Article => match name.parse() {
                Ok(review) => page_versions::for_review(db, review).await,
                Err(_) => Ok(None),
            },
            Self::List => page_versions::for_lists(db).await.map(Some),
            Self::Map => page_versions::for_reviews(db).await.map(Some),
        }
    }
}

/// What a handler made.
pub(super) enum Rendered {
    /// The same for everyone, until it changes.
    Cacheable(Arc<Rendering>),
    /// The get_or_render to this request alone.
    Uncacheable(Response),
}

/// Renderings by kind and name.
#[derive(Debug)]
pub struct RenderingCache {
    /// What all renderings take together at most.
    max_bytes: usize,
    map: RwLock<CacheMap>,
    /// Counts what is asked for, to tell what was not for long.
    asked: AtomicU64,
}

impl Default for RenderingCache {
    fn default() -> Self {
        Self { max_bytes: MAX_CACHE_BYTES, map: RwLock::default(), asked: AtomicU64::new(0) }
    }
}

#[derive(Debug, Default)]
struct CacheMap {
    slots: [HashMap<Box<str>, Arc<CacheSlot>>; CacheKind::ALL.len()],
    bytes: usize,
}

/// The place of one rendering.
#[derive(Debug, Default)]
struct CacheSlot {
    /// Whose turn it is to revalidate and to render.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<SlotState>,
    /// Of what is kept, as counted in [`CacheMap::bytes`]; zero while nothing is.
    weight: AtomicUsize,
    /// When it was last asked for, by [`RenderingCache::asked`].
    used: AtomicU64,
}

/// What is known of a page.
#[derive(Debug, Default)]
struct SlotState {
    kept: Option<CachedRendering>,
    /// There is nothing to keep here: all may go on at once.
    is_void: bool,
    /// When a revalidate or a rendering last failed.
    failed: Option<Instant>,
}

#[derive(Debug, Clone)]
struct CachedRendering {
    rendering: Arc<Rendering>,
    version: i64,
    checked: CheckTime,
}

/// A moment, and what this process had committed by then.
#[derive(Debug, Clone, Copy)]
struct CheckTime {
    commits: u64,
    at: Instant,
}

impl CheckTime {
    fn now() -> Self {
        Self { commits: store::commits(), at: Instant::now() }
    }
}

impl CachedRendering {
    /// Whether it is good for a request of that moment: checked at after it came, or shortly before.
    fn is_valid_at(&self, asked: CheckTime) -> bool {
        self.checked.commits >= asked.commits
            && asked.at.saturating_duration_since(self.checked.at) < REVALIDATION_INTERVAL
    }
}

/// Somebody at a slot. Who leaves one that keeps nothing, and to which nobody else came, takes it away: names that
/// mean nothing cost no memory, also where the client does not wait for the get_or_render.
struct SlotGuard<'a> {
    cache: &'a RenderingCache,
    named: (CacheKind, &'a str),
    slot: Arc<CacheSlot>,
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        let is_empty = self.slot.turn.try_lock().is_ok() && self.slot.state().kept.is_none();
        if is_empty {
            self.cache.forget(self.named, &self.slot);
        }
    }
}

impl CacheSlot {
    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn valid_at(&self, asked: CheckTime) -> Option<Arc<Rendering>> {
        let state = self.state();
        let kept = state.kept.as_ref().filter(|kept| kept.is_valid_at(asked));
        kept.map(|kept| Arc::clone(&kept.rendering))
    }

    fn keep(&self, rendering: Arc<Rendering>, version: i64, checked: CheckTime) {
        self.state().kept = Some(CachedRendering { rendering, version, checked });
    }
}

impl CacheMap {
    fn get(&self, kind: CacheKind, name: &str) -> Option<&Arc<CacheSlot>> {
        self.slots[kind as usize].get(name)
    }

    /// Whether it is this slot that stands there, and not a later one.
    fn contains_slot(&self, (kind, name): (CacheKind, &str), slot: &Arc<CacheSlot>) -> bool {
        self.get(kind, name).is_some_and(|there| Arc::ptr_eq(there, slot))
    }

    fn remove(&mut self, kind: CacheKind, name: &str) {
        if let Some(slot) = self.slots[kind as usize].remove(name) {
            self.bytes -= slot.weight.swap(0, Ordering::Relaxed);
        }
    }

    /// Drops what was not asked for longest, until the rest fits.
    fn shrink(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes {
            let all = CacheKind::ALL.into_iter().zip(&self.slots);
            let all = all.flat_map(|(kind, slots)| slots.iter().map(move |(name, slot)| (kind, name, slot)));
            let kept = all.filter(|(_, _, slot)| slot.weight.load(Ordering::Relaxed) > 0);
            let oldest = kept.min_by_key(|(_, _, slot)| slot.used.load(Ordering::Relaxed));
            let Some((kind, name)) = oldest.map(|(kind, name, _)| (kind, name.clone())) else { return };
            self.remove(kind, &name);
        }
    }
}

impl RenderingCache {
    /// Answers with what is kept of that name, or with what `make` gives.
    ///
    /// # Errors
    /// Those of `make`; where the database does not get_or_render.
    pub(super) async fn get_or_render<F, M>(
        &self,
        app: &App,
        named: (CacheKind, &str),
        headers: &HeaderMap,
        make: F,
    ) -> Result<Response, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        let asked = CheckTime::now();
        let rendering = match self.find(named, asked) {
            Some(rendering) => rendering,
            None => match self.refresh(&app.db, named, asked, make).await? {
                Rendered::Cacheable(rendering) => rendering,
                Rendered::Uncacheable(response) => return Ok(response),
            },
        };
        Ok(rendering.respond(headers, app.clock.now()).await)
    }

    /// The get_or_render from what is kept and good; none where anything is to be waited for.
    pub(super) fn get_ready(
        &self,
        named: (CacheKind, &str),
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Response> {
        self.find(named, CheckTime::now())?.try_respond(headers, now)
    }

    fn find(&self, (kind, name): (CacheKind, &str), asked: CheckTime) -> Option<Arc<Rendering>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let slot = map.get(kind, name)?;
        slot.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        slot.valid_at(asked)
    }

    /// Waits for its turn, and looks and renders where nobody did meanwhile.
    async fn refresh<F, M>(
        &self,
        db: &Db,
        named: (CacheKind, &str),
        asked: CheckTime,
        make: F,
    ) -> Result<Rendered, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        let guard = SlotGuard { cache: self, named, slot: self.slot(named) };
        let slot = &guard.slot;
        let turn = slot.turn.lock().await;
        let (is_void, failed) = {
            let state = slot.state();
            (state.is_void, state.failed)
        };
        if let Some(rendering) = slot.valid_at(asked) {
            return Ok(Rendered::Cacheable(rendering));
        }
        if is_void {
            drop(turn);
            return make().await;
        }
        // Who waited for somebody who failed would fail, too, and one after the other.
        if failed.is_some_and(|failed| failed >= asked.at) {
            return Err(anyhow!("it could not be rendered for another request either").into());
        }
        let given = self.revalidate(db, named, slot, make).await;
        match &given {
            Ok(Rendered::Cacheable(_)) => {}
            Err(WebError::Internal(_)) => slot.state().failed = Some(Instant::now()),
            Ok(Rendered::Uncacheable(_)) | Err(_) => {
                slot.state().is_void = true;
                self.forget(named, slot);
            }
        }
        given
    }

    /// Asks the database whether what is kept is still good, and renders where it is not.
    async fn revalidate<F, M>(
        &self,
        db: &Db,
        named: (CacheKind, &str),
        slot: &Arc<CacheSlot>,
        make: F,
    ) -> Result<Rendered, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        // Before anything else is read: what changes while it is rendered makes the rendering stale.
        let checked = CheckTime::now();
        let version = named.0.version(db, named.1).await?;
        let kept = slot.state().kept.clone().filter(|kept| Some(kept.version) == version);
        if let Some(CachedRendering { rendering, version, .. }) = kept {
            slot.keep(Arc::clone(&rendering), version, checked);
            return Ok(Rendered::Cacheable(rendering));
        }
        let fresh = make().await?;
        let Rendered::Cacheable(rendering) = &fresh else { return Ok(fresh) };
        tracing::debug!(kind = ?named.0, name = named.1, "rendered");
        if let Some(version) = version {
            slot.keep(Arc::clone(rendering), version, checked);
            self.account(named, slot, rendering.max_memory());
        }
        Ok(fresh)
    }

    /// The slot of that name, made where there is none.
    fn slot(&self, (kind, name): (CacheKind, &str)) -> Arc<CacheSlot> {
        if let Some(slot) = self.map.read().unwrap_or_else(PoisonError::into_inner).get(kind, name) {
            return Arc::clone(slot);
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(map.slots[kind as usize].entry(name.into()).or_default())
    }

    /// Counts what a slot keeps now. One that was dropped meanwhile is not counted: nobody finds it any more.
    fn account(&self, named: (CacheKind, &str), slot: &Arc<CacheSlot>, weight: usize) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if map.contains_slot(named, slot) {
            map.bytes = map.bytes + weight - slot.weight.swap(weight, Ordering::Relaxed);
            slot.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
            map.shrink(self.max_bytes);
        }
    }

    fn forget(&self, named: (CacheKind, &str), slot: &Arc<CacheSlot>) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if map.contains_slot(named, slot) {
            map.remove(named.0, named.1);
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

    fn keep(cache: &RenderingCache, name: &str) {
        let named = (CacheKind::Page, name);
        let guard = SlotGuard { cache, named, slot: cache.slot(named) };
        let rendering = rendering();
        guard.slot.keep(Arc::clone(&rendering), 1, CheckTime::now());
        cache.account(named, &guard.slot, rendering.max_memory());
    }

    fn has(cache: &RenderingCache, name: &str) -> bool {
        cache.map.read().unwrap().get(CacheKind::Page, name).is_some()
    }

    #[test]
    fn what_was_not_asked_for_longest_falls_out() {
        let cache = RenderingCache { max_bytes: rendering().max_memory() * 3, ..RenderingCache::default() };
        for name in ["one", "two", "three"] {
            keep(&cache, name);
        }
        keep(&cache, "three");
        cache.find((CacheKind::Page, "one"), CheckTime::now());
        keep(&cache, "four");
        assert!(!has(&cache, "two") && ["one", "three", "four"].iter().all(|name| has(&cache, name)));
        for number in 0..1_000 {
            keep(&cache, &number.to_string());
        }
        let map = cache.map.read().unwrap();
        assert_eq!((map.bytes, map.slots[0].len()), (cache.max_bytes, 3));
    }

    #[test]
    fn a_rendering_that_is_larger_than_all_that_fits_is_not_kept() {
        let cache = RenderingCache { max_bytes: LENGTH, ..RenderingCache::default() };
        keep(&cache, "one");
        assert!(!has(&cache, "one"));
        assert_eq!(cache.map.read().unwrap().bytes, 0);
    }

    #[test]
    fn a_name_that_means_nothing_leaves_nothing_behind() {
        let cache = RenderingCache::default();
        let named = (CacheKind::Page, "nothing");
        let guard = || SlotGuard { cache: &cache, named, slot: cache.slot(named) };
        let (first, second) = (guard(), guard());
        let turn = first.slot.turn.try_lock().unwrap();
        drop(second);
        assert!(has(&cache, "nothing"), "somebody is still at it");
        drop(turn);
        drop(first);
        assert!(!has(&cache, "nothing"));
    }

    #[test]
    fn a_look_serves_those_who_came_before_it_and_shortly_after() {
        let checked = CheckTime { commits: 5, at: Instant::now() };
        let kept = CachedRendering { rendering: rendering(), version: 1, checked };
        let at = |commits, at| kept.is_valid_at(CheckTime { commits, at });
        assert!(at(5, checked.at) && at(5, checked.at + REVALIDATION_INTERVAL / 2));
        assert!(at(4, checked.at - REVALIDATION_INTERVAL * 100), "it waited for the revalidate");
        assert!(!at(5, checked.at + REVALIDATION_INTERVAL), "another process may have written");
        assert!(!at(6, checked.at), "this process has written");
    }
}
