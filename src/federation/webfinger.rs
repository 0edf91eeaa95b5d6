//! WebFinger (RFC 7033): from a handle to an actor and back.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use super::vocab::json_document::{JsonDocument, first_string, values};
use super::vocab::url_rules::{UrlRules, canonical_host};
use crate::net::media_type::{ACTIVITY_JSON, is_activitypub};

/// The content type of the answer (RFC 7033 section 10.2).
pub const JRD_JSON: &str = "application/jrd+json";

/// `user@host`. The host is canonical: lower case, Punycode, no dot at its end; the user is as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// The user part.
    pub user: String,
    /// The host, with its port if that is not the usual one.
    pub host: String,
}

impl Handle {
    /// Reads `user@host`, `@user@host` or `acct:user@host`.
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

    /// Whether both mean the same account: users are told apart without regard to case.
    pub fn is_same_account(&self, other: &Self) -> bool {
        self.host == other.host && self.user.to_lowercase() == other.user.to_lowercase()
    }

    /// As a URI (RFC 7565).
    pub fn to_acct_uri(&self) -> String {
        format!("acct:{self}")
    }
}

/// `user@host`, as people write it after an `@`.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

/// What somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebFingerResource {
    /// An account.
    Account(Handle),
    /// An actor, or a page, by its address.
    Address(Url),
}

/// Reads the `resource` of a query (RFC 7033 section 4.1), also where it was encoded twice, and where `acct:` is
/// missing or an `@` leads. None for what is neither an account nor a web address.
pub fn parse_resource(text: &str, rules: UrlRules) -> Option<WebFingerResource> {
    let text = text.trim();
    if text.len() > 2048 {
        return None;
    }
    if let Some(url) = rules.parse_page_url(text) {
        return Some(WebFingerResource::Address(url));
    }
    if let Some(handle) = Handle::parse(text, rules) {
        return Some(WebFingerResource::Account(handle));
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let address = rules.parse_page_url(&decoded).map(WebFingerResource::Address);
    address.or_else(|| Handle::parse(&decoded, rules).map(WebFingerResource::Account))
}

/// The relation of an account to its page.
pub const PROFILE_PAGE: &str = "http://webfinger.net/rel/profile-page";

/// The relation of an account to its picture.
const AVATAR: &str = "http://webfinger.net/rel/avatar";

/// An actor of ours, as WebFinger tells it.
#[derive(Debug, Clone)]
pub struct WebFingerAccount<'a> {
    /// Its handle.
    pub subject: &'a Handle,
    /// Its id.
    pub actor: &'a Url,
    /// Its page.
    pub page: &'a Url,
    /// Its picture's media type and address.
    pub avatar: Option<(&'a str, Url)>,
}

/// The answer about an actor of ours (RFC 7033 section 4.4). Where `rels` names relations, only those links are
/// given (section 4.3).
pub fn jrd_document(account: &WebFingerAccount<'_>, rels: &[String]) -> Value {
    let mut links = vec![
        json!({"rel": PROFILE_PAGE, "type": "text/html", "href": account.page}),
        json!({"rel": "self", "type": ACTIVITY_JSON, "href": account.actor}),
    ];
    if let Some((media_type, picture)) = &account.avatar {
        links.push(json!({"rel": AVATAR, "type": media_type, "href": picture}));
    }
    if !rels.is_empty() {
        links.retain(|link| rels.iter().any(|rel| link["rel"] == rel.as_str()));
    }
    json!({"subject": account.subject.to_acct_uri(), "aliases": [account.actor, account.page], "links": links})
}

/// Why somebody's answer does not lead to an actor.
#[derive(Debug, thiserror::Error)]
pub enum JrdError {
    /// There is no answer but a status.
    #[error("its server answered {0}")]
    Status(http::StatusCode),
    /// It is not JSON, or JSON that means two things.
    #[error("not a JSON document that we read: {0}")]
    Json(#[from] serde_json::Error),
    /// It is about nobody.
    #[error("the answer has no account as its subject")]
    NoSubject,
    /// It is about another account. Where that is on another domain, the site may ask once more, there.
    #[error("the answer is about {0}")]
    OtherSubject(Handle),
    /// It has no link to an actor.
    #[error("the answer has no link to an actor")]
    NoSelfLink,
}

/// The actor to which an answer about `expected` leads.
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
    fn an_account_is_asked_for_in_many_ways() {
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
        for address in ["https://crit.example/@ada", "https%3A%2F%2Fcrit.example%2F@ada"] {
            let asked = parse_resource(address, UrlRules::STRICT);
            assert_eq!(asked, Some(WebFingerResource::Address("https://crit.example/@ada".parse().unwrap())));
        }
    }

    #[test]
    fn what_is_no_account_is_none() {
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
    fn the_answer_leads_to_the_actor_and_the_page() {
        let actor: Url = "https://crit.example/ap/actor/01C".parse().unwrap();
        let page: Url = "https://crit.example/@ada".parse().unwrap();
        let avatar = Some(("image/png", "https://crit.example/media/a.png".parse().unwrap()));
        let account =
            WebFingerAccount { subject: &handle("ada@crit.example"), actor: &actor, page: &page, avatar };
        let answer = jrd_document(&account, &[]);
        assert_eq!(
            answer,
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
        let read =
            parse_self_link(answer.to_string().as_bytes(), &handle("Ada@crit.example"), UrlRules::STRICT);
        assert_eq!(read.unwrap(), actor);
        let asked = jrd_document(&account, &["self".to_owned(), "http://example.org/unknown".to_owned()]);
        assert_eq!(asked["links"].as_array().unwrap().len(), 1);
        assert_eq!(asked["links"][0]["rel"], "self");
    }

    #[test]
    fn an_answer_about_somebody_else_is_not_believed() {
        let read = |answer: &Value| {
            parse_self_link(answer.to_string().as_bytes(), &handle("ada@crit.example"), UrlRules::STRICT)
        };
        let link =
            json!([{"rel": "self", "type": "application/activity+json", "href": "https://crit.example/1"}]);
        let other = read(&json!({"subject": "acct:eve@evil.example", "links": link}));
        assert!(matches!(other, Err(JrdError::OtherSubject(eve)) if eve == handle("eve@evil.example")));
        let nobody = read(&json!({"subject": "https://crit.example/1", "links": link}));
        assert!(matches!(nobody, Err(JrdError::NoSubject)));
    }

    #[test]
    fn only_a_self_link_to_an_activity_counts() {
        for link in [
            json!({"rel": "self", "type": "application/json", "href": "https://crit.example/1"}),
            json!({"rel": "self", "type": "application/activity+json", "href": "https://10.0.0.1/1"}),
            json!({"rel": "alternate", "type": "application/activity+json", "href": "https://crit.example/1"}),
            json!({"rel": "self", "type": "application/activity+json"}),
            json!("https://crit.example/1"),
        ] {
            let answer = json!({"subject": "acct:ada@crit.example", "links": [link]}).to_string();
            let read = parse_self_link(answer.as_bytes(), &handle("ada@crit.example"), UrlRules::STRICT);
            assert!(matches!(read, Err(JrdError::NoSelfLink)), "{answer}");
        }
    }
}
