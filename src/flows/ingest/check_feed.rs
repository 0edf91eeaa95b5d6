//! Says what a poll would do with each entry of a feed. This is the poll of the first page itself, but on a copy of the site
//! ([`app::open_copy`](crate::app::open_copy)), which nothing leaves: no worker delivers from it, and no image is fetched.

use std::collections::HashSet;

use anyhow::{Context, bail};
use tokio::sync::watch;
use url::Url;

use super::feed_poll::FeedPoll;
use super::fetch_feed::{FeedPage, FeedResponse, fetch_feed};
use super::missed_pages::read_missed_pages;
use super::read_at;
use super::select_entries::select_entries;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::FeedEntry;
use crate::flows::App;
use crate::sources::feed::{FeedFormat, NextPage};
use crate::store::feed_log::{self, FeedLogLine};
use crate::store::{critics, feeds};

/// What a poll would do.
#[derive(Debug)]
pub struct FeedCheck {
    /// The feed, as the poll would find it.
    pub feed: Feed,
    /// The URL of the document, after redirects.
    pub url: Url,
    /// The title of the feed.
    pub title: Option<String>,
    /// Its language.
    pub language: Option<String>,
    /// Its format.
    pub format: FeedFormat,
    /// The encoding of the document, if it had to be guessed.
    pub guessed_charset: Option<&'static str>,
    /// The zone in which dates without a zone were read; `None` if it has no name.
    pub zone: Option<String>,
    /// The page after those that the poll reads for new entries, which is the first one if any of its entries is known.
    pub next: NextPage,
    /// The entries that are reviews, in the order of the feed.
    pub entries: Vec<CheckedEntry>,
    /// The entries that are left out, each by its title, with the reason.
    pub left_out: Vec<(String, String)>,
    /// What the log of the feed would say besides.
    pub lines: Vec<FeedLogLine>,
}

/// An entry, and what a poll would do with it.
#[derive(Debug)]
pub struct CheckedEntry {
    /// The entry.
    pub entry: FeedEntry,
    /// The decision; `None` if nothing would change.
    pub decision: Option<IngestDecision>,
    /// The reason, as the log of the feed would give it.
    pub reason: String,
}

/// Checks the feed with this name, which the copy of the site has.
///
/// # Errors
/// If the feed cannot be read.
pub async fn check_feed(app: &App, name: &str) -> anyhow::Result<FeedCheck> {
    let all = feeds::list_all(&app.db).await?;
    let feed = all.into_iter().find(|feed| feed.name == name).context("no such feed")?;
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let page = match fetch_feed(app, &feed, false).await? {
        FeedResponse::Page(page) => *page,
        FeedResponse::Unchanged(_) => bail!("the server responded without a document"),
        FeedResponse::Missing(status) => bail!("the server responded with {status}"),
        FeedResponse::Later { status, delay } => {
            bail!("the server responded with {status} and asks to wait for {} seconds", delay.as_secs())
        }
    };
    let FeedPage { mut document, url, folder, .. } = page;
    let feed = read_at(app, &feed, &url)?;
    let next = document.next_page(&url);
    let (title, language) = (document.title.clone(), document.language.clone());
    let (format, guessed_charset, zone) = (document.format, document.guessed_charset, document.zone.clone());
    let mut authors = feed.authors.clone();
    let next = if select_entries(app, &feed, &mut document, &mut authors, false).await? {
        let (_running, stop) = watch::channel(false);
        read_missed_pages(app, &feed, &url, &mut document, &mut authors, next.clone(), stop)
            .await?
            .unwrap_or(next)
    } else {
        next
    };
    let (entries, mut left_out) = (document.entries.clone(), std::mem::take(&mut document.left_out));
    left_out.extend(document.skipped.iter().cloned());
    let mut poll = FeedPoll::start(app, &feed, &critic, folder.as_deref(), &url).await?;
    poll.decisions = Some(Vec::new());
    Box::pin(poll.process_first_page(document, next != NextPage::None)).await?;
    poll.log_counts().await?;
    let mut decisions = poll.decisions.take().unwrap_or_default();
    decisions.sort_by_key(|decision| decision.position);
    let mut decisions = decisions.into_iter().peekable();
    let mut checked = Vec::with_capacity(entries.len());
    for (position, entry) in entries.into_iter().enumerate() {
        if let Some(decided) = decisions.next_if(|decided| decided.position == position) {
            checked.push(CheckedEntry { entry, decision: decided.decision, reason: decided.reason });
        }
    }
    let lines = list_other_lines(app, name, &checked, &left_out).await?;
    Ok(FeedCheck {
        feed,
        url,
        title,
        language,
        format,
        guessed_charset,
        zone,
        next,
        entries: checked,
        left_out,
        lines,
    })
}

/// The lines of the log that say nothing about these entries.
async fn list_other_lines(
    app: &App,
    name: &str,
    checked: &[CheckedEntry],
    left_out: &[(String, String)],
) -> anyhow::Result<Vec<FeedLogLine>> {
    let decided = checked
        .iter()
        .filter_map(|checked| Some((checked.entry.content.title.as_str(), checked.decision?.as_str())));
    let skipped = left_out.iter().map(|(title, _)| (title.as_str(), IngestDecision::Skipped.as_str()));
    let known: HashSet<(&str, &str)> = decided.chain(skipped).collect();
    let mut lines = feed_log::list_newest(&app.db, Some(name), u32::MAX).await?;
    lines.retain(|line| !known.contains(&(line.subject.as_str(), line.decision.as_str())));
    Ok(lines)
}
