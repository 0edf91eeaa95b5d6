//! Attacks A1 to A8 on both forms, the vectors of both documents, and what must hold for any input.

mod attacks;
mod properties;
mod vectors;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::digest::BodyDigest;
use super::{SignatureError, SignedRequest, UnverifiedSignature, cavage, parse, rfc9421};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::federation::keys::tests::{public_key, signing_key};

const BODY: &[u8] = br#"{"type":"Follow"}"#;
const NOW: i64 = 1_780_000_000_000;

/// Signs a request in one of the two forms.
type Sign = fn(
    &crate::federation::keys::SigningKey,
    &Method,
    &Url,
    Option<&BodyDigest>,
    Timestamp,
) -> Result<HeaderMap, crate::federation::keys::KeyError>;

const FORMS: [Sign; 2] = [cavage::sign, rfc9421::sign];

/// A request that can be bent in every part.
#[derive(Clone)]
struct Sent {
    method: Method,
    target: String,
    origin: Origin,
    headers: HeaderMap,
    body: Vec<u8>,
    now: Timestamp,
}

impl Sent {
    fn signed(form: Sign, method: Method, url: &str, body: Option<&[u8]>) -> Self {
        Self::signed_at(form, method, url, body, NOW)
    }

    fn signed_at(form: Sign, method: Method, url: &str, body: Option<&[u8]>, millis: i64) -> Self {
        let url: Url = url.parse().unwrap();
        let at = Timestamp::from_millis(millis);
        let mut headers =
            form(&signing_key(), &method, &url, body.map(BodyDigest::compute).as_ref(), at).unwrap();
        headers.insert("host", HeaderValue::from_str(super::host_of(&url)).unwrap());
        Self {
            method,
            target: super::target_of(&url).to_owned(),
            origin: Origin::parse("https://crit.example").unwrap(),
            headers,
            body: body.unwrap_or_default().to_vec(),
            now: Timestamp::from_millis(NOW),
        }
    }

    fn post(form: Sign) -> Self {
        Self::signed(form, Method::POST, "https://crit.example/ap/inbox", Some(BODY))
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn add(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn get(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }

    /// Replaces a part of a header.
    fn bend(self, name: &str, from: &str, to: &str) -> Self {
        let text = self.get(name);
        assert!(text.contains(from), "{from} in {text}");
        self.set(name, &text.replace(from, to))
    }

    fn read(&self) -> Result<UnverifiedSignature, SignatureError> {
        let request = SignedRequest {
            method: &self.method,
            target: &self.target,
            origin: &self.origin,
            headers: &self.headers,
            body: &self.body,
        };
        parse(&request, self.now)
    }

    /// As a server does it: read, fetch the key, verify.
    fn verify(&self) -> Result<(), SignatureError> {
        self.read()?.verify(&public_key())
    }
}
