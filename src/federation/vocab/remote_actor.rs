//! Actors on other servers.

use serde_json::Value;
use url::Url;

use super::json_document::{JsonDocument, first_string, reference_id, type_name, values};
use super::json_members::{id_member, page_url, single_line_member};
use super::parse_error::ParseError;
use super::remote_public_keys::{RemoteKey, claimed_keys};
use super::url_rules::{UrlRules, same_origin};

/// The types of actors (ActivityStreams vocabulary, section 3.2).
const ACTOR_TYPES: [&str; 5] = ["Person", "Service", "Group", "Organization", "Application"];

/// The most aliases of an actor that are kept.
const MAX_ALIASES: usize = 32;

/// An actor on another server, as its document describes it. Texts are plain, on one line, and limited in
/// length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteActor {
    /// The actor's id.
    pub id: Url,
    /// The user part of the handle. It is shown only after WebFinger confirms it.
    pub username: Option<String>,
    /// The display name.
    pub name: Option<String>,
    /// The profile page.
    pub url: Option<Url>,
    /// The inbox (ActivityPub section 4.1).
    pub inbox: Url,
    /// The shared inbox. It counts only if it is on the actor's own server.
    pub shared_inbox: Option<Url>,
    /// The public keys that the actor owns, on its own server.
    pub keys: Vec<RemoteKey>,
    /// `user@host`, if the handle's domain differs (FEP-2c59).
    pub webfinger: Option<String>,
    /// The ids of other accounts of the actor. An account that moved to this one must be among them.
    pub also_known_as: Vec<Url>,
    /// The URL of the avatar.
    pub icon: Option<Url>,
    /// Whether the actor's posts may be indexed for search (FEP-5feb). The default is `true`.
    pub indexable: bool,
    /// Whether the actor may be shown outside of its posts, as in facepiles. The default is `true`.
    pub discoverable: bool,
    /// Whether the actor's server has suspended the account.
    pub is_suspended: bool,
}

impl RemoteActor {
    /// Whether the type is that of an actor.
    pub(super) fn is_actor_type(type_name: &str) -> bool {
        ACTOR_TYPES.contains(&type_name)
    }

    /// Parses an actor document.
    pub fn parse(document: &JsonDocument, rules: UrlRules) -> Result<Self, ParseError> {
        Self::parse_value(document.value(), rules)
    }

    /// Parses an actor document that is part of another document.
    pub(super) fn parse_value(value: &Value, rules: UrlRules) -> Result<Self, ParseError> {
        type_name(value).filter(|kind| Self::is_actor_type(kind)).ok_or(ParseError::Missing("type"))?;
        let id = first_string(value, "id").ok_or(ParseError::Missing("id"))?;
        let id = rules.parse_id(id).ok_or(ParseError::NotAnId("id"))?;
        let inbox = id_member(value, "inbox", rules).ok_or(ParseError::NotAnId("inbox"))?;
        let shared_inbox = values(value, "endpoints")
            .first()
            .and_then(|endpoints| id_member(endpoints, "sharedInbox", rules))
            .filter(|inbox| same_origin(inbox, &id));
        let mut keys = claimed_keys(value, rules);
        keys.retain(|key| key.owner == id && same_origin(&key.id, &id));
        Ok(Self {
            username: single_line_member(value, "preferredUsername", 100),
            name: single_line_member(value, "name", 200),
            url: page_url(value, rules),
            inbox,
            shared_inbox,
            keys,
            webfinger: single_line_member(value, "webfinger", 300),
            also_known_as: values(value, "alsoKnownAs")
                .iter()
                .take(MAX_ALIASES)
                .filter_map(reference_id)
                .filter_map(|id| rules.parse_id(id))
                .collect(),
            icon: icon(value, rules),
            indexable: value.get("indexable").and_then(Value::as_bool).unwrap_or(true),
            discoverable: value.get("discoverable").and_then(Value::as_bool).unwrap_or(true),
            is_suspended: value.get("suspended").and_then(Value::as_bool).unwrap_or(false),
            id,
        })
    }
}

