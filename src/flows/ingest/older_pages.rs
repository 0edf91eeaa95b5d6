//! Reads the older pages of a feed once, so that the whole archive of the critic is there: a page at a time, with a pause
//! after each, and one feed at a time. The position is stored after each page, so that the next poll continues after an
//! error or a crash. What is on older pages is archived: it is sent to nobody.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use url::Url;

use super::feed_poll::FeedPoll;
use super::fetch_feed::{FeedPage, FeedResponse, fetch_page, is_beyond_last_page};
use super::known_ids::is_known;
use super::left_out::entry_keys;
use super::select_entries::select_entries;
use crate::domain::body_text::visible_text;
use crate::domain::content_hash::text_hash;
use crate::domain::feed::{Feed, IngestDecision, PageProgress, poll_backoff};
use crate::domain::feed_entry::FeedEntry;
use crate::domain::id::LeaseId;
use crate::domain::review::ReviewContent;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::sources::feed::{FeedDocument, NextPage, is_guessed};
use crate::store::{feed_log, feeds, left_out_entries};

/// The most pages of a feed that are read, with the first one.
const MAX_PAGES: u32 = 500;

/// After this many failures in a row, the rest of the pages is given up.
const MAX_FAILURES: u32 = 20;

/// A page with entries that cannot be stored is read this often. Then the next one is read.
const MAX_PAGE_TRIES: u32 = 3;

/// A page without entries that links to a next one is passed over after so many failures in a row.
const MAX_EMPTY_PAGE_TRIES: u32 = 5;

/// A text with fewer characters is only the same if its markup is.
const MIN_TEXT_CHARS: usize = 100;

/// One feed at a time: two of them may be on the same host, and polls must not wait for older pages.
static TURN: Semaphore = Semaphore::const_new(1);

/// How a feed is read.
#[derive(Debug)]
pub struct Reading {
    /// Whether its older pages are read from the beginning.
    pub all: bool,
    /// Whether a person asked for it, so that it does not wait after an error.
    pub by_hand: bool,
    /// Becomes `true` on shutdown.
    pub stop: watch::Receiver<bool>,
}

/// The first page of a feed.
pub(super) struct FirstPage {
    /// Its URL after redirects.
    pub(super) url: Url,
    pub(super) next: NextPage,
    /// The keys of its entries, if older pages may be read.
    pub(super) keys: PageKeys,
    /// Whether the feed takes any of them.
    pub(super) has_entries: bool,
}

/// What the entries of a page are recognized by on another page.
#[derive(Default)]
pub(super) struct PageKeys {
    /// Keys of their ids or URLs, and of those that cannot be read.
    entries: Vec<u64>,
    /// Keys of their headlines and texts, in the order of the entries; `None` for an entry without a text of its own.
    pub(super) texts: Vec<Option<u64>>,
}

/// How the reading of older pages ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PagesEnd {
    /// The feed has been read to its last page.
    LastPage,
    /// There is nothing more to do, although the feed may have further pages.
    Partial,
    /// The pages of another feed are read first.
    Postponed,
    /// The process ends. The next one continues soon.
    Interrupted,
    /// A later poll continues after an error, not before this time.
    Stopped { reason: String, delay: Duration },
}

/// What follows a page.
enum Step {
    Next(NextPage),
    /// There are no more entries.
    Last,
    /// The rest cannot be read, for this reason.
    Broken(String),
    Stopped(String, Duration),
}

impl PageKeys {
    /// The keys of the first page of a feed; none if its older pages have been read, as at most polls.
    pub(super) fn of_first_page(document: &FeedDocument, feed: &Feed, reading: &Reading) -> Self {
        let may_read_on = reading.all || feed.pages.read == 0 || feed.pages.next.is_some();
        if may_read_on { Self::of(document) } else { Self::default() }
    }

    /// The keys of a document.
    pub(super) fn of(document: &FeedDocument) -> Self {
        let entries = document.entries.iter().map(|entry| {
            let content = &entry.content;
            match (&entry.guid, &content.canonical_url) {
                (Some(guid), _) if !document.shared_guids.contains(guid) => key(guid),
                (_, Some(url)) => key(url),
                _ => key((&content.title, &content.body)),
            }
        });
        Self {
            entries: entries.chain(document.skipped.iter().map(key)).collect(),
            texts: document.entries.iter().map(|entry| text_key(&entry.content)).collect(),
        }
    }
}

