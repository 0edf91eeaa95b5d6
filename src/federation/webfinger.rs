//! WebFinger (RFC 7033): answers queries about local actors, and finds the actor of a remote handle.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::{UrlRules, canonical_host};
use crate::domain::untrusted::Untrusted;
use crate::net::media_type::{ACTIVITY_JSON, is_activitypub};

/// The content type of a JRD document (RFC 7033 section 10.2).
pub const JRD_JSON: &str = "application/jrd+json";

/// A handle, `user@host`. The host is canonical: lower case, Punycode, no trailing dot. The user part keeps
/// its spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// The user part.
    pub user: String,
    /// The host, with the port if it is not the default one.
    pub host: String,
}

impl Handle {
    /// Parses `user@host`, `@user@host` or `acct:user@host`.
    pub fn parse(text: &str, rules: UrlRules) -> Option<Self> {
        let text = strip_prefix_ignoring_case(text, "acct:").unwrap_or(text);
        let text = text.strip_prefix('@').unwrap_or(text);
        let (user, host) = text.rsplit_once('@')?;
        let is_user = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '!' | '+');
        if user.is_empty() || user.len() > 200 || !user.chars().all(is_user) {
            return None;
        }
        Some(Self { user: user.to_owned(), host: canonical_host(host, rules)? })
    }

    /// Whether both handles name the same account. The user part is compared case-insensitively.
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.host == other.host && self.user.to_lowercase() == other.user.to_lowercase()
    }

    /// Returns the `acct:` URI (RFC 7565).
    pub fn to_acct_uri(&self) -> String {
        format!("acct:{self}")
    }
}

/// Formats the handle as `user@host`, without a leading `@`.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

/// The resource of a WebFinger query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebFingerResource {
    /// An account.
    Account(Handle),
    /// The URL of an actor or a page.
    Url(Url),
}

