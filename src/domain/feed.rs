//! A feed that is polled, and what was decided about its entries.

use std::time::Duration;

use super::id::{CriticId, FeedId};
use super::time::Timestamp;

/// A feed as we keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its id.
    pub id: FeedId,
    /// The critic whose reviews it carries.
    pub critic: CriticId,
    /// Its name in the config; a feed whose URL changes stays the same feed.
    pub name: String,
    /// `https://…`, or the path of a local file.
    pub url: String,
    /// How often it is asked.
    pub interval: Duration,
    /// Entries dated before this become archive.
    pub publish_since: Timestamp,
    /// At most so many go out in one poll.
    pub max_publish_per_poll: u32,
    /// The validators of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer.
    pub last_modified: Option<String>,
    /// Polls that failed in a row.
    pub failures: u32,
}

/// How long to wait after `failures` polls in a row went wrong: the interval doubled each time, a day
/// at most. It never ends: a feed that comes back is read again.
pub fn poll_backoff(interval: Duration, failures: u32) -> Duration {
    let day = Duration::from_hours(24);
    interval.saturating_mul(1 << failures.min(12)).min(day.max(interval))
}

/// What was decided about an entry, or about a whole poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngestDecision {
    /// Went out to the followers.
    Published,
    /// Entered as archive: older than `publish_since`.
    Archived,
    /// Changed since the last poll: the review was revised.
    Revised,
    /// Waits: over the limit of a poll, or too similar to another review.
    Held,
    /// Dated ahead: waits for its hour.
    Scheduled,
    /// Known under another id, link or feed; nothing was published.
    Matched,
    /// Left out, with the reason.
    Skipped,
    /// The poll failed.
    Failed,
}

impl IngestDecision {
    /// The name under which it is stored and printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Archived => "archived",
            Self::Revised => "revised",
            Self::Held => "held",
            Self::Scheduled => "scheduled",
            Self::Matched => "matched",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_feed_is_asked_less_often_but_never_given_up() {
        let quarter = Duration::from_mins(15);
        assert_eq!(poll_backoff(quarter, 1), Duration::from_mins(30));
        assert_eq!(poll_backoff(quarter, 4_000), Duration::from_hours(24));
        let weekly = Duration::from_hours(168);
        assert_eq!(poll_backoff(weekly, 3), weekly);
    }
}
