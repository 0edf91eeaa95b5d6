//! What a strict remote server demands of a signed request that Marquee sends.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::http::{AS2, Client};
use super::keys::unpem;
use super::signature::{cavage_text, sha256};

/// A request as it came.
pub struct Incoming<'r> {
    pub method: &'r str,
    pub target: &'r str,
    pub headers: &'r HeaderMap,
    pub body: &'r [u8],
}

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub key_id: String,
    pub owner: String,
}

/// The seconds that a `Date` may be off, as NeoDB has it, the narrowest window known.
const WINDOW: i64 = 300;

impl Incoming<'_> {
    fn header(&self, name: &str) -> String {
        let values: Vec<&str> = self.headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        values.join(", ")
    }

    /// Checks a cavage signature as the strictest servers do, and finds who made it.
    pub async fn verify(&self, client: &Client) -> Result<Signer, String> {
        let signature = self.header("signature");
        let field = |name: &str| {
            signature
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
                .ok_or_else(|| format!("the Signature header has no {name}: {signature:?}"))
        };
        let covered = field("headers")?;
        let covered: Vec<&str> = covered.split(' ').collect();
        let mut required = vec!["(request-target)", "host", "date"];
        if !self.body.is_empty() {
            required.push("digest");
            let expected = format!("SHA-256={}", sha256(self.body));
            if self.header("digest") != expected {
                return Err(format!("Digest is {:?}, not {expected:?}", self.header("digest")));
            }
        }
        if let Some(missing) = required.iter().find(|name| !covered.contains(name)) {
            return Err(format!("{missing} is not signed"));
        }
        self.check_date()?;
        if self.header("user-agent").is_empty() {
            return Err("there is no User-Agent".to_owned());
        }
        let key_id = field("keyId")?;
        let (owner, pem) = fetch_key(client, &key_id).await?;
        let text = cavage_text(&covered, self.method, self.target, |name| self.header(name));
        let signature = STANDARD.decode(field("signature")?).map_err(|e| e.to_string())?;
        let key = unpem(&pem).ok_or("the key is not PEM")?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(text.as_bytes(), &signature)
            .map_err(|_| format!("the signature does not fit what it covers:\n{text}"))?;
        Ok(Signer { key_id, owner })
    }

    fn check_date(&self) -> Result<(), String> {
        let date = self.header("date");
        let moment = jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(&date)
            .map_err(|e| format!("Date {date:?}: {e}"))?;
        let off = (super::now().as_second() - moment.as_second()).abs();
        if off > WINDOW || !date.ends_with(" GMT") {
            return Err(format!("Date {date:?} is {off} seconds off, or not in GMT"));
        }
        Ok(())
    }
}

/// The owner of a key and its PEM, from where its id leads.
async fn fetch_key(client: &Client, key_id: &str) -> Result<(String, String), String> {
    let answer = client.try_get(key_id, AS2).await.map_err(|e| format!("{key_id}: {e:?}"))?;
    if answer.status != 200 {
        return Err(format!("{key_id} answers {}", answer.status));
    }
    let document = answer.json();
    let key = &document["publicKey"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if key["id"] != key_id {
        return Err(format!("{key_id} leads to the key {}", key["id"]));
    }
    text(&key["owner"])
        .zip(text(&key["publicKeyPem"]))
        .ok_or_else(|| format!("{key_id} leads to no key: {document}"))
}
