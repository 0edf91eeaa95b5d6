//! Actors on other servers, and their public keys.

use serde_json::Value;
use url::Url;

use super::json_document::{JsonDocument, first_string, reference_id, type_name, values};
use super::json_members::{id_member, page_url, single_line_member};
use super::parse_error::ParseError;
use super::url_rules::{UrlRules, same_origin};
use crate::federation::multikey;

/// The types of actors (ActivityStreams vocabulary, section 3.2).
const ACTOR_TYPES: [&str; 5] = ["Person", "Service", "Group", "Organization", "Application"];

/// The most aliases of an actor that are kept.
const MAX_ALIASES: usize = 32;

/// The most keys in each member of an actor document that are read.
const MAX_KEYS: usize = 8;

/// The longest PEM text that is kept, in bytes.
const MAX_PEM_BYTES: usize = 8 * 1024;

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

/// A public key as a document presents it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteKey {
    /// The id, which is the `keyId` of signatures.
    pub id: Url,
    /// The claimed owner. The claim is valid only if the owner's document lists the key.
    pub owner: Url,
    /// The key as PEM, either SPKI or PKCS #1.
    pub pem: String,
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
        let mut keys = keys(value, rules);
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
    let mut addresses = images.flat_map(|image| match image {
        Value::String(_) => std::slice::from_ref(image),
        _ => values(image, "url"),
    });
    addresses.find_map(|link| {
        let address = link.as_str().or_else(|| first_string(link, "href"));
        address.filter(|_| !is_svg(link)).and_then(|address| rules.parse_id(address))
    })
}

/// Returns the keys in a document, which may be an actor, the stub of an actor that GoToSocial serves at the
/// id of the key, or a key. Their claims are not checked.
pub fn public_keys(document: &JsonDocument, rules: UrlRules) -> Vec<RemoteKey> {
    let value = document.value();
    key(value, rules).map_or_else(|| keys(value, rules), |alone| vec![alone])
}

/// Returns the keys in PEM and as Multikeys (FEP-521a). If an id occurs in both, the PEM key counts.
fn keys(value: &Value, rules: UrlRules) -> Vec<RemoteKey> {
    let listed = |member| values(value, member).iter().take(MAX_KEYS);
    let mut keys: Vec<RemoteKey> = Vec::new();
    for found in listed("publicKey").chain(listed("assertionMethod")).filter_map(|value| key(value, rules)) {
        if keys.iter().all(|known| known.id != found.id) {
            keys.push(found);
        }
    }
    keys
}

fn key(value: &Value, rules: UrlRules) -> Option<RemoteKey> {
    let (owner, pem) = match first_string(value, "publicKeyPem") {
        Some(pem) => ("owner", Some(pem.to_owned()).filter(|pem| pem.len() <= MAX_PEM_BYTES)?),
        None if type_name(value) == Some("Multikey") => (
            "controller",
            multikey::from_multibase(first_string(value, "publicKeyMultibase")?).ok()?.to_pem(),
        ),
        None => return None,
    };
    Some(RemoteKey { id: id_member(value, "id", rules)?, owner: id_member(value, owner, rules)?, pem })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{BOB, remote_person};
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn read(value: &Value) -> RemoteActor {
        let document = JsonDocument::from_slice(value.to_string().as_bytes()).unwrap();
        RemoteActor::parse(&document, UrlRules::STRICT).unwrap()
    }

    #[test]
    fn an_actor_is_read_from_its_document() {
        let bob = read(&remote_person());
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
        let bob = read(&odd);
        assert_eq!(bob.keys.len(), 1, "only keys that the actor owns, on its server");
        assert_eq!(bob.shared_inbox, None);
        assert_eq!(bob.url, Some(url("https://m.example/bob")));
        assert!(bob.is_suspended);
    }

    #[test]
    fn multikeys_are_parsed_like_other_keys() {
        const ED25519: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        let multikey = |id: &str, controller: &str, multibase: &str| json!({"id": id, "type": "Multikey", "controller": controller, "publicKeyMultibase": multibase});
        let mut modern = remote_person();
        modern["assertionMethod"] = json!([
            multikey(&format!("{BOB}#ed25519-key"), BOB, ED25519),
            multikey(&format!("{BOB}#main-key"), BOB, ED25519),
            multikey(&format!("{BOB}#other"), "https://m.example/users/eve", ED25519),
            multikey("https://evil.example/key", BOB, ED25519),
            multikey(&format!("{BOB}#broken"), BOB, "z0"),
            format!("{BOB}#by-reference"),
        ]);
        let keys = read(&modern).keys;
        let ids: Vec<_> = keys.iter().map(|key| key.id.fragment().unwrap()).collect();
        assert_eq!(ids, ["main-key", "ed25519-key"]);
        assert_eq!(keys[0].pem, read(&remote_person()).keys[0].pem, "the PEM key keeps its id");
        assert!(keys[1].pem.starts_with("-----BEGIN PUBLIC KEY-----\nMCow"), "{}", keys[1].pem);
        let alone = multikey("https://m.example/keys/1", BOB, ED25519);
        let document = JsonDocument::from_slice(alone.to_string().as_bytes()).unwrap();
        assert_eq!(public_keys(&document, UrlRules::STRICT)[0].owner, url(BOB));
    }

    #[test]
    fn an_avatar_is_found_in_every_shape() {
        let read_icon = |icon: Value| {
            let mut actor = remote_person();
            actor["icon"] = icon;
            read(&actor).icon.map(String::from)
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
        for (said, indexable) in
            [(json!(false), false), (json!(true), true), (json!(null), true), (json!("no"), true)]
        {
            let mut actor = remote_person();
            actor["indexable"] = said;
            assert_eq!(read(&actor).indexable, indexable);
        }
        assert!(read(&remote_person()).indexable);
    }

    #[test]
    fn a_key_is_found_in_a_stub_an_actor_or_alone() {
        let key = json!({"id": "https://gts.example/users/x/main-key", "owner": "https://gts.example/users/x", "publicKeyPem": "PEM"});
        let stub = json!({"id": "https://gts.example/users/x", "type": "Person", "publicKey": key});
        for document in [stub, key] {
            let document = JsonDocument::from_slice(document.to_string().as_bytes()).unwrap();
            let keys = public_keys(&document, UrlRules::STRICT);
            assert_eq!(keys.len(), 1);
            assert_eq!(keys[0].owner, url("https://gts.example/users/x"));
        }
    }
}
