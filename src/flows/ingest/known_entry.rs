//! Handles entries that are known: one that changed revises its review.

use super::entry_change::EntryChange;
use super::feed_poll::FeedPoll;
use super::identify::Candidate;
use super::process_entries::PreparedEntry;
use super::reused_ids::find_identity;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::{IngestDecision, PendingReason};
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::review::{ContentField, Review, ReviewState};
use crate::flows::publish::interaction_counts;
use crate::flows::review_media::ReviewMedia;
use crate::flows::revise::{self, Revision, RevisionAuthor};
use crate::store::feed_entries::{self, PendingChange, StoredEntry};
use crate::store::{Tx, feed_log, feeds, reviews};

/// Changes that are applied in one poll, however high its limit is.
const MAX_APPLIED: u32 = 100;

impl FeedPoll<'_> {
    /// Handles a known entry, which may have changed or have a new id.
    pub(super) async fn update_known(
        &mut self,
        tx: &mut Tx,
        candidate: Candidate,
        known: &StoredEntry,
        by: &str,
        media: ReviewMedia,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let is_moved = known.feed_id != self.feed.id && self.take_over(tx, known).await?;
        if known.feed_id != self.feed.id && !is_moved {
            self.save_entry(tx, EntryId::new(now), &candidate, known.review_id, None, now).await?;
            let reason = format!("already imported from another feed (same {by}), which remains its source");
            self.log(tx, &candidate, IngestDecision::Matched, &reason).await?;
            return Ok(());
        }
        let review = match known.review_id {
            Some(id) => reviews::find_for_update(tx, id).await?,
            None => None,
        };
        let is_rescheduled = review.as_ref().is_some_and(|review| is_rescheduled(review, &candidate));
        if known.feed_id == self.feed.id && candidate.is_unchanged(known) && !is_rescheduled {
            // It was recognized by its text, or another worker has stored it.
            if known.pending_reason.is_some() {
                feed_entries::clear_pending(tx, known.id).await?;
            }
            return Ok(());
        }
        let is_same = known.content_hash == candidate.content_hash && !is_rescheduled;
        let (decision, reason) = match review {
            None => (IngestDecision::Skipped, "the entry has no review".to_owned()),
            Some(review) if review.state == ReviewState::Retracted => {
                (IngestDecision::Skipped, "the review was retracted".to_owned())
            }
            Some(review) if review.feed != Some(self.feed.id) => {
                (IngestDecision::Skipped, "the review has another source".to_owned())
            }
            Some(_) if is_same => {
                (IngestDecision::Matched, format!("already imported (same {by}); its id or URL changed"))
            }
            Some(review) => return self.change_review(tx, candidate, known, review, by, media).await,
        };
        self.save_entry(tx, known.id, &candidate, None, None, now).await?;
        Ok(self.log(tx, &candidate, decision, &reason).await?)
    }

    /// Takes over an entry, with its review, of a feed that is not in the config any more. What this feed does not have stays as it
    /// is: it may be by others. Returns whether it did.
    async fn take_over(&mut self, tx: &mut Tx, entry: &StoredEntry) -> anyhow::Result<bool> {
        if feeds::find(tx, entry.feed_id).await?.is_some() {
            return Ok(false);
        }
        let Some(old) = feeds::find_even_removed(tx, entry.feed_id).await? else { return Ok(false) };
        if let Some(review) = entry.review_id {
            // The lock of a review comes before the rows that name it.
            reviews::find_for_update(tx, review).await?;
        }
        feed_entries::move_entry(tx, entry, self.feed.id).await?;
        let reason = format!("took over entries of “{}”, which is not in the config any more", old.name);
        let (decision, now) = (IngestDecision::Matched, self.app.clock.now());
        feed_log::append_once(tx, self.feed.id, decision, &self.feed.name, &reason, now).await?;
        Ok(true)
    }

    /// Takes over what this feed has in common with feeds that are not in the config any more.
    pub(super) async fn take_over_predecessors(&mut self) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        let entries = feed_entries::list_of_predecessors(&mut tx, self.feed).await?;
        if entries.is_empty() {
            return Ok(());
        }
        tx.lock(&self.feed.critic.to_string()).await?;
        for entry in &entries {
            self.take_over(&mut tx, entry).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Handles the new content of a known entry.
    async fn change_review(
        &mut self,
        tx: &mut Tx,
        candidate: Candidate,
        known: &StoredEntry,
        mut review: Review,
        by: &str,
        media: ReviewMedia,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        match self.decide_change(tx, known, &review, &candidate, &media).await? {
            EntryChange::Wait(reason, text) => {
                self.keep_back(tx, &candidate, known, &review, (reason, text)).await?;
            }
            EntryChange::Mend(kept) => {
                let reason =
                    "this version of Marquee reads it better; its page is mended, and nothing is sent";
                self.note(candidate.position, None, reason);
                self.save_entry(tx, known.id, &candidate, None, None, now).await?;
                review.corrected = kept;
                revise::mend(self.app, tx, review, candidate.entry.content, media, now).await?;
                self.counts.mended += 1;
            }
            EntryChange::ReviseSilently => {
                self.save_entry(tx, known.id, &candidate, None, None, now).await?;
                let reason = format!(
                    "already imported (same {by}); its contents are others in this backup; nothing was sent to followers"
                );
                self.log(tx, &candidate, IngestDecision::Revised, &reason).await?;
                revise::mend(self.app, tx, review, candidate.entry.content, media, now).await?;
            }
            EntryChange::Revise => {
                self.save_entry(tx, known.id, &candidate, None, None, now).await?;
                if review.state.is_public()
                    && !revise::is_visible(self.app, &review, &candidate.entry.content, &media)
                {
                    let reason =
                        format!("already imported (same {by}); only what you have corrected changed");
                    return Ok(self.log(tx, &candidate, IngestDecision::Matched, &reason).await?);
                }
                let what = if is_rescheduled(&review, &candidate) { "date" } else { "contents" };
                let reason = format!("already imported (same {by}); its {what} changed");
                self.log(tx, &candidate, IngestDecision::Revised, &reason).await?;
                let content = candidate.entry.content;
                let revision = Revision { content, media, author: RevisionAuthor::Feed };
                let counts = interaction_counts(self.app, review.id).await?;
                // A scheduled one whose new date is past is released, or archived if it is old, by the worker.
                revise::apply_revision(self.app, tx, self.critic, review.id, revision, counts, now).await?;
            }
        }
        Ok(())
    }

    /// Keeps a change back, for a reason that the log gives.
    async fn keep_back(
        &mut self,
        tx: &mut Tx,
        candidate: &Candidate,
        known: &StoredEntry,
        review: &Review,
        (reason, text): (PendingReason, String),
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        // What may be another review does not take over the id and the link.
        let is_same = find_identity(review, known, candidate) == EntryIdentity::Same;
        let change = PendingChange {
            entry: known.id,
            guid: candidate.guid.as_deref().filter(|_| is_same),
            url: candidate.url.as_deref().filter(|_| is_same),
            source: &candidate.entry.source,
            content_hash: &candidate.content_hash,
            reason,
        };
        feed_entries::save_pending(tx, &change, now).await?;
        self.note(candidate.position, Some(IngestDecision::Held), &text);
        let text = match reason {
            PendingReason::UpdateLimit => text,
            PendingReason::Lossy if !is_same => {
                let accept = format!("marquee feed accept {}", review.slug);
                format!(
                    "{text}; to import it as a new review, run: {accept} --as-new; to replace the review by it: {accept}"
                )
            }
            PendingReason::Lossy | PendingReason::Corrected => {
                format!("{text}; to apply the feed's version, run: marquee feed accept {}", review.slug)
            }
        };
        let title = &candidate.entry.content.title;
        feed_log::append_once(tx, self.feed.id, IngestDecision::Held, title, &text, now).await?;
        Ok(())
    }

    /// Applies changes that earlier polls kept back because of the limit, the oldest first.
    pub(super) async fn apply_pending(&mut self) -> anyhow::Result<()> {
        let waiting = {
            let mut tx = self.app.db.begin().await?;
            feed_entries::list_pending(&mut tx, self.feed.id, MAX_APPLIED).await?
        };
        for known in waiting {
            let mut tx = self.app.db.begin().await?;
            if self.has_reached_update_limit(&mut tx).await? {
                break;
            }
            let hash = known.pending_hash.as_deref().unwrap_or_default();
            let repetition = match known.review_id {
                Some(review) => self.find_repetition(&mut tx, &known, review, hash).await?,
                None => None,
            };
            drop(tx);
            if repetition.is_some() {
                continue;
            }
            if let Err(error) = Box::pin(self.apply_pending_change(&known)).await {
                // A change that cannot be applied stops neither the others nor the poll.
                let reason = format!("could not apply a change that waited: {error:#}");
                let (now, name) = (self.app.clock.now(), &self.feed.name);
                let mut tx = self.app.db.begin().await?;
                feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, name, &reason, now)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn apply_pending_change(&mut self, known: &StoredEntry) -> anyhow::Result<()> {
        let mut tx = self.app.db.begin().await?;
        let source = feed_entries::find_pending(&mut tx, known.id).await?;
        let Some(candidate) = source.and_then(|source| self.parse_change(&source, known)) else {
            // It is read again when the feed changes.
            feed_entries::clear_pending(&mut tx, known.id).await?;
            return Ok(tx.commit().await?);
        };
        drop(tx);
        let PreparedEntry { candidate, media, .. } = self.prepare(candidate).await;
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        feed_entries::clear_pending(&mut tx, known.id).await?;
        self.update_known(&mut tx, candidate, known, "id", media).await?;
        tx.commit().await?;
        self.app.wake.notify();
        Ok(())
    }

    /// Links an entry to a review that exists already and has another source, or was retracted.
    pub(super) async fn link_to_review(
        &mut self,
        tx: &mut Tx,
        candidate: &Candidate,
        review: ReviewId,
        (decision, reason): (IngestDecision, &str),
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        self.save_entry(tx, EntryId::new(now), candidate, Some(review), None, now).await?;
        Ok(self.log(tx, candidate, decision, reason).await?)
    }
}

/// Whether a scheduled review has another date in its feed now.
fn is_rescheduled(review: &Review, candidate: &Candidate) -> bool {
    review.state == ReviewState::Scheduled
        && !review.corrected.contains(&ContentField::Published)
        && review.content.published.is_some_and(|date| candidate.has_other_date(date))
}
