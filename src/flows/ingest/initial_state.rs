//! Decides the state of a new review: published, held, scheduled or archived.

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, MAX_SIMILAR};
use crate::domain::feed::{HoldReason, IngestDecision, NEVER_SENDS};
use crate::domain::review::{Review, ReviewState};
use crate::domain::similar_reviews::is_similar;
use crate::domain::time::Timestamp;
use crate::store::{Result, Tx, fingerprints, reviews};

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
        let may_be_new = candidate.entry.published_before.is_none_or(|end| end > self.feed.publish_since);
        may_be_new
            && self.feed.is_read()
            && self.newest_known.is_some_and(|first| candidate.position < first)
            && !self.left_out.contains(&candidate.position)
    }

    /// Decides the state of a new review.
    pub(super) async fn choose_state(
        &self,
        tx: &mut Tx,
        candidate: &Candidate,
        duplicate: Option<&Review>,
        now: Timestamp,
    ) -> Result<InitialState> {
        let wanted = self.state_without_limit(candidate, duplicate, now);
        if wanted.state != ReviewState::Published || !self.has_reached_publish_limit(tx).await? {
            return Ok(wanted);
        }
        let limit = self.feed.max_publish_per_poll;
        Ok(InitialState {
            state: ReviewState::Held,
            decision: IngestDecision::Held,
            hold_reason: Some(HoldReason::NextPoll),
            reason: if self.feed.never_sends() {
                NEVER_SENDS.to_owned()
            } else {
                format!("limit of {limit} reviews per interval reached; a poll after it will publish it")
            },
        })
    }

    /// The state that a new review has if the feed may publish as many as it wants.
    fn state_without_limit(
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
        if candidate.other_than.is_some() {
            // It was kept back for any time, and what the feed's other dates say about its date is not known any more.
            let reason = "it was kept back".to_owned();
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        if candidate.entry.is_exported {
            let reason = "from an export or a backup of a blog".to_owned();
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        let similar = duplicate.map(|other| {
            format!("similar to “{}”, {}", other.content.title, self.app.origin.review_page(other))
        });
        let is_undated = published.is_none() && !self.is_new_without_date(candidate);
        if is_undated || date < since {
            let reason = match (is_undated, note) {
                (true, note) => format!("it may be old: {}", note.unwrap_or("it has no date")),
                (false, None) => format!("older than publish_since ({since})"),
                (false, Some(note)) => format!("older than publish_since ({since}); {note}"),
            };
            // An archived review is sent to nobody, so that a duplicate disturbs nobody.
            let reason = similar.map_or_else(|| reason.clone(), |similar| format!("{reason}; {similar}"));
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        if self.is_older_page && date <= now {
            // Only the newest entries are on the first page, where the rules of a first poll apply.
            let reason = "it is on an older page of the feed".to_owned();
            return with_state(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        if let Some(similar) = similar {
            return held(HoldReason::Similar, similar);
        }
        if let Some(target) = &self.critic.moved_to {
            return held(HoldReason::NextPoll, format!("the critic has moved to {target}"));
        }
        if date > now {
            let reason = format!("dated in the future; will be published at {date}");
            return with_state(ReviewState::Scheduled, IngestDecision::Scheduled, reason);
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
        let mut others =
            reviews::list_by_film(tx, self.feed.critic, &content.film.title, &content.title).await?;
        for id in
            fingerprints::find_similar(tx, self.feed.critic, candidate.fingerprint(), MAX_SIMILAR).await?
        {
            others.extend(reviews::read(tx, id).await?);
        }
        let others = others.into_iter().filter(|other| {
            other.state != ReviewState::Retracted && !candidate.is_other_than(Some(other.id))
        });
        Ok(others.into_iter().find(|other| is_similar(&other.content, content)))
    }
}
