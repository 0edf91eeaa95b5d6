//! One poll of a feed: each entry of its document is decided once, by its identity and its content, and an entry that fails
//! does not stop the others.

use std::path::Path;

use super::identify::{Candidate, DocumentIds, EntryMatch, candidates, identify};
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, HoldReason, IngestDecision};
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::time::Timestamp;
use crate::flows::App;
use crate::flows::review_media::{ReviewMedia, fetch_review_media};
use crate::sources::feed::FeedDocument;
use crate::store::feed_entries::{self, EntryRecord};
use crate::store::{Tx, feed_log};

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
}

impl FeedPoll<'_> {
    /// Processes all entries; returns whether none failed.
    pub(super) async fn process(&mut self, document: FeedDocument) -> anyhow::Result<bool> {
        let now = self.app.clock.now();
        for (what, why) in &document.skipped {
            let mut tx = self.app.db.begin().await?;
            let reason = std::slice::from_ref(why);
            if feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, what, reason, now)
                .await?
            {
                tx.commit().await?;
            }
        }
        let mut is_whole = true;
        let (candidates, document_ids) = candidates(document);
        self.document_ids = document_ids;
        for candidate in candidates {
            let title = candidate.entry.content.title.clone();
            if let Err(error) = self.process_entry(candidate).await {
                // An entry that fails does not stop the others.
                is_whole = false;
                let reason = format!("{error:#}");
                let mut tx = self.app.db.begin().await?;
                feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, &title, &[reason], now)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(is_whole)
    }

    async fn process_entry(&mut self, mut candidate: Candidate) -> anyhow::Result<()> {
        let found = {
            let mut tx = self.app.db.begin().await?;
            identify(&mut tx, self.feed, &self.document_ids, &candidate).await?
        };
        if let EntryMatch::Known(known, _) = &found
            && known.feed_id == self.feed.id
            && candidate.is_unchanged(known)
        {
            return Ok(());
        }
        let media = fetch_review_media(self.app, &mut candidate.entry.content, self.folder).await;
        let missing = describe_missing(&media);
        let title = candidate.entry.content.title.clone();
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        // Identified again: fetching the images took time, and another worker may have processed the entry.
        let mut created = None;
        match identify(&mut tx, self.feed, &self.document_ids, &candidate).await? {
            EntryMatch::New => created = Some(self.create_review(&mut tx, candidate, None, media).await?),
            EntryMatch::Doubtful(other) => {
                created = Some(self.create_review(&mut tx, candidate, Some(other), media).await?);
            }
            EntryMatch::Known(known, by) => self.update_known(&mut tx, candidate, &known, by, media).await?,
            EntryMatch::Review(review) => self.link_to_review(&mut tx, &candidate, review).await?,
        }
        let now = self.app.clock.now();
        feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, &title, &missing, now).await?;
        tx.commit().await?;
        if let Some(review) = created {
            review.log();
        }
        self.app.wake.notify();
        Ok(())
    }

    pub(super) async fn save_entry(
        &self,
        tx: &mut Tx,
        id: EntryId,
        candidate: &Candidate,
        review: Option<ReviewId>,
        hold_reason: Option<HoldReason>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
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
        feed_entries::upsert(tx, &record, now).await?;
        Ok(())
    }
}

/// Log messages about images that could not be fetched.
fn describe_missing(media: &ReviewMedia) -> Vec<String> {
    let (posters, others): (Vec<_>, Vec<_>) = media.missing().iter().partition(|missing| missing.is_poster);
    let poster = posters.first().map(|_| "could not fetch the poster; it was left out".to_owned());
    let first = others.first().map(|missing| match others.len() {
        1 => format!("could not fetch an image; it was left out: {}", missing.url),
        count => format!("could not fetch {count} images; they were left out, for example {}", missing.url),
    });
    poster.into_iter().chain(first).collect()
}
