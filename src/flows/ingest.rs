//! Polls feeds and turns their entries into reviews. Each decision is logged with its reason, for `marquee feed log`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use http::StatusCode;
use tracing::Instrument as _;
use url::Url;

use super::App;
use super::lease::{lease_until, with_lease};
use crate::domain::feed::{Feed, IngestDecision, PageProgress, poll_backoff};
use crate::domain::id::{LeaseId, ReviewId};
use crate::domain::review::Review;
use crate::domain::untrusted::Untrusted;
use crate::sources::feed::NextPage;
use crate::store::feeds::{self, PollResult};
use crate::store::lease_renewal::LeaseQueue;
use crate::store::{critics, feed_log};
use feed_poll::FeedPoll;
use fetch_feed::{FeedPage, FeedResponse, PARSER_VERSION, Validators, feed_base, fetch_feed};
use missed_pages::read_missed_pages;
use older_pages::{FirstPage, PageKeys, PagesEnd, Reading, can_read_on, read_older_pages};
use select_entries::select_entries;
use tokio::sync::watch;

mod accept_change;
pub mod check_feed;
mod entry_authors;
mod entry_batches;
mod entry_change;
mod entry_order;
mod feed_poll;
mod fetch_feed;
mod identify;
mod initial_state;
pub mod kept_changes;
mod known_entries;
mod known_entry;
mod known_ids;
mod left_out;
mod missed_pages;
mod moved_feed;
mod new_entry;
pub mod older_pages;
mod process_entries;
mod reused_ids;
mod select_entries;
mod withdrawn_entries;

/// A manual poll waits while the server polls the same feed: it retries at this interval, up to this many times.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
const MAX_TRIES: u32 = 300;

/// When a feed is polled again whose older pages could not be read since the process ended.
const INTERRUPTED_INTERVAL: Duration = Duration::from_mins(1);

/// After this many failures in a row, the feed's configured URL is requested instead of one that it led to.
const MAX_RESOLVED_FAILURES: u32 = 10;

/// Claims at most `limit` feeds that are due.
pub async fn claim_due(app: &App, limit: usize) -> anyhow::Result<Vec<(LeaseId, Feed)>> {
    let mut claimed = Vec::new();
    while claimed.len() < limit {
        let now = app.clock.now();
        let lease = LeaseId::new(now);
        let mut tx = app.db.begin().await?;
        let Some(feed) = feeds::claim_due(&mut tx, lease, now, lease_until(now)).await? else { break };
        tx.commit().await?;
        claimed.push((lease, feed));
    }
    Ok(claimed)
}

/// Polls a feed that was claimed.
pub async fn poll_claimed_feed(
    app: &App,
    lease: LeaseId,
    feed: &Feed,
    reading: &Reading,
) -> anyhow::Result<()> {
    if let Some(reason) = poll_claimed(app, feed, lease, reading).await? {
        tracing::warn!(feed = %feed.name, reason = ?Untrusted::new(&reason), "could not poll feed");
    }
    Ok(())
}

/// Polls a feed now, whether or not it is due; `all` reads its older pages again.
///
/// # Errors
/// If the server is polling it for too long, or if it cannot be polled; its log has the reason, too.
pub async fn poll_now(app: &App, feed: &Feed, all: bool) -> anyhow::Result<()> {
    let (_stop, stop) = watch::channel(false);
    let reading = Reading { all, by_hand: true, stop };
    let lease = LeaseId::new(app.clock.now());
    for _ in 0..MAX_TRIES {
        let now = app.clock.now();
        let mut tx = app.db.begin().await?;
        let Some(feed) = feeds::claim(&mut tx, feed.id, lease, now, lease_until(now)).await? else {
            drop(tx);
            tokio::time::sleep(RETRY_INTERVAL).await;
            continue;
        };
        tx.commit().await?;
        return match poll_claimed(app, &feed, lease, &reading).await? {
            None => Ok(()),
            Some(problem) => bail!(problem),
        };
    }
    bail!("the server is polling this feed; run `marquee feed log` to see the result")
}

/// Applies a change of a review's entry that was kept back, or imports it as a new review, if `as_new` says so. Returns the review
/// that the entry belongs to now, if there was such a change in a feed of the config.
///
/// # Errors
/// If the change was too large to be kept.
pub async fn accept_kept_change(
    app: &App,
    review: &Review,
    as_new: bool,
) -> anyhow::Result<Option<ReviewId>> {
    let Some(feed) = review.feed else { return Ok(None) };
    let mut tx = app.db.begin().await?;
    let Some(feed) = feeds::find(&mut tx, feed).await? else { return Ok(None) };
    drop(tx);
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let (base, folder) = (feed_base(app, &feed)?, feed_folder(app, &feed)?);
    let mut poll = FeedPoll::new(app, &feed, &critic, folder.as_deref(), &base);
    poll.columns = fetch_feed::known_columns(app, &feed).await?;
    if as_new {
        Box::pin(poll.import_kept_change(review.id)).await
    } else {
        Box::pin(poll.apply_kept_change(review.id)).await
    }
}

