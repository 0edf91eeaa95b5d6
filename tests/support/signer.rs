//! Fast delivery to the inbox: Ed25519 and RFC 9421 over kept plain connections, without the TLS proxy.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::app::App;
use super::config_file::{self, HOST};
use super::keys::pem;
use super::remote::{Document, Remote, User, jrd};
use super::signature::{rfc9421_text, sha256};

/// The DER prefix of an Ed25519 public key (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const COVERED: [&str; 3] = ["@method", "@target-uri", "content-digest"];

/// Signs for one user, whose actor lists an Ed25519 key from now on.
pub struct FastSigner {
    pair: Ed25519KeyPair,
    actor: String,
    client: reqwest::Client,
    address: String,
}

fn public_pem(pair: &Ed25519KeyPair) -> String {
    pem("PUBLIC KEY", &[&SPKI[..], pair.public_key().as_ref()].concat())
}

fn address_of(app: &App) -> String {
    format!("http://{}/ap/inbox", app.backend())
}

impl FastSigner {
    pub fn new(user: &User, app: &App) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let mut actor = user.actor();
        actor["publicKey"]["publicKeyPem"] = json!(public_pem(&pair));
        user.serve_actor(&actor);
        Self { pair, actor: user.id(), client: Self::client(), address: address_of(app) }
    }

    /// A client that several signers can share.
    #[expect(clippy::disallowed_methods, reason = "the client of the tests is not Marquee's")]
    pub fn client() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().expect("a client")
    }

    /// Signs for an account that has no other key, since making an RSA key takes long.
    pub fn stranger(remote: &Remote, app: &App, client: &reqwest::Client, name: &str) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let id = remote.url(&format!("/users/{name}"));
        let actor = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": id, "type": "Person", "preferredUsername": name, "name": name, "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"), "endpoints": {"sharedInbox": remote.url("/inbox")},
            "publicKey": {"id": format!("{id}#main-key"), "owner": id, "publicKeyPem": public_pem(&pair)},
        });
        remote.serve(&format!("/users/{name}"), Document::activity_json(&actor));
        let handle = format!("{name}@{}", remote.host());
        let webfinger = format!("/.well-known/webfinger?resource=acct%3A{name}%40{}", remote.host());
        let jrd = Document::new("application/jrd+json", jrd(&handle, &id).to_string());
        remote.serve(&webfinger, jrd);
        Self { pair, actor: id, client: client.clone(), address: address_of(app) }
    }

    /// A public reply, or one of the activities that need no post of their own.
    pub fn activity(&self, number: usize, object: &str, is_reply: bool) -> Value {
        let id = format!("{}/activities/{number}", self.actor);
        let context = "https://www.w3.org/ns/activitystreams";
        let public = "https://www.w3.org/ns/activitystreams#Public";
        if is_reply {
            let note = json!({
                "id": format!("{}/statuses/{number}", self.actor), "type": "Note", "attributedTo": self.actor,
                "inReplyTo": object, "content": format!("<p>Seat {number}</p>"), "to": [public],
                "published": "2026-06-01T12:00:00Z",
            });
            return json!({"@context": context, "id": id, "type": "Create", "actor": self.actor, "to": [public], "object": note});
        }
        let kind = if number.is_multiple_of(2) { "Like" } else { "Announce" };
        json!({"@context": context, "id": id, "type": kind, "actor": self.actor, "to": [public], "object": object})
    }

    /// Signs a body, sends it to the shared inbox, and returns the status of the response.
    pub async fn post(&self, body: String) -> Result<u16, reqwest::Error> {
        self.send(&format!("{}#main-key", self.actor), body, None).await
    }

    /// The same, as a proxy passes it on from this address.
    pub async fn post_from(&self, body: String, address: &str) -> Result<u16, reqwest::Error> {
        self.send(&format!("{}#main-key", self.actor), body, Some(address)).await
    }

    /// The same, with another key id.
    pub async fn post_as(
        &self,
        key_id: &str,
        body: String,
        address: Option<&str>,
    ) -> Result<u16, reqwest::Error> {
        self.send(key_id, body, address).await
    }

    async fn send(&self, key_id: &str, body: String, address: Option<&str>) -> Result<u16, reqwest::Error> {
        let digest = format!("sha-256=:{}:", sha256(body.as_bytes()));
        let names: Vec<String> = COVERED.iter().map(|name| format!("\"{name}\"")).collect();
        let created = super::now().as_second();
        let params = format!("({});created={created};keyid=\"{key_id}\";alg=\"ed25519\"", names.join(" "));
        let text =
            rfc9421_text(&COVERED, &params, "POST", &config_file::url("/ap/inbox"), |_| digest.clone());
        let signature = STANDARD.encode(self.pair.sign(text.as_bytes()));
        let request = self.client.post(&self.address).header("host", HOST);
        let request = request.header("content-type", "application/activity+json");
        let request = match address {
            Some(address) => request.header("x-forwarded-for", address),
            None => request,
        };
        let request = request.header("content-digest", &digest);
        let request = request.header("signature-input", format!("sig1={params}"));
        let request = request.header("signature", format!("sig1=:{signature}:"));
        let response = request.body(body).send().await?;
        let status = response.status().as_u16();
        // Read to the end, so that the connection can be used again.
        response.bytes().await?;
        Ok(status)
    }
}
