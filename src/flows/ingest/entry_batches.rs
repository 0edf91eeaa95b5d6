//! Processes the entries of a page, the new ones many in one transaction: an archive has thousands.

use std::collections::BTreeSet;

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, EntryMatch, candidates, identify};
use super::new_entry::NewReview;
use crate::domain::feed::IngestDecision;
use crate::flows::media_file::lock_name;
use crate::sources::feed::FeedDocument;
use crate::store::feed_entries;

/// Entries of one transaction. While it is open, nothing else can be published.
const MAX_ENTRIES: usize = 25;

impl FeedPoll<'_> {
    /// Processes the entries of an older page; returns whether none failed.
    pub(super) async fn process_older_page(&mut self, document: FeedDocument) -> anyhow::Result<bool> {
        self.log_skipped(&document.skipped).await?;
        self.columns = document.columns.clone();
        let (candidates, document_ids) = candidates(document);
        self.document_ids = document_ids.of_page(&[]);
        self.process_all(candidates).await
    }

    /// Processes entries; returns whether none failed.
    pub(super) async fn process_all(&mut self, candidates: Vec<Candidate>) -> anyhow::Result<bool> {
        let (mut new, changed) = self.split(candidates).await?;
        // Each of these locks a review, which no transaction does after it has indexed another.
        let mut is_whole = self.process_each(changed).await?;
        while !new.is_empty() {
            let some: Vec<Candidate> = new.drain(..new.len().min(MAX_ENTRIES)).collect();
            let counts = self.counts;
            if let Err(error) = Box::pin(self.process_together(some.clone())).await {
                // One of them failed: each is tried alone.
                tracing::debug!(error = format!("{error:#}"), "could not store entries together");
                self.counts = counts;
                is_whole &= self.process_each(some).await?;
            }
        }
        Ok(is_whole)
    }

    /// Sorts out entries that have not changed; returns the new ones and the others.
    async fn split(
        &mut self,
        candidates: Vec<Candidate>,
    ) -> anyhow::Result<(Vec<Candidate>, Vec<Candidate>)> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let mut has_cleared = false;
        let mut tx = self.app.db.begin().await?;
        for candidate in candidates {
            let found = identify(&mut tx, self.feed, &self.document_ids, &candidate).await?;
            match found {
                EntryMatch::New => new.push(candidate),
                EntryMatch::Known(known, _) if known.feed_id == self.feed.id => {
                    self.counts.known += 1;
                    if candidate.is_pending(&known) {
                        self.note(candidate.position, Some(IngestDecision::Held), "its change waits already");
                    } else if candidate.is_unchanged(&known) {
                        self.note(candidate.position, None, "already imported");
                        if known.pending_reason.is_some() {
                            feed_entries::clear_pending(&mut tx, known.id).await?;
                            has_cleared = true;
                        }
                    } else {
                        changed.push(candidate);
                    }
                }
                _ => changed.push(candidate),
            }
        }
        if has_cleared {
            tx.commit().await?;
        }
        Ok((new, changed))
    }

    async fn process_together(&mut self, candidates: Vec<Candidate>) -> anyhow::Result<()> {
        let mut entries = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            entries.push(self.prepare(candidate).await);
        }
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        // What the entries lock one after another is locked before, in the order of all transactions.
        tx.lock("slugs").await?;
        let names: BTreeSet<&str> = entries.iter().flat_map(|entry| entry.media.names()).collect();
        for name in names {
            lock_name(&mut tx, name).await?;
        }
        let mut created = Vec::new();
        for prepared in entries {
            created.extend(self.store_entry(&mut tx, prepared).await?);
        }
        tx.commit().await?;
        created.iter().for_each(NewReview::log);
        self.app.wake.notify();
        Ok(())
    }
}
