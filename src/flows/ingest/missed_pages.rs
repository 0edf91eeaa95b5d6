//! Reads on if more entries are new than the first page holds. All that is read is processed together, so that a page that
//! cannot be read makes the whole poll fail: the next one begins with the first page again, and nothing is missed.

use std::collections::HashSet;

use anyhow::bail;
use tokio::sync::watch;
use url::Url;

use super::fetch_feed::{FeedPage, FeedResponse, fetch_page, is_beyond_last_page};
use super::known_ids::is_known;
use super::older_pages::{PageKeys, is_empty_in_the_middle};
use super::select_entries::select_entries;
use crate::domain::content_hash::text_hash;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::FeedEntry;
use crate::flows::App;
use crate::sources::feed::{FeedDocument, MAX_ENTRIES, NextPage, is_guessed};
use crate::store::{Tx, feed_entries, feed_log, reviews};

/// The most pages that are read in one poll, with the first one.
const MAX_PAGES: usize = 50;

/// After this many failed polls in a row, what can be read is processed without the rest.
const MAX_FAILURES: u32 = 5;

/// Adds to the first page, whose entries are selected, those of the pages that follow until one is known, unless the older pages
/// are yet to be read anyway. Returns the page after the last one, or `None` on shutdown.
///
/// # Errors
/// If a page cannot be read.
pub(super) async fn read_missed_pages(
    app: &App,
    feed: &Feed,
    first: &Url,
    document: &mut FeedDocument,
    authors: &mut Option<Vec<String>>,
    mut next: NextPage,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Option<NextPage>> {
    let is_archive_read = feed.pages.read > 0 && feed.pages.next.is_none();
    let mut texts: Option<HashSet<u64>> = None;
    let mut from = 0;
    let mut read = 1;
    while let NextPage::At(url) = &next
        && is_archive_read
        && read < MAX_PAGES
        && is_all_new(app, feed, document, from).await?
    {
        tokio::select! {
            () = tokio::time::sleep(feed.page_interval) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        }
        let page = match read_page(app, feed, first, url).await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if feed.failures < MAX_FAILURES => return Err(error),
            Err(error) => {
                let reason =
                    format!("entries may be missing, since a further page cannot be read: {error:#}");
                let mut tx = app.db.begin().await?;
                let now = app.clock.now();
                feed_log::append(&mut tx, feed.id, IngestDecision::Skipped, &feed.name, &reason, now).await?;
                tx.commit().await?;
                break;
            }
        };
        let mut more = page.document;
        next = more.next_page(&page.url);
        // Some servers ignore the number of a page, and make new ids for each request.
        let texts = texts.get_or_insert_with(|| PageKeys::of(document).texts.into_iter().flatten().collect());
        let mut keys = PageKeys::of(&more).texts.into_iter();
        more.entries.retain(|_| keys.next().flatten().is_none_or(|text| texts.insert(text)));
        if !select_entries(app, feed, &mut more, authors, !document.entries.is_empty()).await? {
            break;
        }
        from = document.entries.len();
        document.append(more);
        read += 1;
        if document.entries.len() == from || document.entries.len() > MAX_ENTRIES {
            break;
        }
    }
    if read > 1 {
        tracing::info!(feed = feed.name, pages = read, "more entries are new than the first page holds");
    }
    Ok(Some(next))
}

/// Reads a page; `None` if there is none.
async fn read_page(app: &App, feed: &Feed, first: &Url, url: &Url) -> anyhow::Result<Option<FeedPage>> {
    match fetch_page(app, feed, url).await {
        Ok(FeedResponse::Page(page)) if page.url.origin() == first.origin() => {
            if is_empty_in_the_middle(&page.document, &page.document.next_page(&page.url)) {
                bail!("{url} is empty, although it links to a next page");
            }
            Ok(Some(*page))
        }
        Ok(FeedResponse::Page(_)) => bail!("{url} redirects to another server"),
        Ok(FeedResponse::Missing(_)) if is_guessed(url) => Ok(None),
        Err(error) if is_beyond_last_page(url, &error) => Ok(None),
        Ok(FeedResponse::Unchanged(_)) => Ok(None),
        Ok(FeedResponse::Missing(status) | FeedResponse::Later { status, .. }) => {
            bail!("the server responded with {status} to {url}")
        }
        Err(error) => Err(error),
    }
}

/// Whether the feed is known, and none of the document's entries from that position on.
async fn is_all_new(app: &App, feed: &Feed, document: &FeedDocument, from: usize) -> anyhow::Result<bool> {
    let mut tx = app.db.begin().await?;
    for entry in document.entries.iter().skip(from) {
        if is_known(&mut tx, feed, entry).await? || is_copy(&mut tx, feed, entry).await? {
            return Ok(false);
        }
    }
    Ok(feed_entries::exists(&mut tx, feed.id).await?)
}

/// Whether an entry of the feed that is known has the same headline and text.
async fn is_copy(tx: &mut Tx, feed: &Feed, entry: &FeedEntry) -> anyhow::Result<bool> {
    let known = feed_entries::find_by_text(tx, feed, &text_hash(&entry.content)).await?;
    let Some(review) = known.filter(|known| known.feed_id == feed.id).and_then(|known| known.review_id)
    else {
        return Ok(false);
    };
    let review = reviews::read(tx, review).await?;
    Ok(review.is_some_and(|review| review.content.title == entry.content.title))
}
