//! Reviews: the content that a source provides (`ReviewContent`), the stored review (`Review`), and the
//! transitions between its states.

use serde::{Deserialize, Serialize};
use url::Url;

use super::body_text::strip_figures;
use super::film::Film;
use super::id::{ActivityId, CriticId, FeedId, MediaId, ReviewId};
use super::named_enum::named_enum;
use super::rating::Rating;
use super::time::Timestamp;

/// The content of a review as one source provides it. HTML is already sanitised; plain text is trimmed, free
/// of control characters, and within the limits of `sources`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewContent {
    /// The headline, as plain text.
    pub title: String,
    /// The line below the headline, as plain text.
    pub subtitle: Option<String>,
    /// The body without its credits block, as sanitised HTML.
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
    /// Returns the reading time in minutes: see [`reading_minutes`].
    pub fn reading_minutes(&self) -> u32 {
        reading_minutes(&self.body)
    }
}

/// Returns the reading time of an HTML body in minutes, at 230 words a minute, at least one.
pub fn reading_minutes(html: &str) -> u32 {
    let html = strip_figures(html);
    let mut words: u32 = 0;
    let (mut in_tag, mut in_word) = (false, false);
    for c in html.chars() {
        match c {
            '<' => (in_tag, in_word) = (true, false),
            '>' => in_tag = false,
            _ if in_tag => {}
            c if c.is_whitespace() => in_word = false,
            _ if !in_word => {
                in_word = true;
                words = words.saturating_add(1);
            }
            _ => {}
        }
    }
    words.div_ceil(230).max(1)
}

/// Returns the text as a URL segment: lower-case letters and digits of any script, Latin letters without
/// accents, joined by single hyphens, at most 80 characters. It is empty if the text has no letters or digits.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().map(without_accent).flat_map(char::to_lowercase).take(400) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !matches!(c, '\'' | '\u{2019}') && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= 80 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Turns `é` into `e`. In other scripts a mark makes a different letter, so those stay.
fn without_accent(c: char) -> char {
    use unicode_normalization::UnicodeNormalization;

    let first = c.nfd().next().unwrap_or(c);
    if first.is_ascii_alphabetic() { first } else { c }
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
                Ok(())
            }
            ReviewState::Archive | ReviewState::Published => Err(TransitionError::AlreadyReleased),
            ReviewState::Retracted => Err(TransitionError::Retracted),
        }
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
    /// since receivers ignore (Mastodon) or refuse (GoToSocial) an Update that is not newer.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_short_and_clean() {
        assert_eq!(slug("  'Stalker': the room, & you!"), "stalker-the-room-you");
        assert_eq!(slug("Don\u{2019}t Look Now"), "dont-look-now");
        assert_eq!(slug("Слон / 象"), "слон-象");
        assert_eq!(slug("Cléo de 5 à 7"), "cleo-de-5-a-7");
        assert_eq!(slug("???"), "");
        assert_eq!(slug(&"a".repeat(500)).len(), 80);
    }

    #[test]
    fn reading_time_counts_words_and_not_tags() {
        assert_eq!(reading_minutes("<p class=\"a b c\">One two</p>"), 1);
        assert_eq!(reading_minutes(&"<p>word</p> ".repeat(231)), 2);
    }
}
