//! Tests of both schemes: known attacks, the test vectors of both specifications, and properties of any input.

mod attacks;
mod properties;
mod vectors;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::digest::BodyDigest;
use super::{SignatureError, SignedRequest, UnverifiedSignature, cavage, parse, rfc9421};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::federation::signing_key::tests::{public_key, signing_key};

const BODY: &[u8] = br#"{"type":"Follow"}"#;
const NOW: i64 = 1_780_000_000_000;

/// Signs a request in one of the two schemes.
type Sign = fn(
    &crate::federation::signing_key::SigningKey,
    &Method,
    &Url,
    Option<&BodyDigest>,
    Timestamp,
) -> Result<HeaderMap, crate::federation::public_key::KeyError>;

const SCHEMES: [Sign; 2] = [cavage::sign, rfc9421::sign];

/// A request of which every part can be modified.
#[derive(Clone)]
struct TestRequest {
    method: Method,
    target: String,
    origin: Origin,
    headers: HeaderMap,
    body: Vec<u8>,
    now: Timestamp,
}

impl TestRequest {
    fn signed(scheme: Sign, method: Method, url: &str, body: Option<&[u8]>) -> Self {
        Self::signed_at(scheme, method, url, body, NOW)
    }

    fn signed_at(scheme: Sign, method: Method, url: &str, body: Option<&[u8]>, millis: i64) -> Self {
        let url: Url = url.parse().unwrap();
        let at = Timestamp::from_millis(millis);
        let mut headers =
            scheme(&signing_key(), &method, &url, body.map(BodyDigest::compute).as_ref(), at).unwrap();
        headers.insert("host", HeaderValue::from_str(super::host_header(&url)).unwrap());
        Self {
            method,
            target: super::request_target(&url).to_owned(),
            origin: Origin::parse("https://crit.example").unwrap(),
            headers,
            body: body.unwrap_or_default().to_vec(),
            now: Timestamp::from_millis(NOW),
        }
    }

    fn post(scheme: Sign) -> Self {
        Self::signed(scheme, Method::POST, "https://crit.example/ap/inbox", Some(BODY))
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
    fn replace_in(self, name: &str, from: &str, to: &str) -> Self {
        let text = self.get(name);
        assert!(text.contains(from), "{from} in {text}");
        self.set(name, &text.replace(from, to))
    }

    fn parse(&self) -> Result<UnverifiedSignature, SignatureError> {
        let request = SignedRequest {
            method: &self.method,
            target: &self.target,
            origin: &self.origin,
            headers: &self.headers,
            body: &self.body,
        };
        parse(&request, self.now)
    }

    /// Does what a server does: parses the signature, fetches the key and verifies.
    fn verify(&self) -> Result<(), SignatureError> {
        self.parse()?.verify(&public_key())
    }
}
