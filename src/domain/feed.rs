//! Feeds that are polled, and the decisions about their entries.

use std::time::Duration;

use super::feed_selection::FeedSelection;
use super::id::{CriticId, FeedId};
use super::named_enum::named_enum;
use super::time::Timestamp;

/// A feed as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The id.
    pub id: FeedId,
    /// The critic whose reviews the feed carries.
    pub critic: CriticId,
    /// The name in the config. It identifies the feed, so the URL can change.
    pub name: String,
    /// An `https://` URL, or the path of a local file.
    pub url: String,
    /// How often the feed is polled.
    pub interval: Duration,
    /// Entries dated before this time are archived and never delivered.
    pub publish_since: Timestamp,
    /// The most reviews that the feed may publish within an interval, and the most Updates that it may send.
    pub max_publish_per_poll: u32,
    /// Which entries are reviews.
    pub selection: FeedSelection,
    /// The `ETag` of the last response.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last response.
    pub last_modified: Option<String>,
    /// The number of failed polls in a row.
    pub failures: u32,
    /// The version of Marquee that read the feed last.
    pub parser_version: Option<String>,
    /// The URL at which the feed was read to its last page: the configured one, or that of a redirect. A new entry without a date is only new in such a feed.
    pub read_url: Option<String>,
    /// The `User-Agent` of requests for the feed, instead of Marquee's own.
    pub user_agent: Option<String>,
    /// The pause between requests for its pages.
    pub page_interval: Duration,
    /// The URL that is requested instead of `url`: the target of a permanent redirect, or the feed that the page at `url`
    /// links to.
    pub resolved_url: Option<String>,
    /// How far its older pages have been read.
    pub pages: PageProgress,
    /// The authors that all its entries so far have in common, as far as they name any. `None` before one did; empty if
    /// there is no such author.
    pub authors: Option<Vec<String>>,
}

/// How far the pages of a feed have been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageProgress {
    /// The URL of the page that is read next, until all have been read.
    pub next: Option<String>,
    /// The pages that have been read, with the first one; 0 before the first poll at the feed's URL.
    pub read: u32,
    /// The reviews that were archived from them.
    pub archived: u32,
    /// The failures in a row to read the next page.
    pub failures: u32,
    /// After a failure, the server does not request the next page before this time.
    pub retry_at: Timestamp,
}

/// Why something waits in a feed that sends nothing by itself, as its log says.
pub const NEVER_SENDS: &str =
    "max_publish_per_poll is 0, so that it waits until you decide; `marquee feed held` lists it";

impl Feed {
    /// Whether no poll publishes a review or sends an Update.
    pub const fn never_sends(&self) -> bool {
        self.max_publish_per_poll == 0
    }

    /// Whether the feed was read to its last page at its current URL.
    pub fn is_read(&self) -> bool {
        self.read_url.as_deref() == Some(self.url.as_str())
    }
}

/// Returns how long to wait after `failures` failed polls in a row: the interval, doubled each time, but at
/// most a day (or the interval, if that is longer). Polling never stops, so a feed that recovers is read again.
pub fn poll_backoff(interval: Duration, failures: u32) -> Duration {
    let day = Duration::from_hours(24);
    interval.saturating_mul(1 << failures.min(12)).min(day.max(interval))
}

/// The outcome of an entry, or of a whole poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngestDecision {
    /// The review was published to the followers.
    Published,
    /// The review was archived: it is older than `publish_since`, may be so, is on an older page, or comes from an export.
    Archived,
    /// The entry changed since the last poll, and the review was revised.
    Revised,
    /// The review is held: it exceeds the limit of a poll, or is too similar to another review.
    Held,
    /// The review is dated in the future and will be published then.
    Scheduled,
    /// The review is already known under another id, link or feed. Nothing was published.
    Matched,
    /// The entry was skipped, for a reason that the log gives.
    Skipped,
    /// The poll failed, or an image of the entry could not be fetched.
    Failed,
}

named_enum!(IngestDecision, "decision", {
    Published => "published",
    Archived => "archived",
    Revised => "revised",
    Held => "held",
    Scheduled => "scheduled",
    Matched => "matched",
    Skipped => "skipped",
    Failed => "failed",
});

/// Why an entry of a feed is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// The poll reached its limit. A later poll publishes the review.
    NextPoll,
    /// The review is similar to another one. The critic decides.
    Similar,
}

named_enum!(HoldReason, "reason to hold a review", {
    NextPoll => "next_poll",
    Similar => "similar",
});

/// Why a change of an entry is not applied to its review yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingReason {
    /// The feed reached its limit of Updates. A later poll applies the change.
    UpdateLimit,
    /// The change would take most of the review away: the entry lost its text, or it may be another review with the same id or
    /// link ([`EntryIdentity`](super::entry_identity::EntryIdentity) tells which). The critic decides.
    Lossy,
    /// The critic corrected the same text. The critic decides.
    Corrected,
}

named_enum!(PendingReason, "reason to keep a change back", {
    UpdateLimit => "update_limit",
    Lossy => "lossy",
    Corrected => "corrected",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_feed_is_polled_less_often_but_never_abandoned() {
        let quarter = Duration::from_mins(15);
        assert_eq!(poll_backoff(quarter, 1), Duration::from_mins(30));
        assert_eq!(poll_backoff(quarter, 4_000), Duration::from_hours(24));
        let weekly = Duration::from_hours(168);
        assert_eq!(poll_backoff(weekly, 3), weekly);
    }
}
