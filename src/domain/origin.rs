//! The site's own addresses, all of them made here.
//!
//! Ids (`/ap/…`) are not page addresses and never carry a name that can change.

use std::fmt;

use url::Url;

use super::id::{ActivityId, AuthorizationId, CommentId, CriticId, ReviewId};
use super::review::{Media, Review};

/// The scheme, host and port under which the world reaches this site. It is part of every id that was
/// ever sent, so it cannot change once the site is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
    is_trial: bool,
}

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be https://your.domain without a path, or http://localhost:PORT for a trial")]
pub struct ParseOriginError;

impl Origin {
    /// Reads `https://host[:port]` or, for a trial on one machine, `http://localhost[:port]`.
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

    /// `https://host`, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port as they stand in the `Host` header and in ids.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether it names a port, which no handle on the public fediverse can have.
    pub fn has_port(&self) -> bool {
        self.authority() != self.host
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is `http://localhost`, which other servers cannot reach.
    pub const fn is_localhost(&self) -> bool {
        self.is_trial
    }

    /// Whether the address is one of ours.
    pub fn owns(&self, url: &Url) -> bool {
        url.origin().ascii_serialization() == self.text
    }

    /// The path (with its query) of an address of ours; none for others.
    pub fn local_path<'u>(&self, url: &'u Url) -> Option<&'u str> {
        self.owns(url).then(|| &url[url::Position::BeforePath..url::Position::AfterQuery])
    }

    /// The address of a path that starts with a slash.
    ///
    /// # Panics
    /// Never: an origin followed by a path of ours is a URL.
    pub fn url(&self, path: &str) -> Url {
        debug_assert!(path.starts_with('/'), "{path} starts with a slash");
        Url::parse(&format!("{}{path}", self.text)).expect("an origin and a path are a URL")
    }

    /// A critic's actor id.
    pub fn actor(&self, critic: CriticId) -> Url {
        self.url(&format!("/ap/actor/{critic}"))
    }

    /// Something that hangs off a critic's actor: `inbox`, `outbox`, `followers`, `following`, `featured`.
    pub fn actor_endpoint(&self, critic: CriticId, part: &str) -> Url {
        self.url(&format!("/ap/actor/{critic}/{part}"))
    }

    /// The id of the key that a critic signs with.
    pub fn actor_key_id(&self, critic: CriticId) -> Url {
        self.url(&format!("/ap/actor/{critic}#main-key"))
    }

    /// The actor that signs our own GET requests.
    pub fn instance_actor(&self) -> Url {
        self.url("/ap/actor")
    }

    /// The id of the key that the instance actor signs with.
    pub fn instance_key_id(&self) -> Url {
        self.url("/ap/actor#main-key")
    }

    /// The inbox that all local actors share.
    pub fn shared_inbox(&self) -> Url {
        self.url("/ap/inbox")
    }

    /// A review's Article id.
    pub fn article(&self, review: ReviewId) -> Url {
        self.url(&format!("/ap/article/{review}"))
    }

    /// Something that hangs off an Article: `replies`, `context`, `likes`, `shares`.
    pub fn article_collection(&self, review: ReviewId, part: &str) -> Url {
        self.url(&format!("/ap/article/{review}/{part}"))
    }

    /// An activity's id.
    pub fn activity(&self, activity: ActivityId) -> Url {
        self.url(&format!("/ap/activity/{activity}"))
    }

    /// The review whose Article has this id.
    pub fn parse_article_id(&self, url: &Url) -> Option<ReviewId> {
        self.local_path(url)?.strip_prefix("/ap/article/")?.parse().ok()
    }

    /// The critic whose actor has this id.
    pub fn parse_actor_id(&self, url: &Url) -> Option<CriticId> {
        self.local_path(url)?.strip_prefix("/ap/actor/")?.parse().ok()
    }

    /// The id of a Note by which a critic answers.
    pub fn note(&self, comment: CommentId) -> Url {
        self.url(&format!("/ap/note/{comment}"))
    }

    /// Something that hangs off a Note: `replies`.
    pub fn note_collection(&self, comment: CommentId, part: &str) -> Url {
        self.url(&format!("/ap/note/{comment}/{part}"))
    }

    /// The critic's answer that has this id.
    pub fn parse_note_id(&self, url: &Url) -> Option<CommentId> {
        self.local_path(url)?.strip_prefix("/ap/note/")?.parse().ok()
    }

    /// The id of the stamp that a quote was granted (FEP-044f).
    pub fn quote_authorization(&self, stamp: AuthorizationId) -> Url {
        self.url(&format!("/ap/stamp/{stamp}"))
    }

    /// The home page.
    pub fn home_page(&self) -> Url {
        self.url("/")
    }

    /// A critic's page.
    pub fn profile_page(&self, handle: &str) -> Url {
        self.url(&format!("/@{handle}"))
    }

    /// A review's page.
    pub fn review_page(&self, review: &Review) -> Url {
        self.url(&format!("/reviews/{}", review.slug))
    }

    /// The picture that is drawn of a review. It changes under each version's own address.
    pub fn card(&self, review: &Review, version: &str) -> Url {
        self.url(&format!("/reviews/{}/card.png?v={version}", review.slug))
    }

    /// A tag's page.
    pub fn tag_page(&self, tag: &str) -> Url {
        let slug = super::browse_index::browse_slug(tag);
        self.url(&format!("/tags/{slug}"))
    }

    /// Where the critic works, out of everyone else's reach.
    pub fn desk(&self) -> Url {
        self.url("/desk")
    }

    /// A picture of ours.
    pub fn media_url(&self, media: &Media) -> Url {
        self.media_url_by_name(&media.name)
    }

    /// A picture of ours, by its name.
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
    fn only_https_or_a_trial_on_localhost() {
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
    fn knows_its_own_ids_and_no_others() {
        let origin = Origin::parse("https://crit.example").unwrap();
        let id = ReviewId::new(crate::domain::time::Timestamp::from_millis(1));
        assert_eq!(origin.parse_article_id(&origin.article(id)), Some(id));
        let foreign: Url = format!("https://evil.example/ap/article/{id}").parse().unwrap();
        assert_eq!(origin.parse_article_id(&foreign), None);
        let port: Url = format!("https://crit.example:444/ap/article/{id}").parse().unwrap();
        assert_eq!(origin.parse_article_id(&port), None);
    }
}
