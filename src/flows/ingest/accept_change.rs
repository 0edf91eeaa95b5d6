//! Changes of entries that wait for the critic: they are applied to their reviews, or imported as new ones, and nothing takes
//! their place before.

use anyhow::{Context, ensure};

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, DocumentIds, EntryMatch, identify_by_text};
use super::process_entries::PreparedEntry;
use super::reused_ids::find_identity;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::{IngestDecision, PendingReason};
use crate::domain::id::ReviewId;
use crate::domain::review::Review;
use crate::flows::publish::interaction_counts;
use crate::flows::revise::{self, Revision, RevisionAuthor};
use crate::store::feed_entries::{self, StoredEntry};
use crate::store::{Result, Tx, feed_log, reviews};

impl FeedPoll<'_> {
    /// Applies the change of a review's entry that was kept back. If the critic had to decide, it is applied whole, and corrections
    /// end. Returns the review, if there was such a change.
    pub(super) async fn apply_kept_change(&mut self, review: ReviewId) -> anyhow::Result<Option<ReviewId>> {
        let now = self.app.clock.now();
        let Some((known, source)) = self.find_kept_change(review).await? else { return Ok(None) };
        let author = match known.pending_reason {
            None => return Ok(None),
            Some(PendingReason::UpdateLimit) => RevisionAuthor::Feed,
            Some(PendingReason::Lossy | PendingReason::Corrected) => RevisionAuthor::AcceptedFeed,
        };
        let candidate = source.and_then(|source| self.parse_change(&source, &known));
        let candidate =
            candidate.context("the change was too large to be kept; revise the review by hand")?;
        let PreparedEntry { candidate, media, .. } = self.prepare(candidate).await;
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        self.save_entry(&mut tx, known.id, &candidate, None, None, now).await?;
        let counts = interaction_counts(self.app, review).await?;
        let content = candidate.entry.content;
        let revision = Revision { content, media, author };
        let review =
            revise::apply_revision(self.app, &mut tx, self.critic, review, revision, counts, now).await?;
        let title = &review.content.title;
        let reason = "the feed's version was accepted";
        feed_log::append(&mut tx, self.feed.id, IngestDecision::Revised, title, reason, now).await?;
        tx.commit().await?;
        self.app.wake.notify();
        Ok(Some(review.id))
    }

    /// Imports the change of a review's entry that was kept back into the archive: it is another review. The old one stays as it
    /// is, and what identifies the entry identifies the new one from now on. Returns the review that the entry has, if there was
    /// such a change.
    pub(super) async fn import_kept_change(&self, old: ReviewId) -> anyhow::Result<Option<ReviewId>> {
        let Some((known, source)) = self.find_kept_change(old).await? else { return Ok(None) };
        let review = reviews::find(&self.app.db, old).await?.context("no such review")?;
        let feed = self.feed;
        let mut poll = FeedPoll::new(self.app, feed, self.critic, self.folder, self.base);
        poll.columns = self.columns.clone();
        // Nothing is known to have left the feed: what is only similar to another entry is not that entry.
        poll.document_ids = DocumentIds::default().of_page(&[]);
        let candidate = source.and_then(|source| poll.parse_source(&source));
        let mut candidate =
            candidate.context("the change was too large to be kept; publish the review by hand")?;
        ensure!(
            find_identity(&review, &known, &candidate) != EntryIdentity::Same,
            "it is a change of the same review; to apply it, run: marquee feed accept {}",
            review.slug
        );
        // Whether other entries share an id or a link that is new is not known here; the next poll adds it if not.
        candidate.guid = candidate.guid.filter(|guid| known.guid.as_ref() == Some(guid));
        candidate.url = candidate.url.filter(|url| known.url.as_ref() == Some(url));
        candidate.note = Some("imported as a new review, as you decided");
        candidate.other_than = Some(old);
        let prepared = poll.prepare(candidate).await;
        let mut tx = self.app.db.begin().await?;
        tx.lock(&feed.critic.to_string()).await?;
        // The lock of a review comes before the rows that name it.
        reviews::find_for_update(&mut tx, old).await?;
        let is_kept = feed_entries::find_by_review(&mut tx, feed.id, old)
            .await?
            .is_some_and(|now| now.id == known.id && now.pending_hash == known.pending_hash);
        ensure!(is_kept, "the change has been replaced in the meantime; run `marquee feed held` again");
        let candidate = &prepared.candidate;
        let (guid, url) = (candidate.guid.as_deref(), candidate.url.as_deref());
        feed_entries::release_ids(&mut tx, known.id, guid, url).await?;
        let found = identify_by_text(&mut tx, feed, &poll.document_ids, candidate).await?;
        let known_review = match &found {
            EntryMatch::Known(entry, _) => entry.review_id,
            EntryMatch::Review(review) | EntryMatch::Retracted(review) => Some(*review),
            EntryMatch::New | EntryMatch::SimilarText(_) => None,
        };
        let created = poll.store_entry(&mut tx, prepared, found).await?;
        tx.commit().await?;
        self.app.wake.notify();
        if let Some(created) = &created {
            created.log();
        }
        Ok(created.map(|created| created.id).or(known_review))
    }

    /// Finds the entry of a review with a change that was kept back, and the document of the change, unless that was too large.
    async fn find_kept_change(
        &self,
        review: ReviewId,
    ) -> anyhow::Result<Option<(StoredEntry, Option<String>)>> {
        let mut tx = self.app.db.begin().await?;
        let known = feed_entries::find_by_review(&mut tx, self.feed.id, review).await?;
        let Some(known) = known.filter(|known| known.pending_reason.is_some()) else { return Ok(None) };
        let source = feed_entries::find_pending(&mut tx, known.id).await?;
        Ok(Some((known, source)))
    }

    /// Whether an entry has to wait until another one with its id or link is decided about, which waits already. That one may be
    /// nowhere else any more, while this one is in the feed.
    pub(super) async fn must_wait(
        &self,
        tx: &mut Tx,
        known: &StoredEntry,
        candidate: &Candidate,
    ) -> Result<bool> {
        let (Some(_), Some(id)) = (known.pending_reason, known.review_id) else { return Ok(false) };
        let Some(review) = reviews::read(tx, id).await? else { return Ok(false) };
        if find_identity(&review, known, candidate) == EntryIdentity::Same {
            // The entry is that of the review again.
            return Ok(false);
        }
        let source = feed_entries::find_pending(tx, known.id).await?;
        let Some(kept) = source.and_then(|source| self.parse_source(&source)) else { return Ok(false) };
        let ids = [kept.guid.zip(candidate.guid.clone()), kept.url.zip(candidate.url.clone())];
        let has_other_id = ids.into_iter().flatten().any(|(kept, new)| kept != new);
        let kept = Review { content: kept.entry.content, corrected: Vec::new(), ..review };
        Ok(EntryIdentity::find(&kept, &candidate.entry.content, has_other_id) != EntryIdentity::Same)
    }

    /// Notes that an entry has to wait. Returns whether the log did not say so before.
    pub(super) async fn postpone(&mut self, tx: &mut Tx, candidate: &Candidate) -> Result<bool> {
        self.counts.postponed += 1;
        let reason = "it has the id or link of another entry that waits for your decision, and waits as long as it is \
                      in the feed; to see that one, run: marquee feed held";
        self.note(candidate.position, Some(IngestDecision::Held), reason);
        let (title, now) = (&candidate.entry.content.title, self.app.clock.now());
        feed_log::append_once(tx, self.feed.id, IngestDecision::Held, title, reason, now).await
    }
}
