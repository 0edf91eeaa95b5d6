//! Processes the entries of a poll: each one is decided once, by its identity and its content, and an entry that fails does
//! not stop the others.

use std::time::{Duration, Instant};

use super::entry_order::{entry_order, goes_on};
use super::feed_poll::FeedPoll;
use super::identify::{Candidate, EntryMatch, candidates, first_known, identify};
use super::left_out::was_left_out;
use super::new_entry::NewReview;
use super::reused_ids::forget_reused_ids;
use crate::domain::feed::IngestDecision;
use crate::domain::untrusted::Untrusted;
use crate::flows::review_media::{ReviewMedia, fetch_review_media};
use crate::sources::feed::FeedDocument;
use crate::sources::language::plainly_other_language;
use crate::store::{Tx, feed_entries, feed_log, feeds};

/// The longest time that an entry waits for its images. Those that come later are fetched by the worker.
const MAX_IMAGE_TIME: Duration = Duration::from_secs(5);

/// An entry with what is found out about it before it is stored.
pub(super) struct PreparedEntry {
    pub(super) candidate: Candidate,
    pub(super) media: ReviewMedia,
    /// What the log of a new entry says about its language, if its text is plainly in another one than declared.
    language_note: Option<String>,
}

impl FeedPoll<'_> {
    /// Processes the entries of the first page, then the changes that earlier polls kept back; returns whether none failed.
    /// `has_more` says whether further pages follow.
    pub(super) async fn process_first_page(
        &mut self,
        document: FeedDocument,
        has_more: bool,
    ) -> anyhow::Result<bool> {
        let is_whole = self.process(document, has_more).await?;
        Box::pin(self.apply_pending()).await?;
        Ok(is_whole)
    }

    /// Processes all entries; returns whether none failed.
    async fn process(&mut self, document: FeedDocument, has_more: bool) -> anyhow::Result<bool> {
        self.log_skipped(&document.skipped).await?;
        self.columns = document.columns.clone();
        let (mut candidates, mut document_ids) = candidates(document);
        let mut tx = self.app.db.begin().await?;
        let ids = &mut self.earlier_ids;
        let known = forget_reused_ids(&mut tx, self.feed, &mut candidates, &mut document_ids, ids).await?;
        self.has_pending = feed_entries::has_pending(&mut tx, self.feed.id).await?;
        drop(tx);
        self.document_ids = if has_more { document_ids.of_page(&candidates) } else { document_ids };
        let undated: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.entry.content.published.is_none()).collect();
        if undated.is_empty() {
            return self.process_all(candidates, &known).await;
        }
        let order = entry_order(&candidates);
        if self.feed.is_read() {
            let mut tx = self.app.db.begin().await?;
            let before = feeds::find_entry_order(&mut tx, self.feed.id).await?;
            if before.is_none_or(|before| goes_on(&before, &order)) {
                self.newest_known = first_known(&mut tx, self.feed, &self.document_ids, &candidates).await?;
            }
            if self.newest_known.is_none() && !feed_entries::exists(&mut tx, self.feed.id).await? {
                // None of its entries was a review until now.
                self.newest_known = Some(usize::MAX);
            }
            for candidate in undated {
                if was_left_out(&mut tx, self.feed, candidate).await? {
                    self.left_out.insert(candidate.position);
                }
            }
        }
        let is_whole = self.process_all(candidates, &known).await?;
        let mut tx = self.app.db.begin().await?;
        feeds::save_entry_order(&mut tx, self.feed.id, &order).await?;
        tx.commit().await?;
        Ok(is_whole)
    }

    pub(super) async fn log_skipped(&self, skipped: &[(String, String)]) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        for (what, why) in skipped {
            let mut tx = self.app.db.begin().await?;
            if feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, what, why, now).await? {
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Processes entries, each in a transaction of its own; returns whether none failed.
    pub(super) async fn process_each(&mut self, candidates: Vec<Candidate>) -> anyhow::Result<bool> {
        let now = self.app.clock.now();
        let mut is_whole = true;
        for candidate in candidates {
            let (position, title) = (candidate.position, candidate.entry.content.title.clone());
            if let Err(error) = Box::pin(self.process_entry(candidate)).await {
                // An entry that fails does not stop the others.
                is_whole = false;
                let reason = Untrusted::chain(&error).to_string();
                self.note(position, Some(IngestDecision::Skipped), &reason);
                let mut tx = self.app.db.begin().await?;
                feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, &title, &reason, now)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(is_whole)
    }

    /// Fetches the images of an entry that arrive in time and looks at the language of its text, before a transaction begins. The
    /// hash of the entry is that of what the feed says, so that nothing is revised for a language that the text is plainly in.
    pub(super) async fn prepare(&mut self, mut candidate: Candidate) -> PreparedEntry {
        let content = &mut candidate.entry.content;
        let media = if self.decisions.is_some() {
            // A check shows no images.
            ReviewMedia::default()
        } else {
            let (began, time) = (Instant::now(), self.image_time.min(MAX_IMAGE_TIME));
            let media = Box::pin(fetch_review_media(self.app, content, self.folder, time)).await;
            self.image_time = self.image_time.saturating_sub(began.elapsed());
            media
        };
        let (declared, source) = match &content.language {
            Some(declared) => (declared.as_str(), "the feed declares"),
            None => (self.app.site.language.as_str(), "the language of the site is"),
        };
        let found = plainly_other_language(&content.body, declared);
        let language_note =
            found.map(|found| format!("its language is {found}, although {source} {declared}"));
        if let Some(found) = found {
            content.language = Some(found.to_owned());
        }
        PreparedEntry { candidate, media, language_note }
    }

    async fn process_entry(&mut self, candidate: Candidate) -> anyhow::Result<()> {
        let prepared = self.prepare(candidate).await;
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        // Images are fetched before the entry is identified: another worker may have processed it meanwhile.
        let found = identify(&mut tx, self.feed, &self.document_ids, &prepared.candidate).await?;
        let created = self.store_entry(&mut tx, prepared, found).await?;
        tx.commit().await?;
        if let Some(review) = created {
            review.log();
        }
        self.app.wake.notify();
        Ok(())
    }

    /// Stores an entry in the transaction that has identified it and holds the lock of the critic.
    pub(super) async fn store_entry(
        &mut self,
        tx: &mut Tx,
        prepared: PreparedEntry,
        found: EntryMatch,
    ) -> anyhow::Result<Option<NewReview>> {
        let PreparedEntry { candidate, media, language_note } = prepared;
        let now = self.app.clock.now();
        let missing = media.describe_missing(false);
        self.counts.without_images += u32::from(media.pending_body().is_some());
        let title = candidate.entry.content.title.clone();
        let mut created = None;
        match found {
            EntryMatch::New => {
                created = Some(self.create_review(tx, candidate, None, media, language_note).await?);
            }
            EntryMatch::SimilarText(other) => {
                created = Some(self.create_review(tx, candidate, Some(other), media, language_note).await?);
            }
            EntryMatch::Known(known, by) => {
                Box::pin(self.update_known(tx, candidate, &known, by, media)).await?;
            }
            EntryMatch::Review(review) => {
                let reason = (IngestDecision::Matched, "a review with this URL already exists");
                self.link_to_review(tx, &candidate, review, reason).await?;
            }
            EntryMatch::Retracted(review) => {
                let reason = (IngestDecision::Skipped, "it has the text of a review that was retracted");
                self.link_to_review(tx, &candidate, review, reason).await?;
            }
        }
        for reason in missing {
            feed_log::append_once(tx, self.feed.id, IngestDecision::Failed, &title, &reason, now).await?;
        }
        Ok(created)
    }
}
