//! Entries that wait to be published, or whose changes wait, and that the critic has meanwhile made private or taken out of the
//! selection: nothing of them is published by itself any more.

use url::Url;

use crate::domain::canonical_url::url_key;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::review::ReviewState;
use crate::domain::time::Timestamp;
use crate::store::{Tx, feed_entries, feed_log, reviews};

/// Ends the waiting of the entries with these ids and links, which the feed has and which are left out. Their reviews wait for the
/// critic, and changes that wait are forgotten.
pub(super) async fn stop_waiting(
    tx: &mut Tx,
    feed: &Feed,
    left_out: &[(Option<String>, Option<Url>)],
    now: Timestamp,
) -> anyhow::Result<()> {
    let waiting = feed_entries::list_waiting(tx, feed.id).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let is_left_out = |guid: &Option<String>, url: &Option<String>| {
        left_out.iter().any(|(left_guid, left_url)| {
            guid.is_some() && guid == left_guid || url.is_some() && *url == left_url.as_ref().map(url_key)
        })
    };
    for entry in waiting.iter().filter(|entry| is_left_out(&entry.guid, &entry.url)) {
        feed_entries::stop_waiting(tx, entry.id).await?;
        let Some(id) = entry.review_id else { continue };
        let Some(mut review) = reviews::find_for_update(tx, id).await? else { continue };
        let reason = match review.state {
            ReviewState::Held | ReviewState::Scheduled => {
                format!(
                    "its entry is left out now, so that it waits for you; to publish it all the same, run: marquee feed \
                     release {}",
                    review.slug
                )
            }
            _ => "its entry is left out now; its change is not applied".to_owned(),
        };
        if review.state == ReviewState::Scheduled {
            review.unschedule()?;
            reviews::upsert(tx, &review, now).await?;
        }
        feed_log::append(tx, feed.id, IngestDecision::Held, &review.content.title, &reason, now).await?;
    }
    Ok(())
}
