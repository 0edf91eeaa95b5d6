//! Decides what each entry of a feed document becomes. Each entry is decided once, by its identity and its content and
//! not by its position in the document.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::domain::canonical_url::url_key;
use crate::domain::content_hash::{content_hash, text_hash};
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::FeedEntry;
use crate::domain::id::{EntryId, ReviewId};
use crate::domain::review::{Review, ReviewState};
use crate::domain::similar_reviews::is_similar;
use crate::domain::states::HoldReason;
use crate::domain::time::Timestamp;
use crate::flows::publish::{interaction_counts, new_review, write_create};
use crate::flows::review_media::{ReviewMedia, fetch_review_media};
use crate::flows::{App, revise};
use crate::sources::feed::FeedDocument;
use crate::store::feed_entries::{self, EntryRecord, StoredEntry};
use crate::store::{Tx, feed_log, reviews};

/// One poll of one feed.
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

/// The ids and URLs of the document's entries: an entry that is still in the document cannot be another entry of it
/// under a new id.
#[derive(Default)]
pub(super) struct DocumentIds {
    guids: HashSet<String>,
    urls: HashSet<String>,
}

/// An entry with what identifies it.
struct Candidate {
    entry: FeedEntry,
    guid: Option<String>,
    url: Option<String>,
    text_hash: String,
    /// Whether no other entry of the document has the same text.
    has_own_text: bool,
    content_hash: String,
}

impl Candidate {
    /// Whether neither its content nor its id or URL changed.
    fn is_unchanged(&self, known: &StoredEntry) -> bool {
        let same = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        known.content_hash == self.content_hash
            && same(&self.guid, &known.guid)
            && same(&self.url, &known.url)
    }
}

/// The state of a new review, and why it has that state.
struct Placement {
    state: ReviewState,
    decision: IngestDecision,
    hold_reason: Option<HoldReason>,
    reason: String,
}

/// What an entry was identified as.
enum Match {
    New,
    Known(StoredEntry, &'static str),
    Review(ReviewId),
    /// It has the text of that review, but another film and title.
    Doubtful(ReviewId),
}

impl FeedPoll<'_> {
    /// Processes all entries; returns whether none failed.
    pub(super) async fn process(&mut self, document: FeedDocument) -> anyhow::Result<bool> {
        let now = self.app.clock.now();
        for (what, why) in &document.skipped {
            let mut tx = self.app.db.begin().await?;
            if feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, what, why, now).await? {
                tx.commit().await?;
            }
        }
        let mut is_whole = true;
        let (candidates, present) = candidates(document);
        self.document_ids = present;
        for candidate in candidates {
            let title = candidate.entry.content.title.clone();
            if let Err(error) = self.decide(candidate).await {
                // An entry that fails does not stop the others.
                is_whole = false;
                let reason = format!("{error:#}");
                let mut tx = self.app.db.begin().await?;
                feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, &title, &reason, now)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(is_whole)
    }

    async fn decide(&mut self, mut candidate: Candidate) -> anyhow::Result<()> {
        let found = {
            let mut tx = self.app.db.begin().await?;
            self.identify(&mut tx, &candidate).await?
        };
        if let Match::Known(known, _) = &found
            && known.feed_id == self.feed.id
            && candidate.is_unchanged(known)
        {
            return Ok(());
        }
        let pictures = fetch_review_media(self.app, &mut candidate.entry.content, self.folder).await;
        let missing = missing(&pictures);
        let title = candidate.entry.content.title.clone();
        let mut tx = self.app.db.begin().await?;
        tx.lock(&self.feed.critic.to_string()).await?;
        // Identified again: fetching the images took time, and another worker may have processed the entry.
        match self.identify(&mut tx, &candidate).await? {
            Match::New => self.enter(&mut tx, candidate, None, pictures).await?,
            Match::Doubtful(other) => self.enter(&mut tx, candidate, Some(other), pictures).await?,
            Match::Known(known, by) => self.meet(&mut tx, candidate, &known, by, pictures).await?,
            Match::Review(review) => self.adopt(&mut tx, &candidate, review).await?,
        }
        for reason in missing {
            let now = self.app.clock.now();
            feed_log::append_once(&mut tx, self.feed.id, IngestDecision::Skipped, &title, &reason, now)
                .await?;
        }
        tx.commit().await?;
        self.app.wake.notify();
        Ok(())
    }

