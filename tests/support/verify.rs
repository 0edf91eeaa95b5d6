//! The checks of a strict remote server on a signed request from Marquee.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::http::{AS2, Client};
use super::keys::unpem;
use super::signature::{SignatureScheme, cavage_text, rfc9421_text, sha256};

/// A received request.
pub struct Incoming<'r> {
    pub method: &'r str,
    pub target: &'r str,
    pub headers: &'r HeaderMap,
    pub body: &'r [u8],
}

/// The key that signed a request, and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSigner {
    pub key_id: String,
    pub owner: String,
    pub scheme: SignatureScheme,
}

/// Known keys by id, each with its owner. Like most servers, this one fetches a key again only if a signature
/// is invalid.
pub type KeyCache = Mutex<BTreeMap<String, (String, String)>>;

/// The accepted deviation of a `Date` in seconds: NeoDB's, the narrowest known.
const WINDOW: i64 = 300;

/// A parsed signature and the text that it signs.
struct ParsedSignature {
    key_id: String,
    text: String,
    signature: Vec<u8>,
}

impl Incoming<'_> {
    fn header(&self, name: &str) -> String {
        let values: Vec<&str> = self.headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
        values.join(", ")
    }

    /// The signature scheme of the request.
    pub fn scheme(&self) -> SignatureScheme {
        if self.headers.contains_key("signature-input") {
            SignatureScheme::Rfc9421
        } else {
            SignatureScheme::Cavage
        }
    }

    /// Verifies a signature like the strictest servers, and returns its signer.
    pub async fn verify(&self, client: &Client, key_cache: &KeyCache) -> Result<VerifiedSigner, String> {
        if self.header("user-agent").is_empty() {
            return Err("there is no User-Agent".to_owned());
        }
        let scheme = self.scheme();
        let parsed = match scheme {
            SignatureScheme::Cavage => self.read_cavage()?,
            SignatureScheme::Rfc9421 => self.read_rfc9421()?,
        };
        let known = key_cache.lock().expect("the keys").get(&parsed.key_id).cloned();
        if let Some((owner, pem)) = known
            && parsed.verify(&pem).is_ok()
        {
            return Ok(VerifiedSigner { key_id: parsed.key_id, owner, scheme });
        }
        let (owner, pem) = fetch_key(client, &parsed.key_id).await?;
        parsed.verify(&pem)?;
        key_cache.lock().expect("the keys").insert(parsed.key_id.clone(), (owner.clone(), pem));
        Ok(VerifiedSigner { key_id: parsed.key_id, owner, scheme })
    }

    fn read_cavage(&self) -> Result<ParsedSignature, String> {
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
        let date = self.header("date");
        let moment = jiff::fmt::rfc2822::DateTimeParser::new()
            .parse_timestamp(&date)
            .map_err(|e| format!("Date {date:?}: {e}"))?;
        check_moment(moment.as_second())?;
        if !date.ends_with(" GMT") {
            return Err(format!("Date {date:?} is not in GMT"));
        }
        let text = cavage_text(&covered, self.method, self.target, |name| self.header(name));
        let signature = STANDARD.decode(field("signature")?).map_err(|e| e.to_string())?;
        Ok(ParsedSignature { key_id: field("keyId")?, text, signature })
    }

    /// What Mastodon 4.5 requires: `@method`, `@target-uri`, `created`, and the digest if there is a body.
    fn read_rfc9421(&self) -> Result<ParsedSignature, String> {
        let input = self.header("signature-input");
        let (label, params) = input.split_once('=').ok_or("Signature-Input cannot be read")?;
        let (list, rest) =
            params.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or("no list of components")?;
        let covered: Vec<&str> = list.split(' ').map(|name| name.trim_matches('"')).collect();
        let param = |name: &str| {
            let found = rest.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.trim_matches('"').to_owned()).ok_or(format!("no {name} in {input:?}"))
        };
        let mut required = vec!["@method", "@target-uri"];
        if !self.body.is_empty() {
            required.push("content-digest");
            let expected = format!("sha-256=:{}:", sha256(self.body));
            if self.header("content-digest") != expected {
                return Err(format!(
                    "Content-Digest is {:?}, not {expected:?}",
                    self.header("content-digest")
                ));
            }
        }
        if let Some(missing) = required.iter().find(|name| !covered.contains(name)) {
            return Err(format!("{missing} is not signed"));
        }
        check_moment(param("created")?.parse().map_err(|_| "created is not a number")?)?;
        if param("alg")? != "rsa-v1_5-sha256" {
            return Err(format!("an algorithm that Mastodon does not know: {input:?}"));
        }
        let url = format!("https://{}{}", self.header("host"), self.target);
        let text = rfc9421_text(&covered, params, self.method, &url, |name| self.header(name));
        let signature = self.header("signature");
        let encoded = signature
            .strip_prefix(&format!("{label}=:"))
            .and_then(|rest| rest.strip_suffix(':'))
            .ok_or_else(|| format!("the Signature header has no {label}: {signature:?}"))?;
        let signature = STANDARD.decode(encoded).map_err(|e| e.to_string())?;
        Ok(ParsedSignature { key_id: param("keyid")?, text, signature })
    }
}

impl ParsedSignature {
    fn verify(&self, pem: &str) -> Result<(), String> {
        let key = unpem(pem).ok_or("the key is not in PEM")?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(self.text.as_bytes(), &self.signature)
            .map_err(|_| format!("the signature does not match the covered text:\n{}", self.text))
    }
}

fn check_moment(second: i64) -> Result<(), String> {
    let off = (super::now().as_second() - second).abs();
    if off > WINDOW { Err(format!("its date is {off} seconds off")) } else { Ok(()) }
}

/// The message for a key whose server does not respond, such as one that is stopped. It is no proof against a
/// delivery.
pub const UNREACHABLE: &str = "cannot be reached";

/// Fetches the owner and the PEM of a key from its id.
async fn fetch_key(client: &Client, key_id: &str) -> Result<(String, String), String> {
    let response = client.try_get(key_id, AS2).await.map_err(|e| format!("{key_id} {UNREACHABLE}: {e:?}"))?;
    if response.status != 200 {
        return Err(format!("{key_id} responded with {}", response.status));
    }
    let document = response.json();
    let key = &document["publicKey"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if key["id"] != key_id {
        return Err(format!("{key_id} leads to the key {}", key["id"]));
    }
    text(&key["owner"])
        .zip(text(&key["publicKeyPem"]))
        .ok_or_else(|| format!("{key_id} leads to no key: {document}"))
}
