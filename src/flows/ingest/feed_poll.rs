//! The state of one poll of a feed.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::identify::{Candidate, DocumentIds};
use super::reused_ids::EarlierIds;
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, HoldReason, IngestDecision};
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::flows::release::release_held_by_feed;
use crate::sources::credits::HeadlineColumns;
use crate::store::feed_entries::{self, EntryRecord};
use crate::store::{Result, Tx, activities, feed_log, reviews};

/// How long the entries of one poll together wait for their images.
const MAX_IMAGE_TIME: Duration = Duration::from_secs(10);

/// What a poll counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PollCounts {
    /// Reviews that were changed only because this version of Marquee reads their entries differently.
    pub(super) mended: u32,
    /// Reviews that were stored without all their images.
    pub(super) without_images: u32,
    /// Reviews that were archived from this page.
    pub(super) archived: u32,
    /// Entries of the feed that were known before.
    pub(super) known: u32,
    /// Entries that are read again once the critic has decided about the changes that they would replace.
    pub(super) postponed: u32,
}

/// A poll of a feed.
pub(super) struct FeedPoll<'a> {
    pub(super) app: &'a App,
    pub(super) feed: &'a Feed,
    pub(super) critic: &'a Critic,
    /// The folder of a local feed, which its images may be in.
    pub(super) folder: Option<&'a Path>,
    /// The URL that the feed was fetched from.
    pub(super) base: &'a Url,
    pub(super) counts: PollCounts,
    /// How long entries may still wait for their images.
    pub(super) image_time: Duration,
    /// Whether this is not the first page: its entries are archived, and the log has one line about all of them.
    pub(super) is_older_page: bool,
    pub(super) document_ids: DocumentIds,
    pub(super) earlier_ids: EarlierIds,
    /// The columns that headlines of the feed begin with.
    pub(super) columns: HeadlineColumns,
    /// The position of the first entry of the document that was known before, if that matters.
    pub(super) newest_known: Option<usize>,
    /// The positions of the entries without a date that were left out when the feed was first read.
    pub(super) left_out: HashSet<usize>,
    /// What was decided about the entries of the first page, if somebody asked.
    pub(super) decisions: Option<Vec<EntryDecision>>,
    /// Whether any entry of the feed has a change that waits.
    pub(super) has_pending: bool,
}

/// What was decided about an entry.
#[derive(Debug)]
pub(super) struct EntryDecision {
    /// Its position in the document.
    pub(super) position: usize,
    /// The decision; `None` if nothing changes.
    pub(super) decision: Option<IngestDecision>,
    pub(super) reason: String,
}

impl<'a> FeedPoll<'a> {
    /// Begins a poll: publishes reviews that an earlier one held because of the limit.
    pub(super) async fn start(
        app: &'a App,
        feed: &'a Feed,
        critic: &'a Critic,
        folder: Option<&'a Path>,
        base: &'a Url,
    ) -> anyhow::Result<Self> {
        let mut poll = Self::new(app, feed, critic, folder, base);
        poll.take_over_predecessors().await?;
        release_held_by_feed(app, feed, critic).await?;
        Ok(poll)
    }

    /// Whether as many reviews of the feed were published within its interval as it may publish, whatever caused that.
    pub(super) async fn has_reached_publish_limit(&self, tx: &mut Tx) -> Result<bool> {
        let since = self.app.clock.now() - self.feed.interval;
        let published = reviews::count_released_since(tx, self.feed.id, since).await?;
        Ok(published >= u64::from(self.feed.max_publish_per_poll))
    }

    /// Whether the feed has sent as many Updates within its interval as it may, whatever caused them.
    pub(super) async fn has_reached_update_limit(&self, tx: &mut Tx) -> Result<bool> {
        let since = self.app.clock.now() - self.feed.interval;
        let sent = activities::count_updates_since(tx, self.feed, since).await?;
        Ok(sent >= u64::from(self.feed.max_publish_per_poll))
    }

    /// A poll that has not sent anything yet.
    pub(super) fn new(
        app: &'a App,
        feed: &'a Feed,
        critic: &'a Critic,
        folder: Option<&'a Path>,
        base: &'a Url,
    ) -> Self {
        Self {
            app,
            feed,
            critic,
            folder,
            base,
            counts: PollCounts::default(),
            image_time: MAX_IMAGE_TIME,
            is_older_page: false,
            document_ids: DocumentIds::default(),
            earlier_ids: EarlierIds::default(),
            columns: HeadlineColumns::default(),
            newest_known: None,
            left_out: HashSet::new(),
            decisions: None,
            has_pending: false,
        }
    }

    /// Notes what was decided about an entry, if somebody asked.
    pub(super) fn note(&mut self, position: usize, decision: Option<IngestDecision>, reason: &str) {
        if let Some(decisions) = self.decisions.as_mut().filter(|_| !self.is_older_page) {
            decisions.push(EntryDecision { position, decision, reason: reason.to_owned() });
        }
    }

    /// Logs what was decided about an entry.
    pub(super) async fn log(
        &mut self,
        tx: &mut Tx,
        candidate: &Candidate,
        decision: IngestDecision,
        reason: &str,
    ) -> Result<()> {
        self.note(candidate.position, Some(decision), reason);
        let title = &candidate.entry.content.title;
        feed_log::append(tx, self.feed.id, decision, title, reason, self.app.clock.now()).await
    }

    /// Logs how many reviews this version of Marquee mended, and how many still lack images.
    pub(super) async fn log_counts(&self) -> Result<()> {
        if self.counts.without_images > 0 {
            let reviews = self.counts.without_images;
            tracing::info!(reviews, "images did not come at once; the server fetches them later");
        }
        if self.counts.mended == 0 {
            return Ok(());
        }
        let count = self.counts.mended;
        let reviews = if count == 1 { "1 review".to_owned() } else { format!("{count} reviews") };
        let reason =
            format!("mended {reviews} that this version reads better; nothing was sent to followers");
        let mut tx = self.app.db.begin().await?;
        let now = self.app.clock.now();
        feed_log::append(&mut tx, self.feed.id, IngestDecision::Revised, &self.feed.name, &reason, now)
            .await?;
        tx.commit().await
    }

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
            source: &candidate.entry.source,
            publish_since: self.feed.publish_since,
            review,
            hold_reason,
        };
        feed_entries::upsert(tx, &record, now).await
    }
}