/// Parses the `resource` of a query (RFC 7033 section 4.1). It may be percent-encoded twice, lack `acct:`, or
/// have a leading `@`. Returns `None` if it is neither an account nor a web URL.
pub fn parse_resource(text: &str, rules: UrlRules) -> Option<WebFingerResource> {
    let text = text.trim();
    if text.len() > 2048 {
        return None;
    }
    if let Some(url) = rules.parse_page_url(text) {
        return Some(WebFingerResource::Url(url));
    }
    if let Some(handle) = Handle::parse(text, rules) {
        return Some(WebFingerResource::Account(handle));
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let url = rules.parse_page_url(&decoded).map(WebFingerResource::Url);
    url.or_else(|| Handle::parse(&decoded, rules).map(WebFingerResource::Account))
}

/// The link relation from an account to its profile page.
pub const REL_PROFILE_PAGE: &str = "http://webfinger.net/rel/profile-page";

/// The link relation from an account to its avatar.
const REL_AVATAR: &str = "http://webfinger.net/rel/avatar";

/// A local actor, as WebFinger describes it.
#[derive(Debug, Clone)]
pub struct WebFingerAccount<'a> {
    /// The handle.
    pub subject: &'a Handle,
    /// The id of the actor.
    pub actor: &'a Url,
    /// The profile page.
    pub page: &'a Url,
    /// The media type and URL of the avatar.
    pub avatar: Option<(&'a str, Url)>,
}

/// Returns the JRD document of a local actor (RFC 7033 section 4.4). If `rels` is not empty, the document
/// contains links with those relations only (section 4.3).
pub fn jrd_document(account: &WebFingerAccount<'_>, rels: &[String]) -> Value {
    let mut links = vec![
        json!({"rel": REL_PROFILE_PAGE, "type": "text/html", "href": account.page}),
        json!({"rel": "self", "type": ACTIVITY_JSON, "href": account.actor}),
    ];
    if let Some((media_type, url)) = &account.avatar {
        links.push(json!({"rel": REL_AVATAR, "type": media_type, "href": url}));
    }
    if !rels.is_empty() {
        links.retain(|link| rels.iter().any(|rel| link["rel"] == rel.as_str()));
    }
    json!({"subject": account.subject.to_acct_uri(), "aliases": [account.actor, account.page], "links": links})
}

/// Why a WebFinger response does not lead to an actor.
#[derive(Debug, thiserror::Error)]
pub enum JrdError {
    /// The server responded with an error status.
    #[error("the server responded with {0}")]
    Status(http::StatusCode),
    /// The response is not JSON, or is ambiguous.
    #[error("invalid JSON document: {}", Untrusted::new(.0))]
    Json(#[from] serde_json::Error),
    /// The subject is not an account.
    #[error("the subject of the response is not an account")]
    NoSubject,
    /// The response is about another account. If that is on another domain, the caller may query that domain.
    #[error("the response is about {}", Untrusted::new(.0))]
    OtherSubject(Handle),
    /// The response has no link to an actor.
    #[error("the response has no link to an actor")]
    NoSelfLink,
}

/// Returns the id of the actor to which the JRD document of `expected` links.
pub fn parse_self_link(bytes: &[u8], expected: &Handle, rules: UrlRules) -> Result<Url, JrdError> {
    let document = JsonDocument::from_slice(bytes)?;
    let value = document.value();
    let subject = first_string(value, "subject")
        .filter(|subject| strip_prefix_ignoring_case(subject, "acct:").is_some())
        .and_then(|subject| Handle::parse(subject, rules))
        .ok_or(JrdError::NoSubject)?;
    if !subject.is_same_account(expected) {
        return Err(JrdError::OtherSubject(subject));
    }
    values(value, "links")
        .iter()
        .filter(|link| first_string(link, "rel") == Some("self"))
        .filter(|link| first_string(link, "type").is_some_and(is_activitypub))
        .find_map(|link| rules.parse_id(first_string(link, "href")?))
        .ok_or(JrdError::NoSelfLink)
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(text: &str) -> Handle {
        Handle::parse(text, UrlRules::STRICT).unwrap()
    }

    #[test]
    fn an_account_is_recognized_in_many_spellings() {
        let ada = WebFingerResource::Account(handle("ada@crit.example"));
        for text in [
            "acct:ada@crit.example",
            "acct:@ada@CRIT.example",
            "ACCT:ada@crit.example.",
            "ada@crit.example",
            "@ada@crit.example",
            "acct%3Aada%40crit.example",
            " acct:ada@crit.example ",
        ] {
            assert_eq!(parse_resource(text, UrlRules::STRICT).as_ref(), Some(&ada), "{text}");
        }
        for url in ["https://crit.example/@ada", "https%3A%2F%2Fcrit.example%2F@ada"] {
            let resource = parse_resource(url, UrlRules::STRICT);
            assert_eq!(resource, Some(WebFingerResource::Url("https://crit.example/@ada".parse().unwrap())));
        }
    }

    #[test]
    fn other_texts_are_not_accounts() {
        for text in [
            "",
            "acct:",
            "ada",
            "acct:ada@",
            "acct:@crit.example",
            "acct:a b@crit.example",
            "acct:ada@127.0.0.1",
            "acct:ada@crit.example/x?y",
            "acct:ada@evil.example@",
            "acct:a@b@crit.example",
            "mailto:ada@crit.example",
            "%ff",
            "é",
        ] {
            assert_eq!(parse_resource(text, UrlRules::STRICT), None, "{text}");
        }
    }

    #[test]
    fn the_jrd_document_links_to_the_actor_and_the_page() {
        let actor: Url = "https://crit.example/ap/actor/01C".parse().unwrap();
        let page: Url = "https://crit.example/@ada".parse().unwrap();
        let avatar = Some(("image/png", "https://crit.example/media/a.png".parse().unwrap()));
        let account =
            WebFingerAccount { subject: &handle("ada@crit.example"), actor: &actor, page: &page, avatar };
        let document = jrd_document(&account, &[]);
        assert_eq!(
            document,
            json!({
                "subject": "acct:ada@crit.example",
                "aliases": ["https://crit.example/ap/actor/01C", "https://crit.example/@ada"],
                "links": [
                    {
                        "rel": "http://webfinger.net/rel/profile-page",
                        "type": "text/html",
                        "href": "https://crit.example/@ada",
                    },
                    {
                        "rel": "self",
                        "type": "application/activity+json",
                        "href": "https://crit.example/ap/actor/01C",
                    },
                    {
                        "rel": "http://webfinger.net/rel/avatar",
                        "type": "image/png",
                        "href": "https://crit.example/media/a.png",
                    },
                ],
            })
        );
        let parsed =
            parse_self_link(document.to_string().as_bytes(), &handle("Ada@crit.example"), UrlRules::STRICT);
        assert_eq!(parsed.unwrap(), actor);
        let filtered = jrd_document(&account, &["self".to_owned(), "http://example.org/unknown".to_owned()]);
        assert_eq!(filtered["links"].as_array().unwrap().len(), 1);
        assert_eq!(filtered["links"][0]["rel"], "self");
    }

    #[test]
    fn a_response_about_another_account_is_rejected() {
        let parse = |document: &Value| {
            parse_self_link(document.to_string().as_bytes(), &handle("ada@crit.example"), UrlRules::STRICT)
        };
        let link =
            json!([{"rel": "self", "type": "application/activity+json", "href": "https://crit.example/1"}]);
        let other = parse(&json!({"subject": "acct:eve@evil.example", "links": link}));
        assert!(matches!(other, Err(JrdError::OtherSubject(eve)) if eve == handle("eve@evil.example")));
        let nobody = parse(&json!({"subject": "https://crit.example/1", "links": link}));
        assert!(matches!(nobody, Err(JrdError::NoSubject)));
    }

    #[test]
    fn only_a_self_link_to_an_actor_document_counts() {
        for link in [
            json!({"rel": "self", "type": "application/json", "href": "https://crit.example/1"}),
            json!({"rel": "self", "type": "application/activity+json", "href": "https://10.0.0.1/1"}),
            json!({"rel": "alternate", "type": "application/activity+json", "href": "https://crit.example/1"}),
            json!({"rel": "self", "type": "application/activity+json"}),
            json!("https://crit.example/1"),
        ] {
            let document = json!({"subject": "acct:ada@crit.example", "links": [link]}).to_string();
            let parsed = parse_self_link(document.as_bytes(), &handle("ada@crit.example"), UrlRules::STRICT);
            assert!(matches!(parsed, Err(JrdError::NoSelfLink)), "{document}");
        }
    }
}
