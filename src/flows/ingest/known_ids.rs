//! Whether entries were imported before, by their ids and URLs alone: before it is known which entries are reviews at all.

use super::reused_ids::compare;
use crate::domain::canonical_url::url_key;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::Feed;
use crate::domain::feed_entry::FeedEntry;
use crate::flows::App;
use crate::store::{Tx, feed_entries, reviews};

/// Keeps the entries that were imported before.
pub(super) async fn keep_known(
    app: &App,
    feed: &Feed,
    entries: Vec<FeedEntry>,
) -> anyhow::Result<Vec<FeedEntry>> {
    let mut known = Vec::new();
    let mut tx = app.db.begin().await?;
    for entry in entries {
        if is_known(&mut tx, feed, &entry).await? {
            known.push(entry);
        }
    }
    Ok(known)
}

/// Whether an entry was imported from this feed before, by its id or URL. Another entry that has these is not known.
pub(super) async fn is_known(tx: &mut Tx, feed: &Feed, entry: &FeedEntry) -> anyhow::Result<bool> {
    let by_guid = match &entry.guid {
        Some(guid) => feed_entries::find_by_guid(tx, feed.id, guid).await?,
        None => None,
    };
    let url = entry.content.canonical_url.as_ref().map(url_key);
    let found = match (by_guid, &url) {
        (None, Some(url)) => feed_entries::find_by_url(tx, feed, url).await?,
        (found, _) => found,
    };
    let Some(found) = found.filter(|found| found.feed_id == feed.id) else { return Ok(false) };
    let review = match found.review_id {
        Some(id) => reviews::read(tx, id).await?,
        None => None,
    };
    let ids = (entry.guid.as_deref(), url.as_deref());
    Ok(review.is_none_or(|review| compare(&review, &found, ids, &entry.content) == EntryIdentity::Same))
}
