//! The public keys in documents of other servers.

use serde_json::Value;
use url::Url;

use super::json_document::{JsonDocument, first_string, type_name, values};
use super::json_members::id_member;
use super::url_rules::UrlRules;
use crate::federation::multikey;

/// The most keys in each member of an actor document that are read.
const MAX_KEYS: usize = 8;

/// The longest PEM text that is kept, in bytes.
const MAX_PEM_BYTES: usize = 8 * 1024;

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

/// Returns the keys in a document, which may be an actor, the stub of an actor that GoToSocial serves at the
/// id of the key, or a key. Their claims are not checked.
pub fn public_keys(document: &JsonDocument, rules: UrlRules) -> Vec<RemoteKey> {
    let value = document.value();
    key(value, rules).map_or_else(|| claimed_keys(value, rules), |alone| vec![alone])
}

/// Returns the keys in PEM and as Multikeys (FEP-521a). If an id occurs in both, the PEM key counts.
pub(super) fn claimed_keys(value: &Value, rules: UrlRules) -> Vec<RemoteKey> {
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

    use super::super::samples::{BOB, parse_actor, remote_person};
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
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
        let keys = parse_actor(&modern).keys;
        let ids: Vec<_> = keys.iter().map(|key| key.id.fragment().unwrap()).collect();
        assert_eq!(ids, ["main-key", "ed25519-key"]);
        assert_eq!(keys[0].pem, parse_actor(&remote_person()).keys[0].pem, "the PEM key keeps its id");
        assert!(keys[1].pem.starts_with("-----BEGIN PUBLIC KEY-----\nMCow"), "{}", keys[1].pem);
        let alone = multikey("https://m.example/keys/1", BOB, ED25519);
        let document = JsonDocument::from_slice(alone.to_string().as_bytes()).unwrap();
        assert_eq!(public_keys(&document, UrlRules::STRICT)[0].owner, url(BOB));
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
