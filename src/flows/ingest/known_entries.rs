//! Looks up the stored entries that a page has, all together.

use std::collections::HashMap;

use super::identify::Candidate;
use crate::domain::id::FeedId;
use crate::store::feed_entries::{self, StoredEntry};
use crate::store::{Result, Tx};

/// The stored entries of a feed that have the id or the URL of an entry of a page.
pub(super) struct KnownEntries {
    by_guid: HashMap<String, StoredEntry>,
    by_url: HashMap<String, StoredEntry>,
}

impl KnownEntries {
    pub(super) async fn find(tx: &mut Tx, feed: FeedId, candidates: &[Candidate]) -> Result<Self> {
        let guids: Vec<&str> = candidates.iter().filter_map(|candidate| candidate.guid.as_deref()).collect();
        let mut by_guid = HashMap::new();
        for entry in feed_entries::list_by_guids(tx, feed, &guids).await? {
            if let Some(guid) = entry.guid.clone() {
                by_guid.entry(guid).or_insert(entry);
            }
        }
        let urls: Vec<&str> = candidates.iter().filter_map(|candidate| candidate.url.as_deref()).collect();
        let mut by_url = HashMap::new();
        for entry in feed_entries::list_by_urls(tx, feed, &urls).await? {
            if let Some(url) = entry.url.clone() {
                by_url.entry(url).or_insert(entry);
            }
        }
        Ok(Self { by_guid, by_url })
    }

    /// The entry with the same id in the feed.
    pub(super) fn by_guid(&self, candidate: &Candidate) -> Option<&StoredEntry> {
        candidate.guid.as_ref().and_then(|guid| self.by_guid.get(guid))
    }

    /// The entry with the same URL.
    pub(super) fn by_url(&self, candidate: &Candidate) -> Option<&StoredEntry> {
        candidate.url.as_ref().and_then(|url| self.by_url.get(url))
    }

    pub(super) fn get(&self, candidate: &Candidate) -> Option<&StoredEntry> {
        self.by_guid(candidate).or_else(|| self.by_url(candidate))
    }
}
