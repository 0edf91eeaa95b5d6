//! A review: what a source says of it (`Draft`), and what we publish (`Review`).

use serde::{Deserialize, Serialize};
use url::Url;

use super::film::Film;
use super::id::{ActivityId, CriticId, FeedId, MediaId, ReviewId};
use super::rating::Rating;
use super::text::strip_figures;
use super::time::Timestamp;

/// A review as one source tells it, before anyone decided what to do with it. HTML in it is already
/// sanitised; texts are trimmed, without control characters, and within the bounds of `sources`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewContent {
    /// The headline, as plain text.
    pub title: String,
    /// The line below the headline, as plain text.
    pub subtitle: Option<String>,
    /// The body without its credits block, as safe HTML.
    pub body: String,
    /// A few sentences of plain text that tell what to expect; never a spoiler.
    pub teaser: String,
    /// The film.
    pub film: Film,
    /// The critic's rating.
    pub rating: Option<Rating>,
    /// Tags as the critic writes them, without `#`.
    pub tags: Vec<String>,
    /// BCP 47 tag of the language it is written in.
    pub language: Option<String>,
    /// Where it was published first.
    pub canonical_url: Option<Url>,
    /// When the source says it was published.
    pub published: Option<Timestamp>,
    /// When the source says it was last changed.
    pub updated: Option<Timestamp>,
    /// The poster or lead picture.
    pub poster: Option<Poster>,
}

/// A picture that a source points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poster {
    /// Its address: https, or a path relative to a local feed's folder as a `file:` URL.
    pub url: Url,
    /// What it shows, for those who cannot see it.
    pub alt: Option<String>,
}

impl ReviewContent {
    /// Minutes that a reader needs, at 230 words a minute, at least one.
    pub fn reading_minutes(&self) -> u32 {
        reading_minutes(&self.body)
    }
}

/// Minutes that a reader needs for a body of HTML, at 230 words a minute, at least one.
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

/// A text as the last part of an address: lower-case letters and digits of any script, Latin ones without their
/// accents, joined by single hyphens, at most 80 characters. Empty where the text has neither.
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

/// `é` as `e`; letters of other scripts are other letters with their marks, and stay.
fn without_accent(c: char) -> char {
    use unicode_normalization::UnicodeNormalization;

    let first = c.nfd().next().unwrap_or(c);
    if first.is_ascii_alphabetic() { first } else { c }
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Waits for the critic, or for a later poll to release it. Nobody sees it.
    Held,
    /// Dated ahead: goes out by itself at its hour. Nobody sees it before.
    Scheduled,
    /// Public, but announced to nobody: it was there before Marquee.
    Archive,
    /// Public, and announced to the followers.
    Published,
    /// Taken back: its id answers 410 with a Tombstone, forever.
    Retracted,
}

impl ReviewState {
    /// The name under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Scheduled => "scheduled",
            Self::Archive => "archive",
            Self::Published => "published",
            Self::Retracted => "retracted",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Held, Self::Scheduled, Self::Archive, Self::Published, Self::Retracted]
            .into_iter()
            .find(|s| s.as_str() == name)
    }

    /// Whether everyone may read it.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Archive | Self::Published)
    }
}

/// A review as we keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Its id, also of its Article.
    pub id: ReviewId,
    /// Who wrote it.
    pub critic: CriticId,
    /// The Create that announces it, or would.
    pub create_activity: ActivityId,
    /// The last part of its page's address; earlier ones redirect to it.
    pub slug: String,
    /// Where it stands.
    pub state: ReviewState,
    /// What it says. `draft.published` is what the source said; the moments below are what holds.
    pub content: ReviewContent,
    /// The poster, once it is in our media folder.
    pub poster: Option<Media>,
    /// The feed that it came from; none for one published by hand.
    pub feed: Option<FeedId>,
    /// The date that its page shows, and its place in the archive.
    pub original_date: Timestamp,
    /// The `published` of its Article: when it went out, or the original date of an archive review.
    pub released_at: Timestamp,
    /// When it was last revised after its release.
    pub revised_at: Option<Timestamp>,
    /// When it was taken back.
    pub retracted_at: Option<Timestamp>,
}

/// A picture in our media folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Its name under `/media/`: the hash of its content and an ending that fits its type.
    pub name: String,
    /// Its media type, found from its content.
    pub media_type: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Where it came from, so that it is not fetched twice.
    pub source: String,
}

/// Why a review did not change its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// It is out already.
    #[error("it is published already")]
    AlreadyReleased,
    /// A deleted id can never be used again (Mastodon and others remember it).
    #[error("it was retracted, and a retracted id cannot be used again")]
    Retracted,
}

impl Review {
    /// Makes it public at `now`.
    ///
    /// # Errors
    /// `AlreadyReleased` where it is out, `Retracted` where it was taken back.
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

    /// Takes it back at `now`.
    ///
    /// # Errors
    /// `Retracted` where that happened before.
    pub fn retract(&mut self, now: Timestamp) -> Result<(), TransitionError> {
        if self.state == ReviewState::Retracted {
            return Err(TransitionError::Retracted);
        }
        self.state = ReviewState::Retracted;
        self.retracted_at = Some(now);
        Ok(())
    }

    /// Replaces what it says, at `now`. The revision is newer than any moment that was sent before,
    /// since receivers ignore an `updated` that is not (Mastodon) or refuse it (GoToSocial).
    ///
    /// # Errors
    /// `Retracted` where it was taken back.
    pub fn revise(&mut self, draft: ReviewContent, now: Timestamp) -> Result<(), TransitionError> {
        if self.state == ReviewState::Retracted {
            return Err(TransitionError::Retracted);
        }
        self.content = draft;
        if self.state.is_public() {
            // The wire has whole seconds: a second revision within one must still be newer.
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
