//! Caches rendered pages and documents until their content changes.
//!
//! **Validity.** The triggers of the schema count each change to what a page shows (`store::page_versions`), in the
//! transaction that makes it. A rendering is valid while the count is what it was before rendering began. So code that
//! writes needs to know nothing of pages, no message between processes can be lost or late, and what pages do not show
//! invalidates nothing: a fan-out that marks a million deliveries leaves them alone.
//!
//! **Revalidation.** Reading the count is one index lookup, but that costs more than everything else that a request for
//! a cached page does. So one lookup serves all requests that arrived before it began, and those that arrive within
//! `REVALIDATION_INTERVAL` after it unless this process has committed anything meanwhile. Changes of this process are
//! visible to the next request; those of another process within a hundredth of a second, which is less than a request
//! spends on the network.
//!
//! **Stampedes.** One request at a time revalidates and renders a page; the others wait for it (`single_flight`). They
//! do not get the old page meanwhile: a reader who knows of a change must see it, and rendering takes milliseconds.
//!
//! **Bounds.** The renderings take at most `MAX_CACHE_BYTES`; the least recently used ones are evicted. Only responses
//! that are the same for everyone are cached: no errors, no redirects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use moka::policy::EvictionPolicy;
use tokio::time::Instant;

use super::error::WebError;
use super::rendering::Rendering;
use super::single_flight::{FlightFailure, SingleFlight};
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::{self, CommitCounter, Db, page_versions};

/// How long a rendering counts as valid without another lookup, unless this process has committed something.
const REVALIDATION_INTERVAL: Duration = Duration::from_millis(10);

/// Memory for all renderings.
const MAX_CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// What is cached. It decides what the name in a key means, and which changes invalidate the rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CacheKind {
    /// The page of a review, by slug.
    Page,
    /// The page with its comments in another order, or another page of them, by slug and query.
    SortedPage,
    /// The page of a comment, by slug and id.
    Comment,
    /// The discussion of a review on its own, by slug, and query if it is not the default.
    Discussion,
    /// The Article of a review, by the slug of its page.
    ArticleOfPage,
    /// The Article of a review, by its id.
    Article,
    /// A page or feed with a list of reviews, by path and page number.
    List,
    /// The sitemap, or the part of it with that name.
    Sitemap,
}

/// Identifies a rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CacheKey<'a> {
    kind: CacheKind,
    name: &'a str,
}

/// A [`CacheKey`] that owns its name. Both have the same hash, so that a lookup does not allocate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OwnedCacheKey {
    kind: CacheKind,
    name: Box<str>,
}

impl moka::Equivalent<OwnedCacheKey> for CacheKey<'_> {
    fn equivalent(&self, key: &OwnedCacheKey) -> bool {
        self.kind == key.kind && *self.name == *key.name
    }
}

impl CacheKind {
    /// The key of that name.
    pub(super) const fn key(self, name: &str) -> CacheKey<'_> {
        CacheKey { kind: self, name }
    }
}

impl CacheKey<'_> {
    fn to_owned(self) -> OwnedCacheKey {
        OwnedCacheKey { kind: self.kind, name: self.name.into() }
    }

    /// The version of the content: the number of its changes so far. `None` if there is no such content.
    async fn version(self, db: &Db) -> store::Result<Option<i64>> {
        match self.kind {
            CacheKind::Page | CacheKind::ArticleOfPage => page_versions::for_slug(db, self.name).await,
            CacheKind::SortedPage | CacheKind::Discussion | CacheKind::Comment => {
                page_versions::for_slug(db, self.name.split(['?', '/']).next().unwrap_or_default()).await
            }
            CacheKind::Article => match self.name.parse() {
                Ok(review) => page_versions::for_review(db, review).await,
                Err(_) => Ok(None),
            },
            CacheKind::List => page_versions::for_lists(db).await.map(Some),
            CacheKind::Sitemap => page_versions::for_reviews(db).await.map(Some),
        }
    }
}

/// The result of a handler.
pub(super) enum Rendered {
    /// The same for everyone, until it changes.
    Cacheable(Arc<Rendering>),
    /// A response to this request only.
    Uncacheable(Response),
}

