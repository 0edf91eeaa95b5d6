//! Lists the changes of entries that are kept back, with what each of them would change.

use anyhow::Context;

use super::feed_poll::FeedPoll;
use super::fetch_feed::feed_base;
use super::fetch_feed::known_columns;
use super::reused_ids::find_identity;
use crate::domain::content_fields::differing_fields;
use crate::domain::entry_identity::EntryIdentity;
use crate::domain::feed::{Feed, PendingReason};
use crate::domain::lossy_change::LossyChange;
use crate::domain::review::{ContentField, Review, ReviewState};
use crate::flows::App;
use crate::store::{critics, feed_entries, feeds, reviews};

/// A change of an entry that is not applied to its review yet.
#[derive(Debug)]
pub struct KeptChange {
    /// The review.
    pub review: Review,
    /// Why the change waits.
    pub reason: PendingReason,
    /// Whether no poll sends anything of its feed.
    pub never_sends: bool,
    /// What it would take away, if that is why it waits and its text was kept.
    pub loss: Option<LossyChange>,
    /// The new headline, if it may be another review.
    pub other_title: Option<String>,
    /// What it would change. `None` if it was too large to be kept.
    pub fields: Option<Vec<ContentField>>,
}

/// Lists the changes that are kept back, of the feed with this name or of all feeds of the config, the oldest entry first.
pub async fn list_kept_changes(app: &App, name: Option<&str>) -> anyhow::Result<Vec<KeptChange>> {
    let mut changes = Vec::new();
    for feed in feeds::list_all(&app.db).await? {
        if name.is_none_or(|name| feed.name == name) {
            changes.extend(list_of_feed(app, &feed).await?);
        }
    }
    Ok(changes)
}

async fn list_of_feed(app: &App, feed: &Feed) -> anyhow::Result<Vec<KeptChange>> {
    let kept = feed_entries::list_kept_back(&app.db, feed.id).await?;
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let critic = critics::find(&app.db, feed.critic).await?.context("the feed has no critic")?;
    let base = feed_base(app, feed)?;
    let mut poll = FeedPoll::new(app, feed, &critic, None, &base);
    poll.columns = known_columns(app, feed).await?;
    let mut changes = Vec::with_capacity(kept.len());
    for entry in kept {
        let (Some(id), Some(reason)) = (entry.review_id, entry.pending_reason) else { continue };
        let Some(review) = reviews::find(&app.db, id).await? else { continue };
        if review.state == ReviewState::Retracted {
            continue;
        }
        let source = feed_entries::read_pending(&app.db, entry.id).await?;
        let other = source.as_deref().and_then(|source| poll.parse_source(source));
        let other = other.filter(|other| find_identity(&review, &entry, other) != EntryIdentity::Same);
        let candidate = source.and_then(|source| poll.parse_change(&source, &entry));
        let new = candidate.map(|candidate| candidate.entry.content);
        changes.push(KeptChange {
            loss: new.as_ref().and_then(|new| LossyChange::find(&review.content, new)),
            other_title: other.map(|other| other.entry.content.title),
            fields: new.map(|new| differing_fields(&review.content, &new)),
            review,
            reason,
            never_sends: feed.never_sends(),
        });
    }
    Ok(changes)
}
