//! Actors on other servers and their activities, signed in advance so that signing costs nothing during a
//! measurement.

use serde_json::{Map, Value, json};

use super::keys::Key;
use super::load::SignedRequest;
use super::signature::{cavage_text, http_date, sha256};
use super::site::HOST;
use super::{now, unique};

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// What the signature covers.
const COVERED: [&str; 5] = ["(request-target)", "host", "date", "digest", "content-type"];

/// Servers of the authors.
const SERVERS: usize = 4;

/// Keys that the authors share, since generating one takes long. The server under test does not compare the
/// keys of actors.
const KEYS: usize = 8;

/// A remote actor.
#[derive(Clone)]
pub struct Author {
    name: String,
    host: String,
    address: String,
    key: Key,
}

/// Creates `count` authors.
pub fn authors(count: usize) -> Vec<Author> {
    let keys: Vec<Key> = (0..KEYS).map(|_| Key::fresh()).collect();
    let author = |number: usize| Author {
        name: format!("viewer{number}"),
        host: host(number % SERVERS),
        // The client address, as a proxy would report it.
        address: format!("198.51.100.{}", 1 + number % SERVERS),
        key: keys[number % KEYS].clone(),
    };
    (0..count).map(author).collect()
}

/// The hosts of the authors.
pub fn hosts() -> Vec<String> {
    (0..SERVERS).map(host).collect()
}

fn host(number: usize) -> String {
    format!("people{number}.bench.test")
}

impl Author {
    fn id(&self) -> String {
        format!("https://{}/users/{}", self.host, self.name)
    }

    fn key_id(&self) -> String {
        format!("{}#main-key", self.id())
    }

    /// The documents that the author's server serves, by host and path.
    pub fn documents(&self) -> Map<String, Value> {
        let (id, handle) = (self.id(), format!("{}@{}", self.name, self.host));
        let actor = json!({
            "@context": [CONTEXT, "https://w3id.org/security/v1"], "id": id, "type": "Person",
            "preferredUsername": self.name, "name": format!("The {}", self.name), "url": id,
            "inbox": format!("{id}/inbox"), "outbox": format!("{id}/outbox"), "followers": format!("{id}/followers"),
            "endpoints": {"sharedInbox": format!("https://{}/inbox", self.host)},
            "publicKey": {"id": self.key_id(), "owner": id, "publicKeyPem": self.key.public_pem()},
        });
        let finger = json!({
            "subject": format!("acct:{handle}"), "aliases": [id],
            "links": [{"rel": "self", "type": "application/activity+json", "href": id}],
        });
        let finger_at = |resource: &str| format!("{}/.well-known/webfinger?resource={resource}", self.host);
        let mut documents = Map::new();
        documents.insert(format!("{}/users/{}", self.host, self.name), actor);
        documents.insert(finger_at(&format!("acct:{handle}")), finger.clone());
        documents.insert(finger_at(&format!("acct%3A{}%40{}", self.name, self.host)), finger);
        documents
    }

    /// A Like of a post.
    pub fn like(&self, object: &str) -> Value {
        let id = format!("{}#likes/{}", self.id(), unique());
        json!({"@context": CONTEXT, "id": id, "type": "Like", "actor": self.id(), "object": object})
    }

    /// A public reply to a post.
    pub fn reply(&self, to: &str, html: &str) -> Value {
        let id = format!("{}/statuses/{}", self.id(), unique());
        let published = now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let followers = format!("{}/followers", self.id());
        let note = json!({
            "id": id, "type": "Note", "inReplyTo": to, "published": published, "url": id,
            "attributedTo": self.id(), "to": [PUBLIC], "cc": [followers], "content": html,
            "contentMap": {"en": html}, "attachment": [], "tag": [],
        });
        json!({
            "@context": CONTEXT, "id": format!("{id}/activity"), "type": "Create", "actor": self.id(),
            "published": published, "to": [PUBLIC], "cc": [followers], "object": note,
        })
    }

    /// Signs a request to the shared inbox.
    pub fn signed_request(&self, activity: &Value) -> SignedRequest {
        const TARGET: &str = "/ap/inbox";
        let body = activity.to_string();
        let mut headers = vec![
            ("host".to_owned(), HOST.to_owned()),
            ("date".to_owned(), http_date(now())),
            ("digest".to_owned(), format!("SHA-256={}", sha256(body.as_bytes()))),
            ("content-type".to_owned(), "application/activity+json".to_owned()),
            ("user-agent".to_owned(), "bench/1.0".to_owned()),
            ("x-forwarded-for".to_owned(), self.address.clone()),
        ];
        let value = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let signature = self.key.sign(cavage_text(&COVERED, "POST", TARGET, value).as_bytes());
        let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
        let header = format!(
            "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
            self.key_id(),
            COVERED.join(" ")
        );
        headers.push(("signature".to_owned(), header));
        SignedRequest { target: TARGET.to_owned(), headers, body }
    }
}

/// Changes one character of the signature.
pub fn forge(mut signed_request: SignedRequest) -> SignedRequest {
    if let Some((_, header)) = signed_request.headers.iter_mut().find(|(name, _)| name == "signature")
        && let Some(at) = header.find("signature=\"").map(|at| at + "signature=\"".len())
    {
        let other = if header[at..].starts_with('A') { "B" } else { "A" };
        header.replace_range(at..=at, other);
    }
    signed_request
}
