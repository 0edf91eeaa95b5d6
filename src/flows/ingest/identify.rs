//! Identifies the entries of a feed document: as entries that are known, as reviews that exist, or as new ones. The
//! position in the document does not count.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::domain::canonical_url::url_key;
use crate::domain::content_hash::{content_hash, text_hash};
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::Feed;
use crate::domain::feed_entry::FeedEntry;
use crate::domain::id::ReviewId;
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::domain::similar_reviews::{fingerprint, is_version, is_version_about_another_film};
use crate::domain::time::Timestamp;
use crate::sources::feed::FeedDocument;
use crate::store::feed_entries::{self, StoredEntry};
use crate::store::{Tx, fingerprints, reviews};

/// The ids and URLs of the document's entries: an entry that is still in the document cannot be another entry of it
/// under a new id.
#[derive(Default)]
pub(super) struct DocumentIds {
    guids: HashSet<String>,
    urls: HashSet<String>,
    /// If the feed has other pages: the date from which on all entries are in the document, if it has any.
    is_page: bool,
    complete_since: Option<Timestamp>,
}

impl DocumentIds {
    /// The same, of one page of several. If it is the first one, `newest` are its entries: what is older than the last of them
    /// is on another page.
    pub(super) fn of_page(self, newest: &[Candidate]) -> Self {
        let dated = newest.iter().filter(|candidate| candidate.entry.content.published.is_some());
        let last = dated.max_by_key(|candidate| candidate.position);
        let complete_since = last.and_then(|last| last.entry.content.published);
        Self { is_page: true, complete_since, ..self }
    }

    /// Forgets ids and URLs that do not identify the entries that have them.
    pub(super) fn forget(&mut self, guids: &HashSet<String>, urls: &HashSet<String>) {
        self.guids.retain(|guid| !guids.contains(guid));
        self.urls.retain(|url| !urls.contains(url));
    }

    /// Whether a known entry is in the document, or may be on another page of this feed, besides the candidate, which has its text.
    /// With the same contents, or the same name and date, the candidate is the one on the other page: its id or URL is unknown
    /// because the feed numbers its entries by position.
    fn contain(&self, feed: &Feed, known: &StoredEntry, review: &Review, candidate: &Candidate) -> bool {
        let may_be_on_another_page =
            self.is_page && self.complete_since.is_none_or(|since| review.original_date <= since);
        let is_candidate = known.content_hash == candidate.content_hash
            || has_same_name(&review.content, &candidate.entry.content)
                && candidate.entry.content.published.is_some()
                && !candidate.has_other_date(review.original_date);
        known.feed_id == feed.id
            && (may_be_on_another_page && !is_candidate
                || known.guid.as_ref().is_some_and(|guid| self.guids.contains(guid))
                || known.url.as_ref().is_some_and(|url| self.urls.contains(url)))
    }
}

/// The most reviews whose texts are compared with that of a new entry.
pub(super) const MAX_SIMILAR: u32 = 10;

/// An entry of the document, with the values that identify it.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) entry: FeedEntry,
    pub(super) guid: Option<String>,
    pub(super) url: Option<String>,
    pub(super) text_hash: String,
    /// Whether no other entry of the document has the same text.
    pub(super) has_own_text: bool,
    pub(super) content_hash: String,
    /// The fingerprint of its text, once it is needed: that of a known entry is not.
    fingerprint: OnceLock<Vec<i64>>,
    /// Its position in the document, from the top; `usize::MAX` if it was read from its source.
    pub(super) position: usize,
    /// What the log says about its id or link, if that is another review's.
    pub(super) note: Option<&'static str>,
    /// The review that it is not, as the critic decided.
    pub(super) other_than: Option<ReviewId>,
}

impl Candidate {
    /// Whether neither its content nor its id or URL changed.
    pub(super) fn is_unchanged(&self, known: &StoredEntry) -> bool {
        known.content_hash == self.content_hash && self.has_same_ids(known)
    }