/// The folder of a local feed, which its images may be in.
pub(super) fn feed_folder(app: &App, feed: &Feed) -> anyhow::Result<Option<PathBuf>> {
    let path = feed_base(app, feed)?.to_file_path().ok();
    Ok(path.and_then(|path| path.parent().map(Path::to_owned)))
}

/// Polls a feed and releases it; returns the reason if it could not be polled.
async fn poll_claimed(
    app: &App,
    feed: &Feed,
    lease: LeaseId,
    reading: &Reading,
) -> anyhow::Result<Option<String>> {
    let span = tracing::info_span!("poll", feed = feed.name);
    let polling = Box::pin(poll(app, feed, lease, reading).instrument(span));
    let polled = with_lease(app, LeaseQueue::Feeds, lease, polling).await;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let polled = polled
        .unwrap_or_else(|error| Polled::failed(feed, Untrusted::chain(&error).to_string(), Duration::ZERO));
    if let Some(failure) = &polled.failure {
        feed_log::append(&mut tx, feed.id, IngestDecision::Failed, &feed.name, &failure.reason, now).await?;
    }
    let (failures, delay) = match &polled.failure {
        Some(failure) if failure.is_of_older_page => (0, feed.interval.max(failure.retry_after)),
        Some(failure) => {
            let failures = feed.failures.saturating_add(1);
            (failures, poll_backoff(feed.interval, failures).max(failure.retry_after))
        }
        None if polled.is_interrupted => (0, feed.interval.min(INTERRUPTED_INTERVAL)),
        None => (0, feed.interval),
    };
    let resolved_url = polled.resolved_url.as_deref().filter(|_| failures < MAX_RESOLVED_FAILURES);
    let forgotten = feed.resolved_url.is_some() && resolved_url.is_none();
    if let Some(progress) = polled.pages.or(forgotten.then(PageProgress::default)) {
        feeds::save_page_progress(&mut tx, feed.id, lease, &progress).await?;
    }
    let result = PollResult {
        etag: polled.validators.etag.as_deref(),
        last_modified: polled.validators.last_modified.as_deref(),
        read_url: polled.read_url.as_deref(),
        resolved_url,
        authors: polled.authors.as_deref(),
        failures,
        next_poll_at: now + delay,
        parser_version: polled.failure.is_none().then_some(PARSER_VERSION),
    };
    feeds::finish_poll(&mut tx, feed.id, lease, &result).await?;
    feed_log::trim(&mut tx, feed.id).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(polled.failure.map(|failure| failure.reason))
}

/// What a poll leaves for the next one.
struct Polled {
    validators: Validators,
    /// The URL at which the feed was read to its last page, with every entry.
    read_url: Option<String>,
    /// How far the pages have been read, unless that did not change.
    pages: Option<PageProgress>,
    /// Whether the process ended before the older pages were read.
    is_interrupted: bool,
    /// The authors of the feed so far.
    authors: Option<Vec<String>>,
    /// The URL to request instead of the configured one.
    resolved_url: Option<String>,
    failure: Option<PollFailure>,
}

/// Why a feed could not be polled.
struct PollFailure {
    reason: String,
    /// How long the server asks to wait.
    retry_after: Duration,
    /// Whether the first page was read.
    is_of_older_page: bool,
}

impl PollFailure {
    fn of_older_page(end: PagesEnd) -> Option<Self> {
        match end {
            PagesEnd::Stopped { reason, delay: retry_after } => {
                Some(Self { reason, retry_after, is_of_older_page: true })
            }
            PagesEnd::LastPage | PagesEnd::Partial | PagesEnd::Postponed | PagesEnd::Interrupted => None,
        }
    }
}

impl Polled {
    /// The state that the feed had before.
    fn unchanged(feed: &Feed, validators: Validators) -> Self {
        Self {
            validators,
            read_url: None,
            pages: None,
            is_interrupted: false,
            authors: feed.authors.clone(),
            resolved_url: feed.resolved_url.clone(),
            failure: None,
        }
    }

    fn later(feed: &Feed, status: StatusCode, delay: Duration) -> Self {
        let seconds = delay.as_secs();
        let reason = format!("the server responded with {status} and asks to wait for {seconds} seconds");
        Self::failed(feed, reason, delay)
    }

