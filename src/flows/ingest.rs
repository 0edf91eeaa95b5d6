//! Polls feeds and turns their entries into reviews. Each decision is logged with its reason, for `marquee feed log`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tracing::Instrument as _;

use super::App;
use super::lease::{lease_until, with_lease};
use crate::domain::feed::{Feed, IngestDecision, poll_backoff};
use crate::domain::id::LeaseId;
use crate::domain::review::Review;
use crate::sources::feed::{self, FeedSource};
use crate::store::feeds::{self, PollResult};
use crate::store::lease_renewal::LeaseQueue;
use crate::store::{critics, feed_log};
use feed_poll::FeedPoll;
use fetch_feed::{FeedResponse, PARSER_VERSION, Validators, feed_base, fetch_feed};

mod entry_change;
mod feed_poll;
mod fetch_feed;
mod identify;
mod initial_state;
mod known_entry;
mod new_entry;
mod process_entries;
mod select_entries;

/// A manual poll waits while the server polls the same feed: it retries at this interval, up to this many times.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
const MAX_TRIES: u32 = 300;

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
pub async fn poll_claimed_feed(app: &App, lease: LeaseId, feed: &Feed) -> anyhow::Result<()> {
    if let Some(reason) = poll_claimed(app, feed, lease).await? {
        tracing::warn!(feed = %feed.name, reason, "could not poll feed");
    }
    Ok(())
}

/// Polls a feed now, whether or not it is due.
///
/// # Errors
/// If the server is polling it for too long, or if it cannot be polled; its log has the reason, too.
pub async fn poll_now(app: &App, feed: &Feed) -> anyhow::Result<()> {
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
        return match poll_claimed(app, &feed, lease).await? {
            None => Ok(()),
            Some(problem) => bail!(problem),
        };
    }
    bail!("the server is polling this feed; run `marquee feed log` to see the result")
}

/// Applies a change of a review's entry that was kept back for the critic. Returns whether there was one.
///
/// # Errors
/// If the feed is not in the config any more.
pub async fn apply_kept_change(app: &App, review: &Review) -> anyhow::Result<bool> {
    let Some(feed) = review.feed else { return Ok(false) };
    let mut tx = app.db.begin().await?;
    let Some(feed) = feeds::find(&mut tx, feed).await? else { return Ok(false) };
    drop(tx);
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let base = feed_base(app, &feed)?;
    let folder = base.to_file_path().ok().and_then(|path| path.parent().map(Path::to_owned));
    FeedPoll::new(app, &feed, &critic, folder.as_deref(), &base).accept_pending(review.id).await
}

/// Polls a feed and releases it; returns the reason if it could not be polled.
async fn poll_claimed(app: &App, feed: &Feed, lease: LeaseId) -> anyhow::Result<Option<String>> {
    let span = tracing::info_span!("poll", feed = feed.name);
    let polling = Box::pin(poll(app, feed).instrument(span));
    let polled = with_lease(app, LeaseQueue::Feeds, lease, polling).await;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let polled = polled.unwrap_or_else(|error| Polled::failed(feed, format!("{error:#}"), Duration::ZERO));
    if let Some(failure) = &polled.failure {
        feed_log::append(&mut tx, feed.id, IngestDecision::Failed, &feed.name, &failure.reason, now).await?;
    }
    let (failures, delay) = match &polled.failure {
        Some(failure) => {
            let failures = feed.failures.saturating_add(1);
            (failures, poll_backoff(feed.interval, failures).max(failure.retry_after))
        }
        None => (0, feed.interval),
    };
    let result = PollResult {
        etag: polled.validators.etag.as_deref(),
        last_modified: polled.validators.last_modified.as_deref(),
        read_url: polled.is_read.then_some(feed.url.as_str()),
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
    /// Whether the feed was read to its last page, with every entry.
    is_read: bool,
    failure: Option<PollFailure>,
}

/// Why a feed could not be polled.
struct PollFailure {
    reason: String,
    /// How long the server asks to wait.
    retry_after: Duration,
}

impl Polled {
    fn failed(feed: &Feed, reason: String, retry_after: Duration) -> Self {
        let validators = Validators { etag: feed.etag.clone(), last_modified: feed.last_modified.clone() };
        Self { validators, is_read: false, failure: Some(PollFailure { reason, retry_after }) }
    }
}

async fn poll(app: &App, feed: &Feed) -> anyhow::Result<Polled> {
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let (bytes, base, charset, folder, validators) = match fetch_feed(app, feed).await? {
        FeedResponse::Unchanged(validators) => {
            let base = feed_base(app, feed)?;
            Box::pin(FeedPoll::start(app, feed, &critic, None, &base).await?.apply_pending()).await?;
            return Ok(Polled { validators, is_read: false, failure: None });
        }
        FeedResponse::Later { status, delay } => {
            let reason = format!(
                "the server responded with {status} and asks to wait for {} seconds",
                delay.as_secs()
            );
            return Ok(Polled::failed(feed, reason, delay));
        }
        FeedResponse::Bytes { bytes, base, charset, folder, validators } => {
            (bytes, base, charset, folder, validators)
        }
    };
    let (zone, page_url) = (app.site.timezone.clone(), base.clone());
    let parsing = move || {
        let (bytes, base, charset, zone) = (&bytes, &page_url, charset.as_deref(), &zone);
        feed::parse(FeedSource { bytes, base, charset, zone })
    };
    let mut document = tokio::task::spawn_blocking(parsing).await??;
    let has_chosen = select_entries::select_entries(app, feed, &mut document).await?;
    let is_last_page = document.next_page(&base) == feed::NextPage::None && document.skipped.is_empty();
    let mut poll = FeedPoll::start(app, feed, &critic, folder.as_deref(), &base).await?;
    let is_whole = poll.process(document).await?;
    Box::pin(poll.apply_pending()).await?;
    poll.log_mended().await?;
    // Without validators the feed is fetched again even if it does not change, for the entries that failed.
    let validators = if is_whole { validators } else { Validators::default() };
    // An entry that could not be read or stored is not known at the next poll, and must not look new then.
    Ok(Polled { validators, is_read: is_last_page && is_whole && has_chosen, failure: None })
}
