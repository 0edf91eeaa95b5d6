//! Decides what to do about the new content of a known entry: apply it, keep it back, or change the page silently because
//! only Marquee's reading of the entry is new.

use std::time::Duration;

use super::feed_poll::FeedPoll;
use super::identify::{Candidate, candidates};
use super::reused_ids::find_identity;
use super::select_entries::add_teaser_note;
use crate::domain::content_fields::differing_fields;
use crate::domain::content_hash::content_hash;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::{NEVER_SENDS, PendingReason};
use crate::domain::feed_entry::EntrySource;
use crate::domain::id::ReviewId;
use crate::domain::lossy_change::LossyChange;
use crate::domain::review::{ContentField, Review, ReviewContent, ReviewState};
use crate::flows::review_media::ReviewMedia;
use crate::sources::feed::{self, FeedSource};
use crate::store::feed_entries::{self, StoredEntry};
use crate::store::{Tx, activities};

/// The most Updates of one review within [`REPETITION_TIME`] after which a feed sends another. Some text changes at each request.
const MAX_UPDATES_OF_REVIEW: u64 = 4;
const REPETITION_TIME: Duration = Duration::from_hours(24);

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
        if known.content_hash == candidate.content_hash {
            // Only its date changed.
            return Ok(EntryChange::Revise);
        }
        let source = feed_entries::find_source(tx, known.id).await?;
        let old = match &source {
            Some(EntrySource::Document(document)) => self.parse_source(document),
            Some(EntrySource::Hash(_)) | None => None,
        };
        let is_same = match &source {
            Some(hash @ EntrySource::Hash(_)) => *hash == candidate.entry.source,
            _ => old.as_ref().is_some_and(|old| content_hash(&old.entry.content) == candidate.content_hash),
        };
        if is_same {
            return Ok(EntryChange::Mend(review.corrected.clone()));
        }
        if find_identity(review, known, candidate) != EntryIdentity::Same {
            let reason = "it may be another review under the same id or link, so the review stays as it is";
            return Ok(EntryChange::Wait(PendingReason::Lossy, reason.to_owned()));
        }
        // Pictures that have not come yet are not lost. If nothing says what the entry was before, this version may have left
        // out what stood below the text, or a picture that was none.
        let is_loss = |loss: &LossyChange| match loss {
            LossyChange::Pictures => media.pending_body().is_none() && source.is_some(),
            LossyChange::Beginning => source.is_some() || LossyChange::is_under_half(&review.content, new),
            LossyChange::Empty | LossyChange::Shorter => true,
        };
        if let Some(loss) = LossyChange::find(&review.content, new).filter(is_loss) {
            let reason = format!("{loss}, so the review keeps what it has");
            return Ok(EntryChange::Wait(PendingReason::Lossy, reason));
        }
        if source.is_none() {
            return Ok(EntryChange::Mend(possible_corrections(review, known, new)));
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
        if review.state == ReviewState::Published
            && let Some(reason) = self.find_repetition(tx, known, review.id, &candidate.content_hash).await?
        {
            return Ok(EntryChange::Wait(PendingReason::UpdateLimit, reason));
        }
        let limit = self.feed.max_publish_per_poll;
        if review.state == ReviewState::Published && self.has_reached_update_limit(tx).await? {
            let reason = if self.feed.never_sends() {
                NEVER_SENDS.to_owned()
            } else {
                format!("limit of {limit} updates per interval reached; a poll after it will apply it")
            };
            return Ok(EntryChange::Wait(PendingReason::UpdateLimit, reason));
        }
        Ok(EntryChange::Revise)
    }

    /// Why a change waits that is one of many of the same review: a counter in the text, or servers that serve two versions in turn,
    /// would be sent at every poll.
    pub(super) async fn find_repetition(
        &self,
        tx: &mut Tx,
        known: &StoredEntry,
        review: ReviewId,
        hash: &str,
    ) -> anyhow::Result<Option<String>> {
        let since = self.app.clock.now() - REPETITION_TIME;
        let object = self.app.origin.article(review);
        let sent = activities::count_updates_of(tx, self.feed.critic, &object, since).await?;
        Ok(if sent >= MAX_UPDATES_OF_REVIEW {
            Some(format!(
                "{MAX_UPDATES_OF_REVIEW} updates of it were sent within a day; a later poll will apply it"
            ))
        } else if sent > 0 && known.previous_hash.as_deref() == Some(hash) {
            Some("it is as it was before its last change; a poll on another day will apply it".to_owned())
        } else {
            None
        })
    }

    /// Parses a document with one entry, which is stored. A version of Marquee that does not read it any more has no candidate.
    /// What the entries around it told about it is gone: which ids they shared, and in which zone and order their dates were.
    pub(super) fn parse_source(&self, document: &str) -> Option<Candidate> {
        let zone = &self.app.site.timezone;
        let source = FeedSource {
            bytes: document.as_bytes(),
            base: self.base,
            charset: None,
            zone,
            columns: &self.columns,
        };
        let mut document = feed::parse(source).ok()?;
        document.entries.iter_mut().for_each(add_teaser_note);
        let mut candidate = candidates(document).0.pop()?;
        candidate.position = usize::MAX;
        Some(candidate)
    }

    /// Parses a stored document with a change of a known entry, which keeps its id and its link. A date that is not certain
    /// without the entries around it changes nothing.
    pub(super) fn parse_change(&self, document: &str, known: &StoredEntry) -> Option<Candidate> {
        let mut candidate = self.parse_source(document)?;
        candidate.guid.clone_from(&known.guid);
        candidate.url.clone_from(&known.url);
        if candidate.entry.date_note.is_some() {
            candidate.entry.content.published = None;
        }
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
