//! Handles entries that are known: one that changed revises its review.

use super::feed_poll::FeedPoll;
use super::identify::Candidate;
use crate::domain::feed::IngestDecision;
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::review::ReviewState;
use crate::flows::publish::interaction_counts;
use crate::flows::review_media::ReviewMedia;
use crate::flows::revise;
use crate::store::feed_entries::StoredEntry;
use crate::store::{Tx, feed_log, reviews};

impl FeedPoll<'_> {
    /// Handles a known entry, which may have changed or have a new id.
    pub(super) async fn update_known(
        &self,
        tx: &mut Tx,
        candidate: Candidate,
        known: &StoredEntry,
        by: &str,
        media: ReviewMedia,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        if known.feed_id != self.feed.id {
            self.save_entry(tx, EntryId::new(now), &candidate, known.review_id, None, now).await?;
            let reason = format!("already imported from another feed (same {by}), which remains its source");
            let title = &candidate.entry.content.title;
            feed_log::append(tx, self.feed.id, IngestDecision::Matched, title, &reason, now).await?;
            return Ok(());
        }
        self.save_entry(tx, known.id, &candidate, None, None, now).await?;
        let title = candidate.entry.content.title.clone();
        let review = match known.review_id {
            Some(id) => reviews::find_for_update(tx, id).await?,
            None => None,
        };
        let (decision, reason) = match review {
            None => (IngestDecision::Skipped, "the entry has no review".to_owned()),
            Some(review) if review.state == ReviewState::Retracted => {
                (IngestDecision::Skipped, "the review was retracted".to_owned())
            }
            Some(review) if review.feed != Some(self.feed.id) => {
                (IngestDecision::Skipped, "the review has another source".to_owned())
            }
            Some(_) if known.content_hash == candidate.content_hash => {
                (IngestDecision::Matched, format!("already imported (same {by}); its id or URL changed"))
            }
            Some(review) => {
                let counts = interaction_counts(self.app, review.id).await?;
                let content = candidate.entry.content;
                let mut review =
                    revise::apply_revision(self.app, tx, self.critic, review.id, content, media, counts, now)
                        .await?;
                if review.state == ReviewState::Scheduled && review.original_date < self.feed.publish_since {
                    review.state = ReviewState::Archive;
                    reviews::upsert(tx, &review, now).await?;
                }
                (IngestDecision::Revised, format!("already imported (same {by}); its contents changed"))
            }
        };
        feed_log::append(tx, self.feed.id, decision, &title, &reason, now).await?;
        Ok(())
    }

    /// Links an entry to a review that exists already and is of no feed's entry.
    pub(super) async fn link_to_review(
        &self,
        tx: &mut Tx,
        candidate: &Candidate,
        review: ReviewId,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        self.save_entry(tx, EntryId::new(now), candidate, Some(review), None, now).await?;
        let reason = "a review with this URL already exists";
        feed_log::append(
            tx,
            self.feed.id,
            IngestDecision::Matched,
            &candidate.entry.content.title,
            reason,
            now,
        )
        .await?;
        Ok(())
    }
}