/// Returns the URL of the avatar. `icon` is a string, or an Image whose `url` is a string, a Link or a list of
/// both. SVG images are skipped, since they may contain scripts.
fn icon(value: &Value, rules: UrlRules) -> Option<Url> {
    let is_svg =
        |image: &Value| first_string(image, "mediaType").is_some_and(|kind| kind.starts_with("image/svg"));
    let images = values(value, "icon").iter().take(8).filter(|image| !is_svg(image));
    let mut links = images.flat_map(|image| match image {
        Value::String(_) => std::slice::from_ref(image),
        _ => values(image, "url"),
    });
    links.find_map(|link| {
        let url = link.as_str().or_else(|| first_string(link, "href"));
        url.filter(|_| !is_svg(link)).and_then(|url| rules.parse_id(url))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{BOB, parse_actor, remote_person};
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn an_actor_document_is_parsed() {
        let bob = parse_actor(&remote_person());
        assert_eq!(bob.name.as_deref(), Some("Bob the <b>Great</b>"));
        assert_eq!(bob.shared_inbox, Some(url("https://m.example/inbox")));
        assert_eq!(bob.keys.len(), 1);
        assert!(!bob.is_suspended);

        let mut odd = remote_person();
        odd["publicKey"] = json!([
            {"id": format!("{BOB}#main-key"), "owner": BOB, "publicKeyPem": "PEM"},
            {"id": "https://evil.example/key", "owner": BOB, "publicKeyPem": "PEM"},
            {"id": format!("{BOB}#second"), "owner": "https://m.example/users/eve", "publicKeyPem": "PEM"},
            {"id": format!("{BOB}#third"), "owner": BOB, "publicKeyPem": "P".repeat(100_000)},
            "https://m.example/keys/4",
        ]);
        odd["endpoints"]["sharedInbox"] = json!("https://victim.example/inbox");
        odd["url"] = json!([{"type": "Link", "href": "javascript:alert(1)"}, {"type": "Link", "href": "https://m.example/bob"}]);
        odd["suspended"] = json!(true);
        let bob = parse_actor(&odd);
        assert_eq!(bob.keys.len(), 1, "only keys that the actor owns, on its server");
        assert_eq!(bob.shared_inbox, None);
        assert_eq!(bob.url, Some(url("https://m.example/bob")));
        assert!(bob.is_suspended);
    }

    #[test]
    fn an_avatar_is_found_in_every_shape() {
        let read_icon = |icon: Value| {
            let mut actor = remote_person();
            actor["icon"] = icon;
            parse_actor(&actor).icon.map(String::from)
        };
        let expected = Some("https://m.example/a.png".to_owned());
        for icon in [
            json!({"type": "Image", "mediaType": "image/png", "url": "https://m.example/a.png"}),
            json!({"type": "Image", "url": {"type": "Link", "href": "https://m.example/a.png"}}),
            json!([{"type": "Image", "url": ["http://m.example/b.png", "https://m.example/a.png"]}]),
            json!("https://m.example/a.png"),
            json!([{"type": "Image", "mediaType": "image/svg+xml", "url": "https://m.example/a.svg"},
                {"type": "Image", "url": "https://m.example/a.png"}]),
        ] {
            assert_eq!(read_icon(icon.clone()), expected, "{icon}");
        }
        for icon in [
            json!(null),
            json!([]),
            json!({"type": "Image"}),
            json!({"type": "Image", "url": "http://m.example/a.png"}),
            json!({"type": "Image", "url": "data:image/png;base64,AAAA"}),
            json!({"type": "Image", "url": "https://127.0.0.1/a.png"}),
            json!({"type": "Image", "url": {"type": "Link", "mediaType": "image/svg+xml", "href": "https://m.example/a.svg"}}),
        ] {
            assert_eq!(read_icon(icon.clone()), None, "{icon}");
        }
    }

    #[test]
    fn only_an_explicit_false_disables_indexing() {
        for (value, indexable) in
            [(json!(false), false), (json!(true), true), (json!(null), true), (json!("no"), true)]
        {
            let mut actor = remote_person();
            actor["indexable"] = value;
            assert_eq!(parse_actor(&actor).indexable, indexable);
        }
        assert!(parse_actor(&remote_person()).indexable);
    }
}