    async fn identify(&self, tx: &mut Tx, candidate: &Candidate) -> anyhow::Result<Match> {
        if let Some(guid) = &candidate.guid
            && let Some(known) = feed_entries::find_by_guid(tx, self.feed.id, guid).await?
        {
            return Ok(Match::Known(known, "id"));
        }
        if let Some(url) = &candidate.url {
            if let Some(known) = feed_entries::find_by_url(tx, self.feed, url).await? {
                return Ok(Match::Known(known, "URL"));
            }
            if let Some(review) = feed_entries::find_review_by_url(tx, self.feed.critic, url).await? {
                return Ok(Match::Review(review));
            }
        }
        self.by_text(tx, candidate).await
    }

    /// Identifies an entry by its text alone, which is the weakest evidence: boilerplate is the same in many reviews.
    async fn by_text(&self, tx: &mut Tx, candidate: &Candidate) -> anyhow::Result<Match> {
        if !candidate.has_own_text {
            return Ok(Match::New);
        }
        let Some(known) = feed_entries::find_by_text(tx, self.feed, &candidate.text_hash).await? else {
            return Ok(Match::New);
        };
        let is_present = known.feed_id == self.feed.id
            && (known.guid.as_ref().is_some_and(|guid| self.document_ids.guids.contains(guid))
                || known.url.as_ref().is_some_and(|url| self.document_ids.urls.contains(url)));
        let review = match known.review_id.filter(|_| !is_present) {
            Some(id) => reviews::find_for_update(tx, id).await?,
            None => None,
        };
        let Some(review) = review else { return Ok(Match::New) };
        let (old, new) = (&review.content, &candidate.entry.content);
        let same_film = !new.film.title.is_empty() && old.film.title == new.film.title;
        if same_film || old.title == new.title {
            Ok(Match::Known(known, "text"))
        } else {
            Ok(Match::Doubtful(review.id))
        }
    }

    /// Decides the state of a new review.
    fn place(&self, date: Timestamp, duplicate: Option<&Review>, now: Timestamp) -> Placement {
        let held = |hold_reason, reason| Placement {
            state: ReviewState::Held,
            decision: IngestDecision::Held,
            hold_reason: Some(hold_reason),
            reason,
        };
        let placed = |state, decision, reason| Placement { state, decision, hold_reason: None, reason };
        let since = self.feed.publish_since;
        if let Some(other) = duplicate {
            return held(HoldReason::Similar, format!("similar to {}", self.app.origin.review_page(other)));
        }
        if let Some(target) = self.critic.moved_to.as_ref().filter(|_| date >= since) {
            return held(HoldReason::NextPoll, format!("the critic has moved to {target}"));
        }
        if date > now {
            let reason = format!("dated in the future; will be published at {date}");
            return placed(ReviewState::Scheduled, IngestDecision::Scheduled, reason);
        }
        if date < since {
            let reason = format!("older than publish_since ({since})");
            return placed(ReviewState::Archive, IngestDecision::Archived, reason);
        }
        let limit = self.feed.max_publish_per_poll;
        if self.published >= limit {
            let reason = format!("limit of {limit} reviews per poll reached; a later poll will publish it");
            return held(HoldReason::NextPoll, reason);
        }
        placed(ReviewState::Published, IngestDecision::Published, "new".to_owned())
    }

    /// A new entry becomes a review.
    async fn enter(
        &mut self,
        tx: &mut Tx,
        candidate: Candidate,
        doubtful: Option<ReviewId>,
        pictures: ReviewMedia,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let content = &candidate.entry.content;
        let date = content.published.unwrap_or(now);
        let duplicate = match doubtful {
            Some(other) => reviews::find_for_update(tx, other).await?,
            None => self.likeness(tx, &candidate).await?,
        };
        let Placement { state, decision, hold_reason, reason } = self.place(date, duplicate.as_ref(), now);
        let review =
            new_review(self.app, tx, self.feed.critic, content.clone(), Some(self.feed.id), state, now)
                .await?;
        let review = Review { poster: pictures.save(tx, now).await?, ..review };
        reviews::upsert(tx, &review, now).await?;
        if state == ReviewState::Published {
            write_create(self.app, tx, self.critic, &review, now).await?;
            self.published += 1;
        }
        self.remember(tx, EntryId::new(now), &candidate, Some(review.id), hold_reason, now).await?;
        let reason = match hold_reason {
            Some(HoldReason::Similar) => {
                format!("{reason}; to publish it, run: marquee feed release {}", review.slug)
            }
            _ => reason,
        };
        tracing::info!(review = %review.id, reason, "new entry processed");
        feed_log::append(tx, self.feed.id, decision, &content.title, &reason, now).await?;
        Ok(())
    }

