//! Decides what to do about the new content of a known entry: apply it, keep it back, or change the page silently because
//! only Marquee's reading of the entry is new.

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, candidates};
use crate::domain::content_fields::differing_fields;
use crate::domain::content_hash::content_hash;
use crate::domain::feed::PendingReason;
use crate::domain::lossy_change::LossyChange;
use crate::domain::review::{ContentField, Review, ReviewContent, ReviewState};
use crate::flows::review_media::ReviewMedia;
use crate::sources::feed::{self, FeedSource};
use crate::store::Tx;
use crate::store::feed_entries::{self, EntrySource, StoredEntry};

/// What to do about the new content of an entry.
pub(super) enum EntryChange {
    /// The entry is the same, but this version of Marquee reads it differently. The fields are kept as they are.
    Mend(Vec<ContentField>),
    /// The feed changed the review, and the change is applied.
    Revise,
    /// The same, but nothing is sent: a backup says what the blog was when it was made.
    ReviseSilently,
    /// The change waits, for a reason that the log gives.
    Wait(PendingReason, String),
}

impl FeedPoll<'_> {
    /// Decides about the new content of an entry.
    pub(super) async fn decide_change(
        &self,
        tx: &mut Tx,
        known: &StoredEntry,
        review: &Review,
        candidate: &Candidate,
        media: &ReviewMedia,
    ) -> anyhow::Result<EntryChange> {
        let new = &candidate.entry.content;
        let old = match feed_entries::find_source(tx, known.id).await? {
            EntrySource::Unknown => return Ok(EntryChange::Mend(possible_corrections(review, known, new))),
            EntrySource::TooLarge => None,
            EntrySource::Document(document) => self.parse_source(&document),
        };
        if let Some(old) = &old
            && content_hash(&old.entry.content) == candidate.content_hash
        {
            return Ok(EntryChange::Mend(review.corrected.clone()));
        }
        // Pictures that have not come yet are not lost.
        let is_loss = |loss: &LossyChange| *loss != LossyChange::Pictures || media.pending_body().is_none();
        if let Some(loss) = LossyChange::find(&review.content, new).filter(is_loss) {
            let reason = format!("{loss}, so the review keeps what it has");
            return Ok(EntryChange::Wait(PendingReason::Lossy, reason));
        }
        let changed = old.map(|old| differing_fields(&old.entry.content, new));
        let is_corrected = |field: &ContentField| {
            field.is_text() && changed.as_ref().is_none_or(|changed| changed.contains(field))
        };
        if review.corrected.iter().any(is_corrected) {
            let reason = "the text changed, but you have revised it, too".to_owned();
            return Ok(EntryChange::Wait(PendingReason::Corrected, reason));
        }
        if candidate.entry.is_exported {
            return Ok(EntryChange::ReviseSilently);
        }
        let limit = self.feed.max_publish_per_poll;
        if review.state == ReviewState::Published && self.has_reached_update_limit(tx).await? {
            let reason = format!("limit of {limit} updates per poll reached; a later poll will apply it");
            return Ok(EntryChange::Wait(PendingReason::UpdateLimit, reason));
        }
        Ok(EntryChange::Revise)
    }

    /// Parses a document with one entry, which is stored. A version of Marquee that does not read it any more has no candidate.
    pub(super) fn parse_source(&self, document: &str) -> Option<Candidate> {
        let zone = &self.app.site.timezone;
        let source = FeedSource {
            bytes: document.as_bytes(),
            base: self.base,
            charset: None,
            zone,
            columns: &self.columns,
        };
        let mut candidate = candidates(feed::parse(source).ok()?).0.pop()?;
        candidate.position = usize::MAX;
        Some(candidate)
    }
}

/// The fields that the critic may have corrected in a review whose entry was read by a version that noted neither corrections
/// nor the source of the entry. A review that was never revised has none.
fn possible_corrections(review: &Review, known: &StoredEntry, new: &ReviewContent) -> Vec<ContentField> {
    let is_as_read = || {
        let without_language = ReviewContent { language: None, ..review.content.clone() };
        [content_hash(&review.content), content_hash(&without_language)].contains(&known.content_hash)
    };
    let was_never_revised = review.state.is_public() && review.revised_at.is_none();
    if was_never_revised || is_as_read() { Vec::new() } else { differing_fields(&review.content, new) }
}
