//! Reviews: the content that a source provides (`ReviewContent`), the stored review (`Review`), and the
//! transitions between its states.

use serde::{Deserialize, Serialize};
use url::Url;

use super::film::Film;
use super::id::{ActivityId, CriticId, FeedId, MediaId, ReviewId};
use super::named_enum::named_enum;
use super::rating::Rating;
use super::reading_time::reading_minutes;
use super::recording::Recording;
use super::time::Timestamp;
use super::tracking_parameters::strip_tracking;

/// The content of a review as one source provides it. HTML is already sanitized; plain text is trimmed, free
/// of control characters, and within the limits of `sources`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewContent {
    /// The headline, as plain text.
    pub title: String,
    /// The line below the headline, as plain text.
    pub subtitle: Option<String>,
    /// The body without its credits block, as sanitized HTML.
    pub body: String,
    /// A teaser of a few sentences in plain text, which never contains a spoiler.
    pub teaser: String,
    /// The film.
    pub film: Film,
    /// The critic's rating.
    pub rating: Option<Rating>,
    /// The tags as the critic writes them, without `#`.
    pub tags: Vec<String>,
    /// The language, as a BCP 47 tag.
    pub language: Option<String>,
    /// The URL where the review was first published.
    pub canonical_url: Option<Url>,
    /// The time of publication according to the source.
    pub published: Option<Timestamp>,
    /// The time of the last change according to the source.
    pub updated: Option<Timestamp>,
    /// The poster or lead image.
    pub poster: Option<Poster>,
    /// The sound or video that the review consists of, in addition to its text.
    pub recording: Option<Recording>,
    /// Whether the critic warns of spoilers.
    pub has_spoilers: bool,
}

/// An image that a source refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poster {
    /// The URL: https, or `file:` for a path relative to the folder of a local feed.
    pub url: Url,
    /// The alternative text.
    pub alt: Option<String>,
}

impl ReviewContent {
    /// Whether there is nothing but a headline: neither a text nor credits, a picture or a recording.
    pub fn is_empty(&self) -> bool {
        let Film { directors, writers, stars, .. } = &self.film;
        let has_credits = [directors, writers, stars].iter().any(|names| !names.is_empty());
        let has_text = !self.body.is_empty() || self.subtitle.is_some() || has_credits;
        !has_text && self.poster.is_none() && self.recording.is_none()
    }

    /// Returns the reading time in minutes: see [`reading_minutes`].
    pub fn reading_minutes(&self) -> u32 {
        reading_minutes(&self.body)
    }

    /// Returns the URL where the review was first published, as readers see it: without tracking parameters.
    pub fn original_url(&self) -> Option<Url> {
        self.canonical_url.clone().map(|url| strip_tracking(url, None))
    }
}

/// A field of a review's content that the critic can correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentField {
    /// The headline.
    Title,
    /// The line below the headline.
    Subtitle,
    /// The text, with the teaser that is made from it.
    Body,
    /// The film and its people.
    Film,
    /// The rating.
    Rating,
    /// The tags.
    Tags,
    /// The language.
    Language,
    /// The address of the original.
    CanonicalUrl,
    /// The warning of spoilers.
    Spoilers,
    /// The poster and its description.
    Poster,
    /// When it was published first.
    Published,
}

impl ContentField {
    /// All fields.
    pub const ALL: [Self; 11] = [
        Self::Title,
        Self::Subtitle,
        Self::Body,
        Self::Film,
        Self::Rating,
        Self::Tags,
        Self::Language,
        Self::CanonicalUrl,
        Self::Spoilers,
        Self::Poster,
        Self::Published,
    ];

    /// Whether the critic wrote it as text that a reader reads.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Title | Self::Subtitle | Self::Body)
    }
}

/// The state of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Not public. It waits for the critic or for a later poll.
    Held,
    /// Not public yet. It is published automatically at its future date.
    Scheduled,
    /// Public, but never delivered: it was published elsewhere before.
    Archive,
    /// Public, and delivered to the followers.
    Published,
    /// Deleted. Its id responds with 410 and a Tombstone forever.
    Retracted,
}

named_enum!(ReviewState, "review state", {
    Held => "held",
    Scheduled => "scheduled",
    Archive => "archive",
    Published => "published",
    Retracted => "retracted",
});

impl ReviewState {
    /// Whether everyone can read the review.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Archive | Self::Published)
    }
}

