//! Remembers the entries that were in a feed when it was first read, and that are no reviews: empty ones, those that the
//! config does not choose, and those that are no public posts. One that gets a text or a label later, or becomes public, and has no
//! date then, stands above every known entry, and must not look new.

use super::identify::Candidate;
use crate::domain::canonical_url::url_key;
use crate::domain::feed::Feed;
use crate::domain::feed_entry::FeedEntry;
use crate::domain::hash::sha256_hex;
use crate::sources::feed::{ExcludedEntry, FeedDocument};
use crate::store::{Tx, left_out_entries};

/// Returns the hashes of the keys of entries: their ids and URLs, or their titles if they have neither.
pub(super) fn entry_keys<'a>(
    document: &FeedDocument,
    entries: impl IntoIterator<Item = &'a FeedEntry>,
) -> Vec<String> {
    let keys = entries.into_iter().flat_map(|entry| {
        let guid = entry.guid.clone().filter(|guid| !document.shared_guids.contains(guid));
        let url = entry.content.canonical_url.as_ref().map(url_key);
        let url = url.filter(|url| !document.shared_urls.contains(url));
        keys_or_title(guid.as_deref(), url.as_deref(), &entry.content.title)
    });
    keys.collect()
}

/// The same for entries that are no public posts.
pub(super) fn excluded_keys(entries: &[ExcludedEntry]) -> Vec<String> {
    let keys = entries.iter().flat_map(|entry| {
        let url = entry.url.as_ref().map(url_key);
        keys_or_title(entry.guid.as_deref(), url.as_deref(), &entry.name)
    });
    keys.collect()
}

fn keys_or_title(guid: Option<&str>, url: Option<&str>, title: &str) -> Vec<String> {
    let keys = key_hashes(guid, url);
    if keys.is_empty() { vec![title_hash(title)] } else { keys }
}

/// Whether an entry is remembered.
pub(super) async fn was_left_out(tx: &mut Tx, feed: &Feed, candidate: &Candidate) -> anyhow::Result<bool> {
    let mut keys = key_hashes(candidate.guid.as_deref(), candidate.url.as_deref());
    keys.push(title_hash(&candidate.entry.content.title));
    for key in keys {
        if left_out_entries::exists(tx, feed.id, &key).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn key_hashes(guid: Option<&str>, url: Option<&str>) -> Vec<String> {
    let guid = guid.map(|guid| format!("id {guid}"));
    let url = url.map(|url| format!("url {url}"));
    guid.into_iter().chain(url).map(|key| sha256_hex(key.as_bytes())).collect()
}

fn title_hash(title: &str) -> String {
    sha256_hex(format!("title {title}").as_bytes())
}
