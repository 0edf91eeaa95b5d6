//! The site's origin, and every URL of the site, which this module alone builds and parses.
//!
//! ActivityPub ids (`/ap/…`) are not page URLs and never contain a name that can change.

use std::fmt;

use url::Url;

use super::id::{ActivityId, AuthorizationId, CommentId, CriticId, ReviewId};
use super::review::{Media, Review};

/// The scheme, host and port of the site's public URLs. Every id that was ever sent contains the origin, so
/// it cannot change once the site is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
    is_trial: bool,
}

/// The text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be https://your.domain without a path, or http://localhost:PORT for a trial")]
pub struct ParseOriginError;

impl Origin {
    /// Parses `https://host[:port]` or, for a trial on one machine, `http://localhost[:port]`.
    pub fn parse(text: &str) -> Result<Self, ParseOriginError> {
        let url = Url::parse(text).map_err(|_| ParseOriginError)?;
        let host = url.host_str().ok_or(ParseOriginError)?.to_owned();
        let is_trial = url.scheme() == "http" && host == "localhost";
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        if !bare || !anonymous || !(is_trial || url.scheme() == "https") {
            return Err(ParseOriginError);
        }
        Ok(Self { text: url.origin().ascii_serialization(), host, is_trial })
    }

    /// The origin without a trailing slash, such as `https://host`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host and port, as in the `Host` header and in ids.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the origin has a port. No handle on the public fediverse can have one.
    pub fn has_port(&self) -> bool {
        self.authority() != self.host
    }

    /// The host without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the origin is `http://localhost`, which other servers cannot reach.
    pub const fn is_localhost(&self) -> bool {
        self.is_trial
    }

    /// Whether the URL has this origin.
    pub fn owns(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.text
    }

