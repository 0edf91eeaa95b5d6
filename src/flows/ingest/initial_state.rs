//! Decides the state of a new review: published, held, scheduled or archived.

use super::feed_poll::FeedPoll;
use super::identify::Candidate;
use crate::domain::feed::{HoldReason, IngestDecision};
use crate::domain::review::{Review, ReviewState};
use crate::domain::similar_reviews::is_similar;
use crate::domain::time::Timestamp;
use crate::store::{Tx, reviews};

/// The state of a new review, and why it has that state.
pub(super) struct InitialState {
    pub(super) state: ReviewState,
    pub(super) decision: IngestDecision,
    pub(super) hold_reason: Option<HoldReason>,
    /// For the log of the feed.
    pub(super) reason: String,
}

impl FeedPoll<'_> {
    /// Whether an entry without a date is new: the feed was read to its last page before this entry was in it, and the entry
    /// stands above every entry that was known before.
    fn is_new_without_date(&self, candidate: &Candidate) -> bool {
        self.feed.is_read() && self.newest_known.is_some_and(|first| candidate.position < first)
    }

    /// Decides the state of a new review.
    pub(super) fn choose_state(
        &self,
        candidate: &Candidate,
        duplicate: Option<&Review>,
        now: Timestamp,
    ) -> InitialState {
        let held = |hold_reason, reason| InitialState {
            state: ReviewState::Held,
            decision: IngestDecision::Held,
            hold_reason: Some(hold_reason),
            reason,
        };
        let with_state =
            |state, decision, reason| InitialState { state, decision, hold_reason: None, reason };
        let since = self.feed.publish_since;
        let published = candidate.entry.content.published;
        let date = published.unwrap_or(now);
        let note = candidate.entry.date_note.as_deref();
        if candidate.entry.is_exported {
            let reason = "from an export or a backup of a blog".to_owned();
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        if published.is_none() && !self.is_new_without_date(candidate) {
            let reason = format!("it may be old: {}", note.unwrap_or("it has no date"));
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        if let Some(other) = duplicate {
            return held(HoldReason::Similar, format!("similar to {}", self.app.origin.review_page(other)));
        }
        if let Some(target) = self.critic.moved_to.as_ref().filter(|_| date >= since) {
            return held(HoldReason::NextPoll, format!("the critic has moved to {target}"));
        }
        if date > now {
            let reason = format!("dated in the future; will be published at {date}");
            return with_state(ReviewState::Scheduled, IngestDecision::Scheduled, reason);
        }
        if date < since {
            let note = note.map(|note| format!("; {note}")).unwrap_or_default();
            let reason = format!("older than publish_since ({since}){note}");
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        let limit = self.feed.max_publish_per_poll;
        if self.published >= limit {
            let reason = format!("limit of {limit} reviews per poll reached; a later poll will publish it");
            return held(HoldReason::NextPoll, reason);
        }
        let reason = note.map_or_else(|| "new".to_owned(), |note| format!("new; {note}"));
        with_state(ReviewState::Published, IngestDecision::Published, reason)
    }

    /// A review that the entry may be a duplicate of.
    pub(super) async fn find_similar(
        &self,
        tx: &mut Tx,
        candidate: &Candidate,
    ) -> anyhow::Result<Option<Review>> {
        let content = &candidate.entry.content;
        let others = reviews::list_by_film(tx, self.feed.critic, &content.film.title, &content.title).await?;
        Ok(others.into_iter().find(|other| is_similar(&other.content, content)))
    }
}
