//! Signatures on HTTP requests, in the two schemes that the fediverse uses: draft-cavage-http-signatures-12
//! and RFC 9421.
//!
//! [`parse`] checks everything that does not need the key, so that a request that could never be accepted
//! causes no key fetch. [`UnverifiedSignature::verify`] then checks the signature. Both are pure and bounded:
//! they hash the body and verify at most a few times. Async callers run them on a separate thread.

pub mod cavage;
pub mod digest;
pub mod rfc9421;
mod structured_fields;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use http::{HeaderMap, Method, header};
use url::Url;

use self::digest::BodyDigest;
use super::public_key::{KeyError, PublicKey, SignatureAlgorithm};
use super::signing_key::SigningKey;
use crate::domain::origin::Origin;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

/// The maximum age of a signature. It leaves time for a peer's retries, which often reuse the signature.
pub const MAX_SIGNATURE_AGE: Duration = Duration::from_hours(12);

/// How far a peer's clock may be ahead.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_hours(1);

/// The longest header value that is read, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// The most components that a signature may cover.
const MAX_COMPONENTS: usize = 32;

const MAX_KEY_ID_BYTES: usize = 2048;

/// Why a signature is not accepted. The messages contain no text of the request, so they are safe to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature cannot be parsed or is contradictory; answered with 400.
    #[error("malformed signature: {0}")]
    Malformed(&'static str),
    /// The signature is well-formed but proves nothing; answered with 401, so that double-knocking peers retry
    /// with the other scheme.
    #[error("signature not accepted: {0}")]
    Unauthorized(&'static str),
}

/// A received request.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and query, exactly as sent.
    pub target: &'a str,
    /// Our origin: the scheme and authority that the peer must have signed.
    pub origin: &'a Origin,
    /// All headers. For HTTP/2, the caller sets `Host` from `:authority`.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Whether the request has a body, which a digest must protect.
    fn has_body(&self) -> bool {
        !self.body.is_empty() || !matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// Returns the path, and the query without its question mark.
    fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((self.target, ""))
    }

    /// Returns the value of a header that may occur only once, or `None` if it is absent. `if_repeated` is the error
    /// if it occurs more often.
    fn single_value(
        &self,
        name: &'static str,
        if_repeated: &'static str,
    ) -> Result<Option<&str>, SignatureError> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(SignatureError::Malformed(if_repeated));
        }
        header_text(value).map(Some)
    }

    /// Returns the values of a header as one list (RFC 9110 section 5.3), or `None` if it is absent.
    fn combined_values(&self, name: &str) -> Result<Option<String>, SignatureError> {
        let mut all = Vec::new();
        let is_present = self.write_combined_values(name, &mut all)?;
        let all = String::from_utf8(all).map_err(|_| SignatureError::Malformed("a header is not ASCII"))?;
        Ok(is_present.then_some(all))
    }

    /// Appends the values of a header as one list to the buffer. Returns `false` if the header is absent.
    fn write_combined_values(&self, name: &str, all: &mut Vec<u8>) -> Result<bool, SignatureError> {
        let begin = all.len();
        let mut is_present = false;
        for value in self.headers.get_all(name) {
            let value = header_text(value)?.trim_matches([' ', '\t']);
            if is_present {
                all.extend_from_slice(b", ");
            }
            is_present = true;
            all.extend_from_slice(value.as_bytes());
            if all.len() - begin > MAX_HEADER_BYTES {
                return Err(SignatureError::Malformed("a covered header is too long"));
            }
        }
        Ok(is_present)
    }

    /// Rejects a request to another host, since a signature made for another server must not work here.
    fn check_host(&self) -> Result<(), SignatureError> {
        let host = self
            .single_value("host", "more than one Host header")?
            .ok_or(SignatureError::Unauthorized("no Host header"))?;
        let ours = self.origin.authority();
        let default_port = if self.origin.is_localhost() { ":80" } else { ":443" };
        let bare = host.strip_suffix(default_port).unwrap_or(host);
        if host.eq_ignore_ascii_case(ours) || bare.eq_ignore_ascii_case(ours) {
            Ok(())
        } else {
            Err(SignatureError::Unauthorized("the request is for another host"))
        }
    }
}

fn header_text(value: &http::HeaderValue) -> Result<&str, SignatureError> {
    let text = value.to_str().map_err(|_| SignatureError::Malformed("a header is not ASCII"))?;
    if text.len() > MAX_HEADER_BYTES {
        return Err(SignatureError::Malformed("a header is too long"));
    }
    Ok(text)
}

/// A signature that is complete, recent and made for this request, but not yet verified with its key.
#[derive(Debug, Clone)]
pub struct UnverifiedSignature {
    /// The id of the key, which is the URL to fetch it from.
    pub key_id: Url,
    /// When the signature was made, by the signer's clock.
    pub signed_at: Timestamp,
    /// The SHA-256 of key id and signature, which detects replays. Remember it for [`MAX_SIGNATURE_AGE`] plus
    /// [`MAX_CLOCK_SKEW`], and only after the signature has been verified. draft-cavage does not sign the key
    /// id, so the fetched key must have exactly this id; otherwise a replay could use another spelling.
    pub fingerprint: [u8; 32],
    signature: Vec<u8>,
    /// The candidates for the signed message, one of which must verify.
    messages: Vec<Vec<u8>>,
    algorithms: Vec<SignatureAlgorithm>,
}

