//! Processes the entries of a page, the new ones many in one transaction: an archive has thousands.

use std::collections::{BTreeSet, HashMap};

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, EntryMatch, candidates, identify};
use super::known_entries::KnownEntries;
use super::new_entry::NewReview;
use super::reused_ids::forget_reused_ids;
use crate::domain::feed::IngestDecision;
use crate::domain::id::ReviewId;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::flows::media_file::lock_name;
use crate::sources::feed::FeedDocument;
use crate::store::{feed_entries, reviews};

/// Entries of one transaction. While it is open, nothing else can be published.
const MAX_ENTRIES: usize = 25;

impl FeedPoll<'_> {
    /// Processes the entries of an older page; returns whether none failed.
    pub(super) async fn process_older_page(&mut self, document: FeedDocument) -> anyhow::Result<bool> {
        self.log_skipped(&document.skipped).await?;
        self.columns = document.columns.clone();
        let (mut candidates, mut document_ids) = candidates(document);
        let mut tx = self.app.db.begin().await?;
        let ids = &mut self.earlier_ids;
        let known = forget_reused_ids(&mut tx, self.feed, &mut candidates, &mut document_ids, ids).await?;
        drop(tx);
        self.document_ids = document_ids.of_page(&[]);
        self.process_all(candidates, &known).await
    }

    /// Processes entries; returns whether none failed.
    pub(super) async fn process_all(
        &mut self,
        candidates: Vec<Candidate>,
        known: &KnownEntries,
    ) -> anyhow::Result<bool> {
        let (mut unknown, changed) = self.split(candidates, known).await?;
        // Each of these locks a review, which no transaction does after it has indexed another.
        let mut is_whole = self.process_each(changed).await?;
        while !unknown.is_empty() {
            let some: Vec<Candidate> = unknown.drain(..unknown.len().min(MAX_ENTRIES)).collect();
            let counts = self.counts;
            let others = match Box::pin(self.create_together(some.clone())).await {
                Ok(others) => others,
                Err(error) => {
                    // One of them failed: each is tried alone.
                    tracing::debug!(error = ?Untrusted::chain(&error), "could not store entries together");
                    self.counts = counts;
                    some
                }
            };
            is_whole &= self.process_each(others).await?;
        }
        Ok(is_whole)
    }

    /// Sorts out entries of this feed that have not changed; returns those whose ids and URLs it does not know, and those that
    /// changed.
    async fn split(
        &mut self,
        candidates: Vec<Candidate>,
        known_entries: &KnownEntries,
    ) -> anyhow::Result<(Vec<Candidate>, Vec<Candidate>)> {
        let (mut unknown, mut changed) = (Vec::new(), Vec::new());
        let mut has_changed = false;
        let mut tx = self.app.db.begin().await?;
        let scheduled: HashMap<ReviewId, Option<Timestamp>> =
            reviews::list_scheduled(&mut tx, self.feed.id).await?.into_iter().collect();
        for candidate in candidates {
            let Some(known) = known_entries.get(&candidate) else {
                unknown.push(candidate);
                continue;
            };
            self.counts.known += 1;
            if candidate.is_pending(known) {
                self.note(candidate.position, Some(IngestDecision::Held), "its change waits already");
            } else if known
                .review_id
                .and_then(|id| *scheduled.get(&id)?)
                .is_some_and(|date| candidate.has_other_date(date))
            {
                changed.push(candidate);
            } else if candidate.is_unchanged(known) {
                self.note(candidate.position, None, "already imported");
                if known.pending_reason.is_some() {
                    feed_entries::clear_pending(&mut tx, known.id).await?;
                    has_changed = true;
                }
            } else if self.must_wait(&mut tx, known, &candidate).await? {
                has_changed |= self.postpone(&mut tx, &candidate).await?;
            } else {
                changed.push(candidate);
            }
        }
        if has_changed {
            tx.commit().await?;
        }
        Ok((unknown, changed))
    }

    /// Stores the new ones of these entries as reviews; returns the others, which are known by their text or from elsewhere.
    async fn create_together(&mut self, candidates: Vec<Candidate>) -> anyhow::Result<Vec<Candidate>> {
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
        let (mut created, mut others) = (Vec::new(), Vec::new());
        for prepared in entries {
            match identify(&mut tx, self.feed, &self.document_ids, &prepared.candidate).await? {
                EntryMatch::Known(known, _) => {
                    self.counts.known += u32::from(known.feed_id == self.feed.id);
                    others.push(prepared.candidate);
                }
                EntryMatch::Review(_) | EntryMatch::Retracted(_) => others.push(prepared.candidate),
                found => created.extend(self.store_entry(&mut tx, prepared, found).await?),
            }
        }
        tx.commit().await?;
        created.iter().for_each(NewReview::log);
        self.app.wake.notify();
        Ok(others)
    }
}
