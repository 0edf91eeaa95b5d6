//! Finds the entries that have the id or the link of an older entry, but are other reviews, so that the id or link identifies
//! none: ids that are positions in the feed, or links to a page that several reviews share.

use std::collections::HashSet;

use super::identify::{Candidate, DocumentIds};
use super::known_entries::KnownEntries;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::Feed;
use crate::domain::review::{Review, ReviewContent};
use crate::store::feed_entries::StoredEntry;
use crate::store::{Result, Tx, reviews};

/// Removes from the entries of a document, and from its ids and URLs, those that belong to another review. Returns the entries of
/// the feed that have the others.
pub(super) async fn forget_reused_ids(
    tx: &mut Tx,
    feed: &Feed,
    candidates: &mut [Candidate],
    document_ids: &mut DocumentIds,
) -> Result<KnownEntries> {
    use EntryIdentity::{Other, Same, Unclear};
    let known = KnownEntries::find(tx, feed.id, candidates).await?;
    let (mut guids, mut urls) = (HashSet::new(), HashSet::new());
    for candidate in candidates {
        let by_guid = known.by_guid(candidate);
        let by_url = known.by_url(candidate);
        let guid_identity = identity(tx, candidate, by_guid).await?;
        // The link of an entry matters if its id is unknown, or if its id may be another entry's.
        let url_identity = match guid_identity {
            Some(Same) => None,
            _ => identity(tx, candidate, by_url).await?,
        };
        if matches!((guid_identity, url_identity), (Some(Other), _) | (Some(Unclear), Some(Same))) {
            guids.extend(candidate.guid.take());
            candidate.note = Some("its id is that of another review");
        }
        if url_identity == Some(Other) {
            urls.extend(candidate.url.take());
            candidate.note = Some("its link is that of another review");
        }
    }
    document_ids.forget(&guids, &urls);
    Ok(known)
}

/// What an entry is that has the id or link of a known one.
async fn identity(
    tx: &mut Tx,
    candidate: &Candidate,
    known: Option<&StoredEntry>,
) -> Result<Option<EntryIdentity>> {
    let Some(known) = known else { return Ok(None) };
    if known.content_hash == candidate.content_hash
        || known.pending_hash.as_ref() == Some(&candidate.content_hash)
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