impl UnverifiedSignature {
    fn new(
        key_id: Url,
        signed_at: Timestamp,
        signature: Vec<u8>,
        messages: Vec<Vec<u8>>,
        algorithms: Vec<SignatureAlgorithm>,
    ) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(key_id.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(&signature);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.finish().as_ref());
        Self { key_id, signed_at, fingerprint, signature, messages, algorithms }
    }

    /// Verifies the signature with the key that was fetched from [`UnverifiedSignature::key_id`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let fits =
            |algorithm: &SignatureAlgorithm| (*algorithm == SignatureAlgorithm::Ed25519) != key.is_rsa();
        if !self.algorithms.iter().any(fits) {
            return Err(SignatureError::Unauthorized("the algorithm does not fit the key"));
        }
        let verified = self.messages.iter().any(|message| {
            self.algorithms.iter().any(|algorithm| key.verifies(*algorithm, message, &self.signature))
        });
        if verified { Ok(()) } else { Err(SignatureError::Unauthorized("the signature does not match")) }
    }
}

/// Returns the headers to add to a request in order to sign it.
pub fn sign(
    scheme: SignatureScheme,
    key: &SigningKey,
    method: &Method,
    url: &Url,
    body: Option<&BodyDigest>,
    now: Timestamp,
) -> Result<HeaderMap, KeyError> {
    match scheme {
        SignatureScheme::Cavage => cavage::sign(key, method, url, body, now),
        SignatureScheme::Rfc9421 => rfc9421::sign(key, method, url, body, now),
    }
}

/// Parses the signature of a request, as RFC 9421 if there is a `Signature-Input`, else as draft-cavage. The
/// result covers the method, the path, our host, a recent date and, if there is a body, its digest, which
/// has been compared with the body.
pub fn parse(request: &SignedRequest<'_>, now: Timestamp) -> Result<UnverifiedSignature, SignatureError> {
    if !request.headers.contains_key(header_names::SIGNATURE) {
        return Err(SignatureError::Unauthorized("the request is not signed"));
    }
    if !request.target.starts_with('/') {
        return Err(SignatureError::Malformed("the request target is not a path"));
    }
    request.check_host()?;
    if request.headers.contains_key(header_names::SIGNATURE_INPUT) {
        rfc9421::parse(request, now)
    } else {
        cavage::parse(request, now)
    }
}

/// Header names that the `http` crate does not define.
mod header_names {
    pub(super) const SIGNATURE: &str = "signature";
    pub(super) const SIGNATURE_INPUT: &str = "signature-input";
    pub(super) const DIGEST: &str = "digest";
    pub(super) const CONTENT_DIGEST: &str = "content-digest";
}

/// Parses a key id. It must be a URL that can be fetched, and not one of ours, since nobody else signs with
/// our keys.
fn parse_key_id(text: &str, origin: &Origin) -> Result<Url, SignatureError> {
    if text.len() > MAX_KEY_ID_BYTES {
        return Err(SignatureError::Malformed("the key id is too long"));
    }
    let url = Url::parse(text).map_err(|_| SignatureError::Malformed("the key id is not a URL"))?;
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && origin.is_localhost());
    if !scheme_fits || !url.username().is_empty() || url.password().is_some() {
        return Err(SignatureError::Malformed("the key id is not an https URL"));
    }
    let ours = !origin.is_localhost() && url.host_str() == Some(origin.host());
    if ours || origin.owns(&url) {
        return Err(SignatureError::Unauthorized("the key id is on this server"));
    }
    Ok(url)
}

/// Rejects a signature that is too old or too far in the future.
fn check_window(signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    if signed_at < now - MAX_SIGNATURE_AGE {
        Err(SignatureError::Unauthorized("the signature is older than 12 hours"))
    } else if signed_at > now + MAX_CLOCK_SKEW {
        Err(SignatureError::Unauthorized("the signature is dated more than an hour ahead"))
    } else {
        Ok(())
    }
}

/// Converts seconds since the epoch. Rejects a value out of range, since clamping would change it.
fn timestamp_from_seconds(seconds: i64) -> Result<Timestamp, SignatureError> {
    let outside = SignatureError::Malformed("a time is out of range");
    let millis = seconds.checked_mul(1000).ok_or(outside)?;
    let timestamp = Timestamp::from_millis(millis);
    if timestamp.millis() == millis { Ok(timestamp) } else { Err(outside) }
}

/// Parses the `Date` header.
fn date_header(request: &SignedRequest<'_>) -> Result<Timestamp, SignatureError> {
    let text = request
        .single_value(header::DATE.as_str(), "more than one Date header")?
        .ok_or(SignatureError::Unauthorized("no Date header"))?;
    Timestamp::parse_http_date(text).ok_or(SignatureError::Malformed("the Date header cannot be parsed"))
}

/// Returns the `Host` header that our client sends for a URL.
fn host_header(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Returns the request target that our client sends for a URL.
fn request_target(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}
