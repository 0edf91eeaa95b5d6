//! Finds the entries that have the id or the link of an older entry, but are other reviews, so that the id or link identifies
//! none: ids that are positions in the feed, or links to a page that several reviews share.

use std::collections::{HashMap, HashSet};

use super::identify::{Candidate, DocumentIds};
use super::known_entries::KnownEntries;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::{Feed, PendingReason};
use crate::domain::review::{Review, ReviewContent};
use crate::store::feed_entries::{self, StoredEntry};
use crate::store::{Result, Tx, reviews};

/// The ids on the pages of a feed that one poll has read so far.
#[derive(Default)]
pub(super) struct EarlierIds {
    /// The hashes of the contents of their entries.
    contents: HashMap<String, String>,
    /// Whether any of them is that of another review.
    pub(super) are_reused: bool,
}

/// Removes from the entries of a page, and from its ids and URLs, those that belong to another review. Returns the entries of
/// the feed that have the others.
pub(super) async fn forget_reused_ids(
    tx: &mut Tx,
    feed: &Feed,
    candidates: &mut [Candidate],
    document_ids: &mut DocumentIds,
    earlier_ids: &mut EarlierIds,
) -> Result<KnownEntries> {
    use EntryIdentity::{Other, Same, Unclear};
    let known = KnownEntries::find(tx, feed.id, candidates).await?;
    let mut identities = Vec::with_capacity(candidates.len());
    for candidate in &*candidates {
        let by_guid = known.by_guid(candidate);
        let mut guid = identity(tx, candidate, by_guid).await?;
        // The link of an entry matters if its id is unknown, or if its id may be another entry's.
        let url = match guid {
            Some(Same) => None,
            _ => identity(tx, candidate, known.by_url(candidate)).await?,
        };
        if guid == Some(Unclear)
            && (url == Some(Same)
                || has_other_entry(earlier_ids, candidate)
                || has_text_of_another(tx, feed, candidate, by_guid).await?)
        {
            guid = Some(Other);
        }
        identities.push((guid, url));
    }
    let any_guid = |identity| identities.iter().any(|(guid, _)| *guid == Some(identity));
    // Ids that are positions in the feed change together.
    let are_positions = any_guid(Other) && !any_guid(Same);
    let (mut guids, mut urls) = (HashSet::new(), HashSet::new());
    for (candidate, (guid, url)) in candidates.iter_mut().zip(identities) {
        if let Some(guid) = &candidate.guid {
            earlier_ids.contents.insert(guid.clone(), candidate.content_hash.clone());
        }
        if guid == Some(Other) || guid == Some(Unclear) && are_positions {
            guids.extend(candidate.guid.take());
            candidate.note = Some("its id is that of another review");
        }
        if url == Some(Other) {
            urls.extend(candidate.url.take());
            candidate.note = Some("its link is that of another review");
        }
    }
    earlier_ids.are_reused |= !guids.is_empty();
    document_ids.forget(&guids, &urls);
    Ok(known)
}

/// Whether another entry on a page before has the same id: some feeds number the entries of each page anew.
fn has_other_entry(earlier_ids: &EarlierIds, candidate: &Candidate) -> bool {
    let earlier = candidate.guid.as_ref().and_then(|guid| earlier_ids.contents.get(guid));
    earlier.is_some_and(|hash| *hash != candidate.content_hash)
}

/// Whether an entry has the text of another one of the feed than the known one.
async fn has_text_of_another(
    tx: &mut Tx,
    feed: &Feed,
    candidate: &Candidate,
    known: Option<&StoredEntry>,
) -> Result<bool> {
    let found = feed_entries::find_by_text(tx, feed, &candidate.text_hash).await?;
    Ok(found.is_some_and(|found| found.feed_id == feed.id && known.is_some_and(|known| known.id != found.id)))
}

/// What an entry is that has the id or link of a known one.
async fn identity(
    tx: &mut Tx,
    candidate: &Candidate,
    known: Option<&StoredEntry>,
) -> Result<Option<EntryIdentity>> {
    let Some(known) = known else { return Ok(None) };
    if known.content_hash == candidate.content_hash
        || (known.pending_hash.as_ref() == Some(&candidate.content_hash)
            && known.pending_reason != Some(PendingReason::Lossy))
    {
        return Ok(Some(EntryIdentity::Same));
    }
    let review = match known.review_id {
        Some(id) => reviews::read(tx, id).await?,
        None => None,
    };
    let identity = |review: Review| find_identity(&review, known, candidate);
    // An entry without a review has none that could be replaced.
    Ok(Some(review.map_or(EntryIdentity::Same, identity)))
}

/// Compares an entry with the review of a known one.
pub(super) fn find_identity(review: &Review, known: &StoredEntry, candidate: &Candidate) -> EntryIdentity {
    let ids = (candidate.guid.as_deref(), candidate.url.as_deref());
    compare(review, known, ids, &candidate.entry.content)
}

/// The same, with the id and the normalized URL of the entry. One that has neither in common was recognized by its text.
pub(super) fn compare(
    review: &Review,
    known: &StoredEntry,
    (guid, url): (Option<&str>, Option<&str>),
    content: &ReviewContent,
) -> EntryIdentity {
    let ids = [known.guid.as_deref().zip(guid), known.url.as_deref().zip(url)];
    let mut are_equal = ids.into_iter().flatten().map(|(old, new)| old == new);
    if !are_equal.clone().any(|is_equal| is_equal) {
        return EntryIdentity::Same;
    }
    EntryIdentity::find(review, content, !are_equal.all(|is_equal| is_equal))
}