    /// Whether it has a date, and not this one. Dates are shown in seconds.
    pub(super) fn has_other_date(&self, date: Timestamp) -> bool {
        self.entry.content.published.is_some_and(|new| new.truncate_to_second() != date.truncate_to_second())
    }

    /// Whether its change waits already.
    pub(super) fn is_pending(&self, known: &StoredEntry) -> bool {
        known.pending_hash.as_ref() == Some(&self.content_hash) && self.has_same_ids(known)
    }

    /// Whether the critic decided that it is not that review.
    pub(super) fn is_other_than(&self, review: Option<ReviewId>) -> bool {
        review.is_some() && review == self.other_than
    }

    /// Returns the fingerprint of its text.
    pub(super) fn fingerprint(&self) -> &[i64] {
        self.fingerprint.get_or_init(|| fingerprint(&self.entry.content.body))
    }

    fn has_same_ids(&self, known: &StoredEntry) -> bool {
        let same = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        same(&self.guid, &known.guid) && same(&self.url, &known.url)
    }
}

/// What an entry was identified as.
pub(super) enum EntryMatch {
    New,
    Known(Box<StoredEntry>, &'static str),
    Review(ReviewId),
    /// It is a version of a review that was retracted.
    Retracted(ReviewId),
    /// It has much of the text of that review, or its URL.
    SimilarText(ReviewId),
}

/// Returns the position of the first entry that is known.
pub(super) async fn first_known(
    tx: &mut Tx,
    feed: &Feed,
    document_ids: &DocumentIds,
    candidates: &[Candidate],
) -> anyhow::Result<Option<usize>> {
    let mut from_top: Vec<&Candidate> = candidates.iter().collect();
    from_top.sort_by_key(|candidate| candidate.position);
    for candidate in from_top {
        if matches!(identify(tx, feed, document_ids, candidate).await?, EntryMatch::Known(..)) {
            return Ok(Some(candidate.position));
        }
    }
    Ok(None)
}

/// Identifies an entry by its id within the feed, by its URL, or by its text.
pub(super) async fn identify(
    tx: &mut Tx,
    feed: &Feed,
    document_ids: &DocumentIds,
    candidate: &Candidate,
) -> anyhow::Result<EntryMatch> {
    if let Some(guid) = &candidate.guid
        && let Some(known) = feed_entries::find_by_guid(tx, feed.id, guid).await?
    {
        return Ok(EntryMatch::Known(Box::new(known), "id"));
    }
    if let Some(url) = &candidate.url {
        let known = feed_entries::find_by_url(tx, feed, url).await?;
        let id = match &known {
            Some(known) if known.feed_id == feed.id => None,
            Some(known) => known.review_id,
            None => feed_entries::find_review_by_url(tx, feed.critic, url).await?,
        };
        // Whether an entry of this feed is another review was found out before (`reused_ids`).
        let review = match id {
            Some(id) => reviews::read(tx, id).await?,
            None => None,
        };
        let identity = review.map_or(EntryIdentity::Same, |review| {
            EntryIdentity::find(&review, &candidate.entry.content, false)
        });
        match (identity, known, id) {
            (EntryIdentity::Same, Some(known), _) => return Ok(EntryMatch::Known(Box::new(known), "URL")),
            (EntryIdentity::Same, None, Some(review)) => return Ok(EntryMatch::Review(review)),
            (EntryIdentity::Unclear, _, Some(review)) => return Ok(EntryMatch::SimilarText(review)),
            _ => {}
        }
    }
    identify_by_text(tx, feed, document_ids, candidate).await
}

/// Identifies an entry by its text alone, which is the weakest evidence: boilerplate is the same in many reviews.
pub(super) async fn identify_by_text(
    tx: &mut Tx,
    feed: &Feed,
    document_ids: &DocumentIds,
    candidate: &Candidate,
) -> anyhow::Result<EntryMatch> {
    if !candidate.has_own_text {
        return Ok(EntryMatch::New);
    }
    let known = feed_entries::find_by_text(tx, feed, &candidate.text_hash).await?;
    let Some(known) = known.filter(|known| !candidate.is_other_than(known.review_id)) else {
        return identify_by_similar_text(tx, feed, document_ids, candidate).await;
    };
    let review = match known.review_id {
        Some(id) => reviews::read(tx, id).await?,
        None => None,
    };
    let review = review.filter(|review| !document_ids.contain(feed, &known, review, candidate));
    let Some(review) = review else { return Ok(EntryMatch::New) };
    if known.content_hash == candidate.content_hash
        || has_same_name(&review.content, &candidate.entry.content)
    {
        return Ok(EntryMatch::Known(Box::new(known), "text"));
    }
    match identify_by_similar_text(tx, feed, document_ids, candidate).await? {
        EntryMatch::New => Ok(EntryMatch::SimilarText(review.id)),
        found => Ok(found),
    }
}

/// Identifies an entry as a version of another one of this feed, which is not in the document any more, or as a text that is known
/// about another film.
async fn identify_by_similar_text(
    tx: &mut Tx,
    feed: &Feed,
    document_ids: &DocumentIds,
    candidate: &Candidate,
) -> anyhow::Result<EntryMatch> {
    let mut about_another_film = None;
    for id in fingerprints::find_similar(tx, feed.critic, candidate.fingerprint(), MAX_SIMILAR).await? {
        let Some(review) = reviews::read(tx, id).await? else { continue };
        if candidate.is_other_than(Some(id)) {
            continue;
        }
        if review.state == ReviewState::Retracted {
            if is_version(&review.content, &candidate.entry.content) {
                return Ok(EntryMatch::Retracted(id));
            }
            continue;
        }
        if !is_version(&review.content, &candidate.entry.content) {
            if about_another_film.is_none()
                && is_version_about_another_film(&review.content, &candidate.entry.content)
            {
                about_another_film = Some(id);
            }
            continue;
        }
        let known = feed_entries::find_by_review(tx, feed.id, id).await?;
        return Ok(match known.filter(|known| !document_ids.contain(feed, known, &review, candidate)) {
            Some(known) => EntryMatch::Known(Box::new(known), "text"),
            None => EntryMatch::SimilarText(id),
        });
    }
    Ok(about_another_film.map_or(EntryMatch::New, EntryMatch::SimilarText))
}

/// Whether two entries name the same film or have the same headline.
fn has_same_name(a: &ReviewContent, b: &ReviewContent) -> bool {
    !a.film.title.is_empty() && a.film.title == b.film.title || a.title == b.title
}

/// The entries of a document, the oldest first, without ids and URLs that several of them share; and all their ids and
/// URLs.
pub(super) fn candidates(document: FeedDocument) -> (Vec<Candidate>, DocumentIds) {
    let FeedDocument { entries, shared_guids, shared_urls, .. } = document;
    let mut entries: Vec<(usize, FeedEntry)> = entries.into_iter().enumerate().collect();
    // Feeds have the newest entry first; entries without a date keep their position.
    entries.reverse();
    entries.sort_by_key(|(_, entry)| entry.content.published);
    let candidate = |(position, entry): (usize, FeedEntry)| Candidate {
        position,
        note: None,
        other_than: None,
        guid: entry.guid.clone().filter(|guid| !shared_guids.contains(guid)),
        url: entry.content.canonical_url.as_ref().map(url_key).filter(|url| !shared_urls.contains(url)),
        text_hash: text_hash(&entry.content),
        has_own_text: true,
        content_hash: content_hash(&entry.content),
        fingerprint: OnceLock::new(),
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
        is_page: false,
        complete_since: None,
        guids: candidates.iter().filter_map(|candidate| candidate.guid.clone()).collect(),
        urls: candidates.iter().filter_map(|candidate| candidate.url.clone()).collect(),
    };
    (candidates, present)
}