    /// Returns the path and query of a URL of this origin, and `None` for other URLs.
    pub fn local_path<'u>(&self, url: &'u Url) -> Option<&'u str> {
        self.owns(url).then(|| &url[url::Position::BeforePath..url::Position::AfterQuery])
    }

    /// Returns the URL of a path, which must start with a slash.
    ///
    /// # Panics
    /// Never, since an origin followed by such a path is a URL.
    pub fn url(&self, path: &str) -> Url {
        debug_assert!(path.starts_with('/'), "{path} starts with a slash");
        Url::parse(&format!("{}{path}", self.text)).expect("an origin and a path are a URL")
    }

    /// The id of a critic's actor.
    pub fn actor(&self, critic: CriticId) -> Url {
        self.url(&format!("/ap/actor/{critic}"))
    }

    /// An endpoint of a critic's actor: `inbox`, `outbox`, `followers`, `following` or `featured`.
    pub fn actor_endpoint(&self, critic: CriticId, part: &str) -> Url {
        self.url(&format!("/ap/actor/{critic}/{part}"))
    }

    /// The id of the key with which a critic signs.
    pub fn actor_key_id(&self, critic: CriticId) -> Url {
        self.url(&format!("/ap/actor/{critic}#main-key"))
    }

    /// The id of the instance actor, which signs our GET requests.
    pub fn instance_actor(&self) -> Url {
        self.url("/ap/actor")
    }

    /// The id of the key with which the instance actor signs.
    pub fn instance_key_id(&self) -> Url {
        self.url("/ap/actor#main-key")
    }

    /// The shared inbox of all local actors.
    pub fn shared_inbox(&self) -> Url {
        self.url("/ap/inbox")
    }

    /// The id of a review's Article.
    pub fn article(&self, review: ReviewId) -> Url {
        self.url(&format!("/ap/article/{review}"))
    }

    /// A collection of an Article: `replies`, `context`, `likes` or `shares`.
    pub fn article_collection(&self, review: ReviewId, part: &str) -> Url {
        self.url(&format!("/ap/article/{review}/{part}"))
    }

    /// The id of an activity.
    pub fn activity(&self, activity: ActivityId) -> Url {
        self.url(&format!("/ap/activity/{activity}"))
    }

    /// Parses the id of an Article.
    pub fn parse_article_id(&self, url: &Url) -> Option<ReviewId> {
        self.local_path(url)?.strip_prefix("/ap/article/")?.parse().ok()
    }

    /// Parses the id of a critic's actor.
    pub fn parse_actor_id(&self, url: &Url) -> Option<CriticId> {
        self.local_path(url)?.strip_prefix("/ap/actor/")?.parse().ok()
    }

    /// The id of the Note of a critic's reply.
    pub fn note(&self, comment: CommentId) -> Url {
        self.url(&format!("/ap/note/{comment}"))
    }

    /// A collection of a Note: `replies`.
    pub fn note_collection(&self, comment: CommentId, part: &str) -> Url {
        self.url(&format!("/ap/note/{comment}/{part}"))
    }

    /// Parses the id of the Note of a critic's reply.
    pub fn parse_note_id(&self, url: &Url) -> Option<CommentId> {
        self.local_path(url)?.strip_prefix("/ap/note/")?.parse().ok()
    }

    /// The id of a quote authorization (FEP-044f).
    pub fn quote_authorization(&self, authorization: AuthorizationId) -> Url {
        self.url(&format!("/ap/stamp/{authorization}"))
    }

    /// The home page.
    pub fn home_page(&self) -> Url {
        self.url("/")
    }

    /// A critic's profile page.
    pub fn profile_page(&self, handle: &str) -> Url {
        self.url(&format!("/@{handle}"))
    }

    /// A review's page.
    pub fn review_page(&self, review: &Review) -> Url {
        self.url(&format!("/reviews/{}", review.slug))
    }

    /// The preview card of a review. Each version of the image has its own URL, so that caches never go stale.
    pub fn card(&self, review: &Review, version: &str) -> Url {
        self.url(&format!("/reviews/{}/card.png?v={version}", review.slug))
    }

    /// A tag's page.
    pub fn tag_page(&self, tag: &str) -> Url {
        let slug = super::browse_index::browse_slug(tag);
        self.url(&format!("/tags/{slug}"))
    }

    /// The root of the path that is reserved for the critic's own pages.
    pub fn desk(&self) -> Url {
        self.url("/desk")
    }

    /// The URL of a media file.
    pub fn media_url(&self, media: &Media) -> Url {
        self.media_url_by_name(&media.name)
    }

    /// The URL of a media file, given its name.
    pub fn media_url_by_name(&self, name: &str) -> Url {
        self.url(&format!("/media/{name}"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_http_localhost_are_accepted() {
        assert_eq!(Origin::parse("https://Crit.Example/").unwrap().as_str(), "https://crit.example");
        assert!(Origin::parse("http://localhost:8080").unwrap().is_localhost());
        for wrong in
            ["http://crit.example", "https://crit.example/blog", "crit.example", "https://a@b.example", ""]
        {
            assert_eq!(Origin::parse(wrong), Err(ParseOriginError), "{wrong}");
        }
        assert!(Origin::parse("https://crit.example:8443").unwrap().has_port());
        assert_eq!(Origin::parse("https://crit.example:443").unwrap().as_str(), "https://crit.example");
    }

    #[test]
    fn only_ids_of_this_origin_are_parsed() {
        let origin = Origin::parse("https://crit.example").unwrap();
        let id = ReviewId::new(crate::domain::time::Timestamp::from_millis(1));
        assert_eq!(origin.parse_article_id(&origin.article(id)), Some(id));
        let foreign: Url = format!("https://evil.example/ap/article/{id}").parse().unwrap();
        assert_eq!(origin.parse_article_id(&foreign), None);
        let port: Url = format!("https://crit.example:444/ap/article/{id}").parse().unwrap();
        assert_eq!(origin.parse_article_id(&port), None);
    }
}
