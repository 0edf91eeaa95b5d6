//! Fast delivery to the inbox: Ed25519 and RFC 9421 over kept plain connections, without the TLS proxy.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::app::App;
use super::config_file::{self, HOST};
use super::keys::pem;
use super::remote::User;
use super::signature::{rfc9421_text, sha256};

/// The DER prefix of an Ed25519 public key (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const COVERED: [&str; 3] = ["@method", "@target-uri", "content-digest"];

/// Signs for one user, whose actor lists an Ed25519 key from now on.
pub struct FastSigner {
    pair: Ed25519KeyPair,
    key_id: String,
    client: reqwest::Client,
    address: String,
}

impl FastSigner {
    #[expect(clippy::disallowed_methods, reason = "the client of the tests is not Marquee's")]
    pub fn new(user: &User, app: &App) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let der = [&SPKI[..], pair.public_key().as_ref()].concat();
        let mut actor = user.actor();
        actor["publicKey"]["publicKeyPem"] = json!(pem("PUBLIC KEY", &der));
        user.serve_actor(&actor);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let address = format!("http://{}/ap/inbox", app.backend());
        Self { pair, key_id: user.key_id(), client, address }
    }

    /// Signs a body, sends it to the shared inbox, and returns the status of the response.
    pub async fn post(&self, body: String) -> Result<u16, reqwest::Error> {
        let digest = format!("sha-256=:{}:", sha256(body.as_bytes()));
        let names: Vec<String> = COVERED.iter().map(|name| format!("\"{name}\"")).collect();
        let created = super::now().as_second();
        let key_id = &self.key_id;
        let params = format!("({});created={created};keyid=\"{key_id}\";alg=\"ed25519\"", names.join(" "));
        let text =
            rfc9421_text(&COVERED, &params, "POST", &config_file::url("/ap/inbox"), |_| digest.clone());
        let signature = STANDARD.encode(self.pair.sign(text.as_bytes()));
        let request = self.client.post(&self.address).header("host", HOST);
        let request = request.header("content-type", "application/activity+json");
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