    fn failed(feed: &Feed, reason: String, retry_after: Duration) -> Self {
        let failure = Some(PollFailure { reason, retry_after, is_of_older_page: false });
        Self { failure, ..Self::unchanged(feed, Validators::of(feed)) }
    }
}

/// Returns what is stored about the URL of a document: the configured one, or that of a redirect.
fn read_url(app: &App, feed: &Feed, url: &Url) -> anyhow::Result<String> {
    let is_configured = url.scheme() == "file" || *url == feed_base(app, feed)?;
    Ok(if is_configured { feed.url.clone() } else { url.to_string() })
}

/// Returns a feed as it is for a document at that URL: elsewhere it was not read before, even if a redirect leads there.
fn read_at(app: &App, feed: &Feed, url: &Url) -> anyhow::Result<Feed> {
    let was_read = feed.read_url.as_ref() == Some(&read_url(app, feed, url)?);
    Ok(Feed { read_url: was_read.then(|| feed.url.clone()), ..feed.clone() })
}

async fn poll(app: &App, feed: &Feed, lease: LeaseId, reading: &Reading) -> anyhow::Result<Polled> {
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    // To read on, the first page is needed.
    let is_conditional = !reading.all && !can_read_on(app, feed, reading);
    let page = match fetch_feed(app, feed, is_conditional).await? {
        FeedResponse::Unchanged(validators) => {
            let base = feed_base(app, feed)?;
            Box::pin(FeedPoll::start(app, feed, &critic, None, &base).await?.apply_pending()).await?;
            return Ok(Polled::unchanged(feed, validators));
        }
        FeedResponse::Later { status, delay } => return Ok(Polled::later(feed, status, delay)),
        FeedResponse::Missing(status) => {
            let failed = Polled::failed(feed, format!("the server responded with {status}"), Duration::ZERO);
            // The next poll begins at the configured URL.
            return Ok(Polled { resolved_url: None, validators: Validators::default(), ..failed });
        }
        FeedResponse::Page(page) => page,
    };
    let FeedPage { mut document, url: base, folder, validators, moved_to, discovered } = *page;
    let feed = &read_at(app, feed, &base)?;
    let (next, keys) = (document.next_page(&base), PageKeys::of_first_page(&document, feed, reading));
    let is_empty = document.entries.is_empty() && document.excluded.is_empty();
    let mut authors = feed.authors.clone();
    let has_chosen = select_entries(app, feed, &mut document, &mut authors, false).await?;
    let has_entries = !document.entries.is_empty();
    let first = FirstPage { url: base.clone(), next: next.clone(), keys, has_entries };
    let last = if has_chosen {
        let stop = reading.stop.clone();
        read_missed_pages(app, feed, &base, &mut document, &mut authors, next, stop).await?
    } else {
        Some(next)
    };
    let Some(last) = last else {
        return Ok(Polled::unchanged(feed, Validators::of(feed)));
    };
    let has_skipped = !document.skipped.is_empty();
    let mut poll = FeedPoll::start(app, feed, &critic, folder.as_deref(), &base).await?;
    let is_whole = Box::pin(poll.process_first_page(document, last != NextPage::None)).await?;
    // The target of a permanent redirect is the same feed if it has an entry that is known.
    let moved_to = moved_to.filter(|_| discovered.is_none() && poll.counts.known > 0);
    if let Some(url) = &moved_to {
        tracing::info!(feed = feed.name, url = %Untrusted::new(&url), "the feed has moved permanently");
    }
    let resolved_url = moved_to.or(discovered).map(String::from).or_else(|| feed.resolved_url.clone());
    // Without validators the feed is fetched again even if it does not change, for the entries that failed or wait.
    let is_complete = is_whole && poll.counts.postponed == 0;
    let validators = if is_complete { validators } else { Validators::default() };
    if !has_chosen || is_empty {
        poll.log_counts().await?;
        // The older pages are read once the authors are known, and those of an empty feed once it has entries: a server with a
        // fault may say that there are none.
        return Ok(Polled { authors, resolved_url, ..Polled::unchanged(feed, validators) });
    }
    let (pages, end) = Box::pin(read_older_pages(&mut poll, first, &mut authors, lease, reading)).await?;
    poll.log_counts().await?;
    let is_read = end == PagesEnd::LastPage && is_whole && !has_skipped;
    Ok(Polled {
        validators,
        // An entry that could not be read or stored is not known at the next poll, and must not look new then.
        read_url: is_read.then(|| read_url(app, feed, &base)).transpose()?,
        pages: Some(pages),
        is_interrupted: end == PagesEnd::Interrupted,
        authors,
        resolved_url,
        failure: PollFailure::of_older_page(end),
    })
}
