//! Polls feeds and turns their entries into reviews. Each decision is logged with its reason, for `marquee feed log`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracing::Instrument as _;
use url::Url;

use super::App;
use super::lease::{lease_until, with_lease};
use super::publish::write_create;
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, IngestDecision, poll_backoff};
use crate::domain::id::LeaseId;
use crate::domain::review::ReviewState;
use crate::net::http_client::GetRequest;
use crate::sources::feed;
use crate::store::feeds::{self, PollResult};
use crate::store::lease_renewal::LeaseQueue;
use crate::store::{critics, feed_log, reviews};
use decide::{DocumentIds, FeedPoll};

mod decide;

/// A poll by hand waits while the server polls the same feed: it looks at this interval, this often.
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

/// Polls a feed and releases it; returns what was wrong with it.
async fn poll_claimed(app: &App, feed: &Feed, lease: LeaseId) -> anyhow::Result<Option<String>> {
    let span = tracing::info_span!("poll", feed = feed.name);
    let polling = Box::pin(poll(app, feed).instrument(span));
    let polled = with_lease(app, LeaseQueue::Feeds, lease, polling).await;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let (validators, problem) = match polled {
        Ok(validators) => (validators, None),
        Err(error) => {
            let reason = format!("{error:#}");
            feed_log::append(&mut tx, feed.id, IngestDecision::Failed, &feed.name, &reason, now).await?;
            let kept = Validators { etag: feed.etag.clone(), last_modified: feed.last_modified.clone() };
            (kept, Some(reason))
        }
    };
    let failures = if problem.is_some() { feed.failures.saturating_add(1) } else { 0 };
    let polled = PollResult {
        etag: validators.etag.as_deref(),
        last_modified: validators.last_modified.as_deref(),
        failures,
        next_poll_at: now + if failures == 0 { feed.interval } else { poll_backoff(feed.interval, failures) },
    };
    feeds::finish_poll(&mut tx, feed.id, lease, &polled).await?;
    feed_log::trim(&mut tx, feed.id).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(problem)
}

#[derive(Default)]
struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// The response of a feed.
enum FeedResponse {
    Unchanged(Validators),
    Bytes { bytes: Vec<u8>, base: Url, folder: Option<PathBuf>, validators: Validators },
}

async fn poll(app: &App, feed: &Feed) -> anyhow::Result<Validators> {
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let (bytes, base, folder, validators) = match fetch_feed(app, feed).await? {
        FeedResponse::Unchanged(validators) => {
            return release_held(app, feed, &critic).await.map(|_| validators);
        }
        FeedResponse::Bytes { bytes, base, folder, validators } => (bytes, base, folder, validators),
    };
    let document = tokio::task::spawn_blocking(move || feed::parse(&bytes, &base)).await??;
    let present = DocumentIds::default();
    let mut poll = FeedPoll {
        app,
        feed,
        critic: &critic,
        folder: folder.as_deref(),
        published: 0,
        document_ids: present,
    };
    poll.published = release_held(app, feed, &critic).await?;
    let is_whole = poll.process(document).await?;
    // Without validators the feed is fetched again even if it does not change, for the entries that failed.
    Ok(if is_whole { validators } else { Validators::default() })
}

async fn fetch_feed(app: &App, feed: &Feed) -> anyhow::Result<FeedResponse> {
    if !feed.url.starts_with("https://") {
        let path = app.config_dir.join(&feed.url);
        let path = tokio::fs::canonicalize(&path)
            .await
            .with_context(|| format!("file not found: {}", path.display()))?;
        let size = tokio::fs::metadata(&path).await?.len();
        anyhow::ensure!(
            size <= feed::MAX_DOCUMENT_BYTES as u64,
            "the feed is larger than {} bytes",
            feed::MAX_DOCUMENT_BYTES
        );
        let bytes = tokio::fs::read(&path).await?;
        let base = Url::from_file_path(&path).ok().context("the path of the feed is not absolute")?;
        let folder = path.parent().map(Path::to_owned);
        return Ok(FeedResponse::Bytes { bytes, base, folder, validators: Validators::default() });
    }
    let address = Url::parse(&feed.url).context("the URL of the feed is invalid")?;
    let mut conditions = HeaderMap::new();
    let known = [(header::IF_NONE_MATCH, &feed.etag), (header::IF_MODIFIED_SINCE, &feed.last_modified)];
    for (name, value) in known {
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            conditions.insert(name, value);
        }
    }
    let accept =
        "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5";
    let fetched =
        app.http.get(GetRequest::new(&address, accept, feed::MAX_DOCUMENT_BYTES).headers(conditions)).await?;
    let text =
        |name| fetched.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
    let validators = Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
    if fetched.status == StatusCode::NOT_MODIFIED {
        return Ok(FeedResponse::Unchanged(Validators {
            etag: validators.etag.or_else(|| feed.etag.clone()),
            last_modified: validators.last_modified.or_else(|| feed.last_modified.clone()),
        }));
    }
    anyhow::ensure!(fetched.status.is_success(), "the server responded with {}", fetched.status);
    Ok(FeedResponse::Bytes { bytes: fetched.body.to_vec(), base: fetched.url, folder: None, validators })
}

/// Publishes reviews that an earlier poll held because of its limit, the oldest first; returns their number.
async fn release_held(app: &App, feed: &Feed, critic: &Critic) -> anyhow::Result<u32> {
    if critic.moved_to.is_some() {
        return Ok(0);
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let held = reviews::list_held_by_feed(&mut tx, feed.id, feed.max_publish_per_poll).await?;
    let mut released = 0;
    for review in held {
        // Read again inside the transaction: the critic may have retracted it.
        let Some(mut review) = reviews::find_for_update(&mut tx, review.id).await? else { continue };
        if review.state != ReviewState::Held {
            continue;
        }
        review.release(now)?;
        reviews::upsert(&mut tx, &review, now).await?;
        write_create(app, &mut tx, critic, &review, now).await?;
        feed_log::append(
            &mut tx,
            feed.id,
            IngestDecision::Published,
            &review.content.title,
            "previously held by the poll limit",
            now,
        )
        .await?;
        released += 1;
    }
    if released > 0 {
        tx.commit().await?;
        app.wake.notify();
    }
    Ok(released)
}
