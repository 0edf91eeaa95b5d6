//! Signed requests, which a test may change before (`UnsignedRequest`) or after (`SignedRequest`) they are
//! signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;

use super::http::{AS2, Client, Response};
use super::keys::Key;
use super::signature::{
    SignatureScheme, authority_of, cavage_text, http_date, rfc9421_params, rfc9421_text, sha256, sha512,
    target_of,
};

/// A request with all inputs of its signature.
#[derive(Clone)]
pub struct UnsignedRequest {
    pub url: String,
    pub body: Vec<u8>,
    pub key: Key,
    pub key_id: String,
    pub scheme: SignatureScheme,
    pub date: jiff::Timestamp,
    /// The names of the headers and components that the signature covers.
    pub covered: Vec<&'static str>,
    /// The `Host` header.
    pub host: String,
    /// The request target that is signed.
    pub target: String,
    /// The URL that an RFC 9421 signature covers.
    pub target_uri: String,
    /// Whether the RFC 9421 parameter `created` is present.
    pub has_created: bool,
    /// The algorithm that the signature names.
    pub algorithm: &'static str,
    /// Whether the digest is SHA-512 rather than SHA-256.
    pub has_long_digest: bool,
}

/// The request as it is sent.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl UnsignedRequest {
    pub fn new(scheme: SignatureScheme, key: &Key, key_id: &str, inbox: &str, activity: &Value) -> Self {
        let covered = match scheme {
            SignatureScheme::Cavage => vec!["(request-target)", "host", "date", "digest", "content-type"],
            SignatureScheme::Rfc9421 => vec!["@method", "@target-uri", "content-digest"],
        };
        Self {
            url: inbox.to_owned(),
            body: activity.to_string().into_bytes(),
            key: key.clone(),
            key_id: key_id.to_owned(),
            scheme,
            date: super::now(),
            covered,
            host: authority_of(inbox),
            target: target_of(inbox),
            target_uri: inbox.to_owned(),
            has_created: true,
            algorithm: match scheme {
                SignatureScheme::Cavage => "rsa-sha256",
                SignatureScheme::Rfc9421 => "rsa-v1_5-sha256",
            },
            has_long_digest: false,
        }
    }

    /// A signed GET, which has neither body nor digest.
    pub fn fetch(scheme: SignatureScheme, key: &Key, key_id: &str, url: &str) -> Self {
        let mut request = Self::new(scheme, key, key_id, url, &Value::Null);
        request.body.clear();
        request.covered.retain(|name| !matches!(*name, "digest" | "content-digest" | "content-type"));
        request
    }

    fn method(&self) -> Method {
        if self.body.is_empty() { Method::GET } else { Method::POST }
    }

    /// The digest of the body, with the name of its algorithm.
    fn digest(&self) -> (&'static str, String) {
        if self.has_long_digest { ("sha-512", sha512(&self.body)) } else { ("sha-256", sha256(&self.body)) }
    }

    /// Signs the request.
    pub fn sign(&self) -> SignedRequest {
        self.sign_with(|text| self.key.sign(text))
    }

    /// Signs the request with a key of another type.
    pub fn sign_with(&self, sign: impl Fn(&[u8]) -> Vec<u8>) -> SignedRequest {
        let method = self.method();
        let is_fetch = method == Method::GET;
        let mut signed =
            SignedRequest { url: self.url.clone(), headers: Vec::new(), body: self.body.clone() };
        if is_fetch {
            signed.add("accept", AS2);
        } else {
            signed.add("content-type", "application/activity+json");
        }
        let (kind, digest) = self.digest();
        signed.add("host", &self.host);
        signed.add("date", &http_date(self.date));
        match self.scheme {
            SignatureScheme::Cavage => {
                if !is_fetch {
                    signed.add("digest", &format!("{}={digest}", kind.to_uppercase()));
                }
                let text = cavage_text(&self.covered, method.as_str(), &self.target, |name| signed.get(name));
                let signature = STANDARD.encode(sign(text.as_bytes()));
                let covered = self.covered.join(" ");
                let header = format!(
                    "keyId=\"{}\",algorithm=\"{}\",headers=\"{covered}\",signature=\"{signature}\"",
                    self.key_id, self.algorithm
                );
                signed.add("signature", &header);
            }
            SignatureScheme::Rfc9421 => {
                if !is_fetch {
                    signed.add("content-digest", &format!("{kind}=:{digest}:"));
                }
                let created = self.has_created.then(|| self.date.as_second());
                let params = rfc9421_params(&self.covered, created, &self.key_id, self.algorithm);
                let text = rfc9421_text(&self.covered, &params, method.as_str(), &self.target_uri, |name| {
                    signed.get(name)
                });
                let signature = STANDARD.encode(sign(text.as_bytes()));
                signed.add("signature-input", &format!("sig1={params}"));
                signed.add("signature", &format!("sig1=:{signature}:"));
            }
        }
        signed
    }
}

impl SignedRequest {
    pub fn get(&self, name: &str) -> String {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    pub fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    /// Sends it as a GET.
    pub async fn fetch(&self, client: &Client) -> Response {
        let sent = client.send(Method::GET, &self.url, &self.headers, Vec::new()).await;
        sent.unwrap_or_else(|e| panic!("GET {}: {e:?}", self.url))
    }

    /// Sends it as a POST.
    pub async fn post(&self, client: &Client) -> Response {
        self.try_post(client).await.unwrap_or_else(|e| panic!("POST {}: {e:?}", self.url))
    }

    /// The same, or an error if no server responds.
    pub async fn try_post(&self, client: &Client) -> Result<Response, reqwest::Error> {
        client.send(Method::POST, &self.url, &self.headers, self.body.clone()).await
    }

    /// Sends it again, like a server that retries, until it is accepted.
    pub async fn post_until_accepted(&self, client: &Client) {
        let sent = || async { self.try_post(client).await.ok().filter(|response| response.status < 500) };
        let response = super::within(super::LONG_WAIT_TIMEOUT, sent).await.expect("a response");
        let body = String::from_utf8_lossy(&self.body);
        assert!(response.is_success(), "{}: {} to {body}", response.status, response.body);
    }
}