    /// A review that the entry may be a duplicate of.
    async fn likeness(&self, tx: &mut Tx, candidate: &Candidate) -> anyhow::Result<Option<Review>> {
        let content = &candidate.entry.content;
        let others = reviews::list_by_film(tx, self.feed.critic, &content.film.title, &content.title).await?;
        Ok(others.into_iter().find(|other| is_similar(&other.content, content)))
    }

    /// Handles a known entry, which may have changed or have a new id.
    async fn meet(
        &self,
        tx: &mut Tx,
        candidate: Candidate,
        known: &StoredEntry,
        by: &str,
        pictures: ReviewMedia,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        if known.feed_id != self.feed.id {
            self.remember(tx, EntryId::new(now), &candidate, known.review_id, None, now).await?;
            let reason = format!("already imported from another feed (same {by}), which remains its source");
            let title = &candidate.entry.content.title;
            feed_log::append(tx, self.feed.id, IngestDecision::Matched, title, &reason, now).await?;
            return Ok(());
        }
        self.remember(tx, known.id, &candidate, None, None, now).await?;
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
                let mut review = revise::apply_revision(
                    self.app,
                    tx,
                    self.critic,
                    review.id,
                    content,
                    pictures,
                    counts,
                    now,
                )
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
    async fn adopt(&self, tx: &mut Tx, candidate: &Candidate, review: ReviewId) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        self.remember(tx, EntryId::new(now), candidate, Some(review), None, now).await?;
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

    async fn remember(
        &self,
        tx: &mut Tx,
        id: EntryId,
        candidate: &Candidate,
        review: Option<ReviewId>,
        hold_reason: Option<HoldReason>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let seen = EntryRecord {
            id,
            feed: self.feed.id,
            guid: candidate.guid.as_deref(),
            url: candidate.url.as_deref(),
            text_hash: &candidate.text_hash,
            content_hash: &candidate.content_hash,
            review,
            hold_reason,
        };
        feed_entries::upsert(tx, &seen, now).await?;
        Ok(())
    }
}

/// Log messages about images that could not be fetched.
fn missing(pictures: &ReviewMedia) -> Vec<String> {
    let (posters, others): (Vec<_>, Vec<_>) =
        pictures.missing().iter().partition(|missing| missing.is_poster);
    let poster = posters.first().map(|_| "could not fetch the poster; it was left out".to_owned());
    let first = others.first().map(|missing| match others.len() {
        1 => format!("could not fetch an image; it was left out: {}", missing.url),
        count => format!("could not fetch {count} images; they were left out, for example {}", missing.url),
    });
    poster.into_iter().chain(first).collect()
}

/// The entries of a document, the oldest first, without ids and URLs that several of them share; and all their ids and
/// URLs.
fn candidates(document: FeedDocument) -> (Vec<Candidate>, DocumentIds) {
    let FeedDocument { mut entries, shared_guids, shared_urls, .. } = document;
    // Feeds have the newest entry first; entries without a date keep their position.
    entries.reverse();
    entries.sort_by_key(|entry| entry.content.published);
    let candidate = |entry: FeedEntry| Candidate {
        guid: entry.guid.clone().filter(|guid| !shared_guids.contains(guid)),
        url: entry.content.canonical_url.as_ref().map(url_key).filter(|url| !shared_urls.contains(url)),
        text_hash: text_hash(&entry.content),
        has_own_text: true,
        content_hash: content_hash(&entry.content),
        entry,
    };
    let mut candidates: Vec<Candidate> = entries.into_iter().map(candidate).collect();
    let mut texts: HashMap<String, u32> = HashMap::new();
    for candidate in &candidates {
        *texts.entry(candidate.text_hash.clone()).or_default() += 1;
    }
    for candidate in &mut candidates {
        candidate.has_own_text = texts.get(&candidate.text_hash) == Some(&1);
    }
    let present = DocumentIds {
        guids: candidates.iter().filter_map(|candidate| candidate.guid.clone()).collect(),
        urls: candidates.iter().filter_map(|candidate| candidate.url.clone()).collect(),
    };
    (candidates, present)
}