/// Renderings by key.
#[derive(Debug)]
pub struct PageCache {
    pages: moka::sync::Cache<OwnedCacheKey, Arc<CachedPage>>,
    flights: SingleFlight<OwnedCacheKey>,
    commits: CommitCounter,
}

#[derive(Debug)]
struct CachedPage {
    rendering: Arc<Rendering>,
    version: i64,
    checked: Mutex<CheckTime>,
}

/// A time, and the number of commits of this process until then.
#[derive(Debug, Clone, Copy)]
struct CheckTime {
    commits: u64,
    at: Instant,
}

impl CheckTime {
    fn now(commits: &CommitCounter) -> Self {
        Self { commits: commits.count(), at: Instant::now() }
    }

    /// Whether a check at this time is recent enough for a request that arrived at `requested`.
    fn covers(self, requested: Self) -> bool {
        self.commits >= requested.commits
            && requested.at.saturating_duration_since(self.at) < REVALIDATION_INTERVAL
    }
}

impl CachedPage {
    fn new(rendering: Arc<Rendering>, version: i64, checked: CheckTime) -> Self {
        Self { rendering, version, checked: Mutex::new(checked) }
    }

    fn is_valid_at(&self, requested: CheckTime) -> bool {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).covers(requested)
    }

    fn mark_checked(&self, checked: CheckTime) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = checked;
    }
}

impl PageCache {
    /// An empty cache. After a commit that `commits` counts, a cached rendering is checked before it is used.
    pub fn new(commits: CommitCounter) -> Self {
        Self::with_capacity(MAX_CACHE_BYTES, commits)
    }

    fn with_capacity(bytes: u64, commits: CommitCounter) -> Self {
        let weight = |_: &OwnedCacheKey, page: &Arc<CachedPage>| {
            u32::try_from(page.rendering.max_memory()).unwrap_or(u32::MAX)
        };
        let pages = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(weight)
            .eviction_policy(EvictionPolicy::lru());
        Self { pages: pages.build(), flights: SingleFlight::default(), commits }
    }

