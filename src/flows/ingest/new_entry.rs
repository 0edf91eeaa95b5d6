//! Turns new entries into reviews.

use super::feed_poll::FeedPoll;
use super::identify::Candidate;
use super::initial_state::InitialState;
use crate::domain::feed::HoldReason;
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::review::{Review, ReviewState};
use crate::domain::untrusted::Untrusted;
use crate::flows::publish::{new_review, write_create};
use crate::flows::review_media::ReviewMedia;
use crate::store::{Tx, feed_entries, feed_log, pending_images, reviews};

/// The review of a new entry.
pub(super) struct NewReview {
    pub(super) id: ReviewId,
    state: ReviewState,
    /// Why it has that state.
    reason: String,
}

impl NewReview {
    /// Logs it, once it is committed. The first poll of a feed archives thousands.
    pub(super) fn log(&self) {
        let Self { id, state, reason } = self;
        if *state == ReviewState::Archive {
            tracing::debug!(review = %id, reason = ?Untrusted::new(&reason), "review archived");
        } else {
            tracing::info!(review = %id, %state, reason = ?Untrusted::new(&reason), "review added");
        }
    }
}

impl FeedPoll<'_> {
    /// Stores a new entry and its review.
    pub(super) async fn create_review(
        &mut self,
        tx: &mut Tx,
        candidate: Candidate,
        doubtful: Option<ReviewId>,
        media: ReviewMedia,
        language_note: Option<String>,
    ) -> anyhow::Result<NewReview> {
        let now = self.app.clock.now();
        let content = &candidate.entry.content;
        let duplicate = match doubtful {
            Some(other) => reviews::read(tx, other).await?,
            None => self.find_similar(tx, &candidate).await?,
        };
        let InitialState { state, decision, hold_reason, reason } =
            self.choose_state(tx, &candidate, duplicate.as_ref(), now).await?;
        let notes = [language_note.as_deref(), candidate.note];
        let reason = notes.into_iter().flatten().fold(reason, |reason, note| format!("{reason}; {note}"));
        let review =
            new_review(self.app, tx, self.feed.critic, content.clone(), Some(self.feed.id), state, now)
                .await?;
        let pending = media.pending_body().map(str::to_owned);
        let mut review = Review { poster: media.save(tx, now).await?, ..review };
        if state == ReviewState::Archive && content.published.is_none() {
            // What may be old is not shown as the newest.
            review.original_date = review.original_date.min(self.feed.publish_since);
            review.released_at = review.original_date;
        }
        reviews::upsert(tx, &review, now).await?;
        if let Some(body) = pending {
            pending_images::upsert(tx, review.id, &body, now).await?;
        }
        if state == ReviewState::Published {
            write_create(self.app, tx, self.critic, &review, now).await?;
        }
        if self.has_pending {
            feed_entries::clear_pending_with_hash(tx, self.feed.id, &candidate.content_hash).await?;
        }
        self.save_entry(tx, EntryId::new(now), &candidate, Some(review.id), hold_reason, now).await?;
        self.note(candidate.position, Some(decision), &reason);
        let reason = match hold_reason {
            Some(HoldReason::Similar) => {
                format!("{reason}; to publish this review, run: marquee feed release {}", review.slug)
            }
            _ => reason,
        };
        if state == ReviewState::Archive {
            self.counts.archived += 1;
        }
        let is_unreadable = content.published.is_none() && candidate.entry.date_note.is_some();
        if state != ReviewState::Archive || !self.is_older_page || is_unreadable || duplicate.is_some() {
            feed_log::append(tx, self.feed.id, decision, &content.title, &reason, now).await?;
        }
        Ok(NewReview { id: review.id, state, reason })
    }
}