/// The key of a headline and a text. One of a few words counts with its markup and pictures, and an episode may have no text of
/// its own.
fn text_key(content: &ReviewContent) -> Option<u64> {
    if content.body.is_empty() || content.recording.is_some() {
        return None;
    }
    let is_long = visible_text(&content.body).chars().take(MIN_TEXT_CHARS).count() == MIN_TEXT_CHARS;
    Some(if is_long {
        key((&content.title, text_hash(content)))
    } else {
        key((&content.title, &content.body))
    })
}

fn key(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Whether a page without any entry links to a next one. A server with a fault says so.
pub(super) fn is_empty_in_the_middle(document: &FeedDocument, next: &NextPage) -> bool {
    document.entries.is_empty()
        && document.excluded.is_empty()
        && document.skipped.is_empty()
        && matches!(next, NextPage::At(_))
}

/// Whether the older pages of a feed can be read on now.
pub(super) fn can_read_on(app: &App, feed: &Feed, reading: &Reading) -> bool {
    feed.pages.next.is_some()
        && (reading.by_hand || app.clock.now() >= feed.pages.retry_at)
        && TURN.available_permits() > 0
}

/// Reads the older pages, from the beginning or from where an earlier poll stopped, unless they have been read. Returns
/// how far they have been read. `authors` are those of the feed so far.
pub(super) async fn read_older_pages(
    poll: &mut FeedPoll<'_>,
    mut first: FirstPage,
    authors: &mut Option<Vec<String>>,
    lease: LeaseId,
    reading: &Reading,
) -> anyhow::Result<(PageProgress, PagesEnd)> {
    let feed = poll.feed;
    let mut progress = feed.pages.clone();
    if reading.all || progress.read == 0 {
        progress = PageProgress { read: 1, archived: poll.counts.archived, ..PageProgress::default() };
        match &first.next {
            NextPage::None => return Ok((progress, PagesEnd::LastPage)),
            NextPage::At(url) => progress.next = Some(url.to_string()),
            NextPage::Elsewhere(url) => {
                log_end(poll, &progress, Some(&format!("{url} is on another server"))).await?;
                return Ok((progress, PagesEnd::Partial));
            }
        }
    }
    if progress.next.is_none() {
        let is_last = first.next == NextPage::None;
        return Ok((progress, if is_last { PagesEnd::LastPage } else { PagesEnd::Partial }));
    }
    if !reading.by_hand && poll.app.clock.now() < progress.retry_at {
        return Ok((progress, PagesEnd::Partial));
    }
    let Ok(_turn) = TURN.try_acquire() else { return Ok((progress, PagesEnd::Postponed)) };
    poll.is_older_page = true;
    // Thousands of entries do not wait for their images.
    poll.image_time = Duration::ZERO;
    let keys = std::mem::take(&mut first.keys);
    let mut reader = PageReader {
        poll,
        first,
        authors,
        progress,
        seen: keys.entries.into_iter().collect(),
        texts: keys.texts.into_iter().flatten().collect(),
        visited: HashSet::new(),
        has_followed_empty: false,
    };
    let end = Box::pin(reader.read_all(lease, reading.stop.clone())).await?;
    let progress = reader.progress;
    let mut tx = poll.app.db.begin().await?;
    feeds::poll_next_postponed(&mut tx, feed.id, poll.app.clock.now()).await?;
    tx.commit().await?;
    Ok((progress, end))
}

/// Logs what became of the older pages, in one line.
async fn log_end(poll: &FeedPoll<'_>, progress: &PageProgress, problem: Option<&str>) -> anyhow::Result<()> {
    let PageProgress { read, archived, .. } = progress;
    if *read == 1 && problem.is_none() {
        return Ok(());
    }
    let (decision, mut line) = if *archived == 0 {
        (IngestDecision::Matched, format!("no entry is new; pages read: {read}"))
    } else {
        let line = format!("archived {archived} entries, sent none of them; pages read: {read}");
        (IngestDecision::Archived, line)
    };
    if let Some(problem) = problem {
        line = format!("{line}; the rest of the feed cannot be read: {}", Untrusted::chain(&problem));
    }
    tracing::info!(
        feed = poll.feed.name,
        pages = read,
        archived,
        problem = problem.as_ref().map(|problem| tracing::field::debug(Untrusted::chain(problem))),
        "read the older pages of the feed"
    );
    let mut tx = poll.app.db.begin().await?;
    feed_log::append(&mut tx, poll.feed.id, decision, &poll.feed.name, &line, poll.app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

struct PageReader<'p, 'a> {
    poll: &'p mut FeedPoll<'a>,
    first: FirstPage,
    authors: &'p mut Option<Vec<String>>,
    progress: PageProgress,
    /// The keys of all entries so far.
    seen: HashSet<u64>,
    /// The keys of their texts.
    texts: HashSet<u64>,
    /// The pages that were requested.
    visited: HashSet<Url>,
    /// Whether the page before is empty.
    has_followed_empty: bool,
}

impl PageReader<'_, '_> {
    async fn read_all(
        &mut self,
        lease: LeaseId,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<PagesEnd> {
        while let Some(url) = self.progress.next.as_deref().and_then(|url| Url::parse(url).ok()) {
            self.save(lease).await?;
            if self.progress.read >= MAX_PAGES {
                return self.end(Some(&format!("it has more than {MAX_PAGES} pages"))).await;
            }
            tokio::select! {
                () = tokio::time::sleep(self.poll.feed.page_interval) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(PagesEnd::Interrupted),
            }
            if !self.visited.insert(url.clone()) {
                return self.end(None).await;
            }
            match Box::pin(self.read_page(&url)).await? {
                Step::Next(NextPage::At(next)) => self.progress.next = Some(next.to_string()),
                Step::Next(NextPage::None) | Step::Last => return self.end(None).await,
                Step::Next(NextPage::Elsewhere(next)) => {
                    return self.end(Some(&format!("{next} is on another server"))).await;
                }
                Step::Broken(problem) => return self.end(Some(&problem)).await,
                Step::Stopped(problem, delay) => return self.stop(problem, delay).await,
            }
        }
        self.end(None).await
    }

    async fn save(&self, lease: LeaseId) -> anyhow::Result<()> {
        let mut tx = self.poll.app.db.begin().await?;
        feeds::save_page_progress(&mut tx, self.poll.feed.id, lease, &self.progress).await?;
        Ok(tx.commit().await?)
    }

    /// There is nothing more to read, or the rest cannot be read.
    async fn end(&mut self, problem: Option<&str>) -> anyhow::Result<PagesEnd> {
        self.progress = PageProgress { next: None, failures: 0, ..self.progress.clone() };
        log_end(self.poll, &self.progress, problem).await?;
        Ok(if problem.is_none() { PagesEnd::LastPage } else { PagesEnd::Partial })
    }

    /// A page cannot be read now.
    async fn stop(&mut self, problem: String, delay: Duration) -> anyhow::Result<PagesEnd> {
        self.progress.failures = self.progress.failures.saturating_add(1);
        if self.progress.failures >= MAX_FAILURES {
            return self.end(Some(&problem)).await;
        }
        let wait = poll_backoff(self.poll.feed.interval, self.progress.failures).max(delay);
        self.progress.retry_at = self.poll.app.clock.now() + wait;
        let reason = format!("page {}: {problem}; a later poll continues there", self.progress.read + 1);
        Ok(PagesEnd::Stopped { reason, delay })
    }

    /// An empty page is read again by later polls, and then the next one is read, unless that is empty, too.
    fn skip_empty_page(&mut self, next: NextPage) -> Step {
        if self.has_followed_empty {
            return Step::Last;
        }
        if self.progress.failures + 1 < MAX_EMPTY_PAGE_TRIES {
            let problem = "it is empty, although it links to a next page".to_owned();
            return Step::Stopped(problem, Duration::ZERO);
        }
        self.has_followed_empty = true;
        self.progress.read += 1;
        self.progress.failures = 0;
        Step::Next(next)
    }

    /// Notes the entries of a page. Returns whether any of them is new: some servers ignore the number of a page, and some of
    /// them make new ids and URLs at each request. Copies of entries before are removed.
    async fn note_page(&mut self, document: &mut FeedDocument) -> anyhow::Result<bool> {
        let PageKeys { entries, texts } = PageKeys::of(document);
        let is_known_text = |text: &Option<u64>| text.is_some_and(|text| self.texts.contains(&text));
        let has_known_texts = !texts.is_empty() && texts.iter().all(is_known_text);
        let has_new_keys = entries.iter().any(|key| !self.seen.contains(key))
            || Box::pin(self.has_reused_ids(document, &texts)).await?;
        let has_others = !document.skipped.is_empty() || !document.excluded.is_empty();
        if document.excluded.is_empty() && (!has_new_keys || (has_known_texts && !has_others)) {
            return Ok(false);
        }
        let mut copies = Vec::new();
        let mut keys = entries.iter().zip(texts);
        document.entries.retain(|entry| {
            let Some((key, text)) = keys.next() else { return true };
            let is_copy = text.is_some_and(|text| !self.texts.insert(text)) && !self.seen.contains(key);
            if is_copy {
                copies.push(entry.clone());
            }
            !is_copy
        });
        self.seen.extend(entries);
        self.leave_out(document, &copies).await?;
        Ok(true)
    }

    /// Whether an entry of a page without new ids is none that was read: some feeds number the entries of each page anew.
    async fn has_reused_ids(&self, document: &FeedDocument, texts: &[Option<u64>]) -> anyhow::Result<bool> {
        let mut tx = self.poll.app.db.begin().await?;
        for (entry, text) in document.entries.iter().zip(texts) {
            if text.is_some_and(|text| !self.texts.contains(&text))
                && (self.poll.earlier_ids.are_reused || !is_known(&mut tx, self.poll.feed, entry).await?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Leaves out copies of other entries, and says so.
    async fn leave_out(&self, document: &FeedDocument, copies: &[FeedEntry]) -> anyhow::Result<()> {
        let reason = "another entry of the feed has the same headline and text";
        let (feed, now) = (self.poll.feed, self.poll.app.clock.now());
        let mut tx = self.poll.app.db.begin().await?;
        for copy in copies {
            let title = &copy.content.title;
            feed_log::append_once(&mut tx, feed.id, IngestDecision::Skipped, title, reason, now).await?;
        }
        if !feed.is_read() {
            left_out_entries::insert(&mut tx, feed.id, &entry_keys(document, copies)).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn read_page(&mut self, url: &Url) -> anyhow::Result<Step> {
        let page = match fetch_page(self.poll.app, self.poll.feed, url).await {
            Ok(FeedResponse::Page(page)) => page,
            Ok(FeedResponse::Missing(_)) if is_guessed(url) => return Ok(Step::Last),
            Ok(FeedResponse::Missing(status)) => {
                return Ok(Step::Broken(format!("the server responded with {status} to {url}")));
            }
            Ok(FeedResponse::Later { status, delay }) => {
                return Ok(Step::Stopped(format!("the server responded with {status}"), delay));
            }
            Ok(FeedResponse::Unchanged(_)) => return Ok(Step::Last),
            Err(error) if is_beyond_last_page(url, &error) => return Ok(Step::Last),
            Err(error) => return Ok(Step::Stopped(Untrusted::chain(&error).to_string(), Duration::ZERO)),
        };
        if page.url.origin() != self.first.url.origin() {
            return Ok(Step::Broken(format!("{url} redirects to another server")));
        }
        let FeedPage { mut document, url, .. } = *page;
        let next = document.next_page(&url);
        if is_empty_in_the_middle(&document, &next) {
            return Ok(self.skip_empty_page(next));
        }
        self.has_followed_empty = false;
        if !Box::pin(self.note_page(&mut document)).await? {
            return Ok(Step::Last);
        }
        let (app, feed, has_first) = (self.poll.app, self.poll.feed, self.first.has_entries);
        if !select_entries(app, feed, &mut document, self.authors, has_first).await? {
            return Ok(Step::Broken("it has several authors; set authors in the config".to_owned()));
        }
        let entries = document.entries.len();
        let undated = entry_keys(&document, &document.entries);
        self.poll.counts.archived = 0;
        let is_whole = Box::pin(self.poll.process_older_page(document)).await?;
        self.progress.archived = self.progress.archived.saturating_add(self.poll.counts.archived);
        if !is_whole {
            if self.progress.failures + 1 < MAX_PAGE_TRIES {
                return Ok(Step::Stopped("an entry cannot be stored".to_owned(), Duration::ZERO));
            }
            // It is not new if it can be stored later.
            let mut tx = self.poll.app.db.begin().await?;
            left_out_entries::insert(&mut tx, self.poll.feed.id, &undated).await?;
            tx.commit().await?;
        }
        self.progress.read += 1;
        self.progress.failures = 0;
        let PageProgress { read, archived, .. } = self.progress;
        tracing::info!(feed = self.poll.feed.name, page = read, entries, archived, "read an older page");
        Ok(Step::Next(next))
    }
}