    /// Responds with the cached rendering, or with what `render` returns.
    ///
    /// # Errors
    /// Those of `render`, and of the database.
    pub(super) async fn get_or_render<F, M>(
        &self,
        app: &App,
        key: CacheKey<'_>,
        headers: &HeaderMap,
        render: F,
    ) -> Result<Response, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        let requested = CheckTime::now(&self.commits);
        let rendering = match self.find(key, requested) {
            Some(rendering) => rendering,
            None => match self.refresh(&app.db, key, requested, render).await? {
                Rendered::Cacheable(rendering) => rendering,
                Rendered::Uncacheable(response) => return Ok(response),
            },
        };
        Ok(rendering.respond(headers, app.clock.now()).await)
    }

    /// Responds with a cached rendering that is valid and needs no waiting.
    pub(super) fn get_ready(
        &self,
        key: CacheKey<'_>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Response> {
        self.find(key, CheckTime::now(&self.commits))?.try_respond(headers, now)
    }

    fn find(&self, key: CacheKey<'_>, requested: CheckTime) -> Option<Arc<Rendering>> {
        let page = self.pages.get(&key)?;
        page.is_valid_at(requested).then(|| Arc::clone(&page.rendering))
    }

    /// Waits for other requests for the same page, then revalidates and renders unless one of them has done so.
    async fn refresh<F, M>(
        &self,
        db: &Db,
        key: CacheKey<'_>,
        requested: CheckTime,
        render: F,
    ) -> Result<Rendered, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        let guard = self.flights.join(key.to_owned());
        let mut last = guard.flight().lock().await;
        if let Some(rendering) = self.find(key, requested) {
            return Ok(Rendered::Cacheable(rendering));
        }
        if last.is_uncacheable {
            drop(last);
            return render().await;
        }
        // Requests that waited for one that failed would fail as well, one after the other.
        if let Some(error) = last.failure.as_ref().and_then(|failure| failure.error_for(requested.at)) {
            return Err(error);
        }
        let rendered = self.revalidate(db, key, render).await;
        if let Err(error) = &rendered
            && let Some(failure) = FlightFailure::from_error(error)
        {
            last.failure = Some(failure);
        } else if !matches!(rendered, Ok(Rendered::Cacheable(_))) {
            last.is_uncacheable = true;
            guard.close();
            self.pages.invalidate(&key);
        }
        rendered
    }

    /// Asks the database whether the cached rendering is still valid, and renders if it is not.
    async fn revalidate<F, M>(&self, db: &Db, key: CacheKey<'_>, render: F) -> Result<Rendered, WebError>
    where
        F: FnOnce() -> M,
        M: Future<Output = Result<Rendered, WebError>>,
    {
        // Before anything else is read, so that a change during rendering invalidates the result.
        let checked = CheckTime::now(&self.commits);
        let version = key.version(db).await?;
        if let Some(page) = self.pages.get(&key).filter(|page| Some(page.version) == version) {
            page.mark_checked(checked);
            return Ok(Rendered::Cacheable(Arc::clone(&page.rendering)));
        }
        let rendered = render().await?;
        let Rendered::Cacheable(rendering) = &rendered else { return Ok(rendered) };
        tracing::debug!(kind = ?key.kind, name = ?Untrusted::new(&key.name), "rendered");
        if let Some(version) = version {
            self.insert(key, CachedPage::new(Arc::clone(rendering), version, checked));
        }
        Ok(rendered)
    }

    fn insert(&self, key: CacheKey<'_>, page: CachedPage) {
        self.pages.insert(key.to_owned(), Arc::new(page));
        // Evicts at once rather than with a later request, since a few renderings can be as large as the whole
        // cache. This takes the lock of the cache's maintenance on this thread, and drops the evicted pages
        // there. It happens once per rendering, which costs more.
        self.pages.run_pending_tasks();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 100_000;

    fn rendering() -> Arc<Rendering> {
        Arc::new(Rendering::new("text/html", "x".repeat(LENGTH), None, Timestamp::default()))
    }

    fn weight() -> u64 {
        rendering().max_memory() as u64
    }

    fn insert(cache: &PageCache, name: &str) {
        cache.insert(
            CacheKind::Page.key(name),
            CachedPage::new(rendering(), 1, CheckTime::now(&cache.commits)),
        );
    }

    fn has(cache: &PageCache, name: &str) -> bool {
        cache.pages.contains_key(&CacheKind::Page.key(name))
    }

    #[test]
    fn the_least_recently_used_rendering_is_evicted() {
        let cache = PageCache::with_capacity(weight() * 3, CommitCounter::default());
        for name in ["one", "two", "three"] {
            insert(&cache, name);
        }
        insert(&cache, "three");
        cache.find(CacheKind::Page.key("one"), CheckTime::now(&cache.commits));
        insert(&cache, "four");
        assert!(!has(&cache, "two") && ["one", "three", "four"].iter().all(|name| has(&cache, name)));
        for number in 0..1_000 {
            insert(&cache, &number.to_string());
        }
        assert_eq!((cache.pages.weighted_size(), cache.pages.entry_count()), (weight() * 3, 3));
    }

    #[test]
    fn a_rendering_that_is_larger_than_the_cache_is_not_kept() {
        let cache = PageCache::with_capacity(LENGTH as u64, CommitCounter::default());
        insert(&cache, "one");
        assert!(!has(&cache, "one"));
        assert_eq!(cache.pages.weighted_size(), 0);
    }

    #[test]
    fn a_check_covers_requests_that_came_before_it_and_shortly_after() {
        let checked = CheckTime { commits: 5, at: Instant::now() };
        let covers = |commits, at| checked.covers(CheckTime { commits, at });
        assert!(covers(5, checked.at) && covers(5, checked.at + REVALIDATION_INTERVAL / 2));
        assert!(covers(4, checked.at - REVALIDATION_INTERVAL * 100), "it waited for the check");
        assert!(!covers(5, checked.at + REVALIDATION_INTERVAL), "another process may have written");
        assert!(!covers(6, checked.at), "this process has written");
    }
}
