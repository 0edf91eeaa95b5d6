//! The state of one poll of a feed.

use std::path::Path;

use super::identify::{Candidate, DocumentIds};
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, HoldReason};
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::store::feed_entries::{self, EntryRecord};
use crate::store::{Result, Tx};

/// A poll of a feed.
pub(super) struct FeedPoll<'a> {
    pub(super) app: &'a App,
    pub(super) feed: &'a Feed,
    pub(super) critic: &'a Critic,
    /// The folder of a local feed, which its images may be in.
    pub(super) folder: Option<&'a Path>,
    /// Reviews that were published so far.
    pub(super) published: u32,
    pub(super) document_ids: DocumentIds,
    /// The position of the first entry of the document that was known before, if that matters.
    pub(super) newest_known: Option<usize>,
}

impl FeedPoll<'_> {
    /// Stores what an entry is recognized by at the next poll.
    pub(super) async fn save_entry(
        &self,
        tx: &mut Tx,
        id: EntryId,
        candidate: &Candidate,
        review: Option<ReviewId>,
        hold_reason: Option<HoldReason>,
        now: Timestamp,
    ) -> Result<()> {
        let record = EntryRecord {
            id,
            feed: self.feed.id,
            guid: candidate.guid.as_deref(),
            url: candidate.url.as_deref(),
            text_hash: &candidate.text_hash,
            content_hash: &candidate.content_hash,
            review,
            hold_reason,
        };
        feed_entries::upsert(tx, &record, now).await
    }
}