/// A review as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The id, which is also part of the Article's id.
    pub id: ReviewId,
    /// The author.
    pub critic: CriticId,
    /// The id of the Create activity, which exists once the review is published.
    pub create_activity: ActivityId,
    /// The last segment of the page's URL. Earlier slugs redirect to it.
    pub slug: String,
    /// The state.
    pub state: ReviewState,
    /// The content. `content.published` is the source's claim; the timestamps below are authoritative.
    pub content: ReviewContent,
    /// The poster, once it is in the media folder.
    pub poster: Option<Media>,
    /// The feed that the review came from; `None` if it was published by hand.
    pub feed: Option<FeedId>,
    /// The fields that the critic corrected, which the feed does not replace.
    pub corrected: Vec<ContentField>,
    /// The date that is shown, and by which reviews are sorted.
    pub original_date: Timestamp,
    /// The `published` of the Article: the time of the first delivery, or the original date of an archived review.
    pub released_at: Timestamp,
    /// When the review was last revised after its release.
    pub revised_at: Option<Timestamp>,
    /// When the review was retracted.
    pub retracted_at: Option<Timestamp>,
}

/// An image in the media folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The id.
    pub id: MediaId,
    /// The name under `/media/`: the hash of the content, and an extension that fits the type.
    pub name: String,
    /// The media type, detected from the content.
    pub media_type: String,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The URL or path that the file came from, so that it is not fetched twice.
    pub source: String,
}

/// Why a review cannot change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The review is already public.
    #[error("the review is already published")]
    AlreadyReleased,
    /// The review does not wait for a date.
    #[error("the review is not scheduled")]
    NotScheduled,
    /// The review was retracted. Mastodon and others remember deleted ids, so the id cannot be used again.
    #[error("the review was retracted, and a retracted id cannot be used again")]
    Retracted,
}

impl Review {
    /// Publishes the review at `now`.
    ///
    /// # Errors
    /// `AlreadyReleased` if the review is public, `Retracted` if it was retracted.
    pub fn release(&mut self, now: Timestamp) -> Result<(), TransitionError> {
        match self.state {
            ReviewState::Held | ReviewState::Scheduled => {
                self.state = ReviewState::Published;
                self.released_at = now;
                // What is released before its date is of today.
                self.original_date = self.original_date.min(now);
                Ok(())
            }
            ReviewState::Archive | ReviewState::Published => Err(TransitionError::AlreadyReleased),
            ReviewState::Retracted => Err(TransitionError::Retracted),
        }
    }

    /// Holds a scheduled review, so that it is not published at its time.
    ///
    /// # Errors
    /// `NotScheduled` unless it is scheduled.
    pub fn unschedule(&mut self) -> Result<(), TransitionError> {
        if self.state != ReviewState::Scheduled {
            return Err(TransitionError::NotScheduled);
        }
        self.state = ReviewState::Held;
        Ok(())
    }

    /// Archives a review that is held or scheduled: it becomes public, and is delivered to nobody.
    ///
    /// # Errors
    /// `AlreadyReleased` if the review is public, `Retracted` if it was retracted.
    pub fn archive(&mut self) -> Result<(), TransitionError> {
        match self.state {
            ReviewState::Held | ReviewState::Scheduled => {
                self.state = ReviewState::Archive;
                self.released_at = self.original_date;
                Ok(())
            }
            ReviewState::Archive | ReviewState::Published => Err(TransitionError::AlreadyReleased),
            ReviewState::Retracted => Err(TransitionError::Retracted),
        }
    }

    /// Publishes the review at `now`, even if it is archived.
    ///
    /// # Errors
    /// `AlreadyReleased` if the review is published, `Retracted` if it was retracted.
    pub fn announce(&mut self, now: Timestamp) -> Result<(), TransitionError> {
        if self.state == ReviewState::Archive {
            self.state = ReviewState::Held;
        }
        self.release(now)
    }

    /// Retracts the review at `now`.
    ///
    /// # Errors
    /// `Retracted` if it was retracted before.
    pub fn retract(&mut self, now: Timestamp) -> Result<(), TransitionError> {
        if self.state == ReviewState::Retracted {
            return Err(TransitionError::Retracted);
        }
        self.state = ReviewState::Retracted;
        self.retracted_at = Some(now);
        Ok(())
    }

    /// Replaces the content at `now`. The new `revised_at` is later than any timestamp that was sent before,
    /// since receivers ignore (Mastodon) or reject (GoToSocial) an Update that is not newer.
    ///
    /// # Errors
    /// `Retracted` if the review was retracted.
    pub fn revise(&mut self, content: ReviewContent, now: Timestamp) -> Result<(), TransitionError> {
        if self.state == ReviewState::Retracted {
            return Err(TransitionError::Retracted);
        }
        self.content = content;
        if self.state.is_public() {
            // Timestamps are sent in whole seconds, and a second revision within one must still be newer.
            let last = self.revised_at.unwrap_or(self.released_at).max(self.released_at);
            self.revised_at = Some(now.max(last + std::time::Duration::from_secs(1)));
        }
        Ok(())
    }
}
