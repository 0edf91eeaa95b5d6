//! Signatures on HTTP requests, in the two forms that the fediverse uses: draft-cavage-http-signatures-12
//! and RFC 9421.
//!
//! [`parse`] checks everything that needs no key, so that a request which could never be accepted costs no
//! fetch of one; [`UnverifiedSignature::verify`] then checks the signature itself. Both are pure and bounded: they
//! hash the body and verify at most a handful of times, and belong off the async threads.

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
use super::keys::{KeyError, PublicKey, SignatureAlgorithm, SigningKey};
use crate::domain::origin::Origin;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

/// A signature is accepted for this long after it was made: long enough for a peer's retries, which
/// often send the first signature again.
pub const MAX_SIGNATURE_AGE: Duration = Duration::from_hours(12);

/// How far a peer's clock may be ahead.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_hours(1);

/// A header that speaks about signatures is never longer.
const LONGEST_HEADER: usize = 8 * 1024;

/// No honest signature covers more.
const MOST_COMPONENTS: usize = 32;

const LONGEST_KEY_ID: usize = 2048;

/// Why a signature is not accepted. The text is ours alone and safe to send to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Cannot be read, or contradicts itself: 400.
    #[error("malformed signature: {0}")]
    Malformed(&'static str),
    /// Can be read and proves nothing: 401, on which peers try their other form of signature.
    #[error("signature not accepted: {0}")]
    Unauthorized(&'static str),
}

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Path and query exactly as they were sent.
    pub target: &'a str,
    /// Who we are: the authority and the scheme that the peer must have signed.
    pub origin: &'a Origin,
    /// All its headers. Where HTTP/2 carried `:authority` instead of `Host`, the caller puts it there.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Whether there is something that a digest must protect.
    fn has_body(&self) -> bool {
        !self.body.is_empty() || !matches!(*self.method, Method::GET | Method::HEAD)
    }

    /// The path, and the query without its question mark.
    fn path_and_query(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((self.target, ""))
    }

    /// The one value of a header that may occur only once; none where it is absent.
    fn single(&self, name: &'static str, twice: &'static str) -> Result<Option<&str>, SignatureError> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(SignatureError::Malformed(twice));
        }
        readable(value).map(Some)
    }

    /// The values of a header as one list (RFC 9110 section 5.3); none where it is absent.
    fn combined(&self, name: &str) -> Result<Option<String>, SignatureError> {
        let mut all = Vec::new();
        let is_there = self.write_combined(name, &mut all)?;
        let all =
            String::from_utf8(all).map_err(|_| SignatureError::Malformed("a header that is not ASCII"))?;
        Ok(is_there.then_some(all))
    }

    /// Writes the values of a header as one list behind what is there; false where it is absent.
    fn write_combined(&self, name: &str, all: &mut Vec<u8>) -> Result<bool, SignatureError> {
        let begin = all.len();
        let mut is_there = false;
        for value in self.headers.get_all(name) {
            let value = readable(value)?.trim_matches([' ', '\t']);
            if is_there {
                all.extend_from_slice(b", ");
            }
            is_there = true;
            all.extend_from_slice(value.as_bytes());
            if all.len() - begin > LONGEST_HEADER {
                return Err(SignatureError::Malformed("a covered header is too long"));
            }
        }
        Ok(is_there)
    }

    /// Refuses what was addressed to another host: a signature for a neighbour is not one for us.
    fn check_host(&self) -> Result<(), SignatureError> {
        let host = self
            .single("host", "several Host headers")?
            .ok_or(SignatureError::Unauthorized("no Host header"))?;
        let ours = self.origin.authority();
        let default_port = if self.origin.is_localhost() { ":80" } else { ":443" };
        let bare = host.strip_suffix(default_port).unwrap_or(host);
        if host.eq_ignore_ascii_case(ours) || bare.eq_ignore_ascii_case(ours) {
            Ok(())
        } else {
            Err(SignatureError::Unauthorized("made for another host"))
        }
    }
}

fn readable(value: &http::HeaderValue) -> Result<&str, SignatureError> {
    let text = value.to_str().map_err(|_| SignatureError::Malformed("a header that is not ASCII"))?;
    if text.len() > LONGEST_HEADER {
        return Err(SignatureError::Malformed("a header is too long"));
    }
    Ok(text)
}

/// A signature that is complete, fresh and made for this very request, but whose key is not yet known.
#[derive(Debug, Clone)]
pub struct UnverifiedSignature {
    /// Where its key is to be had.
    pub key_id: Url,
    /// When it was made, by the signer's clock.
    pub signed_at: Timestamp,
    /// SHA-256 over key id and signature: the same again is a replay. Keep it for [`MAX_SIGNATURE_AGE`] and
    /// [`MAX_CLOCK_SKEW`] together, and only once the signature has been verified. draft-cavage does not sign the
    /// key id, so the document found there must name exactly this id, or a replay could spell it anew.
    pub fingerprint: [u8; 32],
    signature: Vec<u8>,
    /// What may have been signed; one of them must verify.
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

    /// Checks the signature with the key that stands at [`UnverifiedSignature::key_id`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let fits =
            |algorithm: &SignatureAlgorithm| (*algorithm == SignatureAlgorithm::Ed25519) != key.is_rsa();
        if !self.algorithms.iter().any(fits) {
            return Err(SignatureError::Unauthorized("the key is of another kind"));
        }
        let verified = self.messages.iter().any(|message| {
            self.algorithms.iter().any(|algorithm| key.verifies(*algorithm, message, &self.signature))
        });
        if verified { Ok(()) } else { Err(SignatureError::Unauthorized("it does not verify")) }
    }
}

/// Headers that prove the origin of a request: to be added to it as they are.
pub fn sign(
    form: SignatureScheme,
    key: &SigningKey,
    method: &Method,
    url: &Url,
    body: Option<&BodyDigest>,
    now: Timestamp,
) -> Result<HeaderMap, KeyError> {
    match form {
        SignatureScheme::Cavage => cavage::sign(key, method, url, body, now),
        SignatureScheme::Rfc9421 => rfc9421::sign(key, method, url, body, now),
    }
}

/// Reads the signature of a request: RFC 9421 where there is a `Signature-Input`, draft-cavage otherwise.
/// What it returns covers the method, the path, our host, a fresh date and, where there is a body, its
/// digest, which has been compared with the body.
pub fn parse(request: &SignedRequest<'_>, now: Timestamp) -> Result<UnverifiedSignature, SignatureError> {
    if !request.headers.contains_key(header_names::SIGNATURE) {
        return Err(SignatureError::Unauthorized("there is none"));
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

/// Names that the `http` crate does not know.
mod header_names {
    pub(super) const SIGNATURE: &str = "signature";
    pub(super) const SIGNATURE_INPUT: &str = "signature-input";
    pub(super) const DIGEST: &str = "digest";
    pub(super) const CONTENT_DIGEST: &str = "content-digest";
}

/// The address of a key. It must be one that we could fetch, and not one of our own: nobody else signs
/// with those.
fn parse_key_id(text: &str, origin: &Origin) -> Result<Url, SignatureError> {
    if text.len() > LONGEST_KEY_ID {
        return Err(SignatureError::Malformed("the key id is too long"));
    }
    let url = Url::parse(text).map_err(|_| SignatureError::Malformed("the key id is not a URL"))?;
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && origin.is_localhost());
    if !scheme_fits || !url.username().is_empty() || url.password().is_some() {
        return Err(SignatureError::Malformed("the key id is not an https URL"));
    }
    let ours = !origin.is_localhost() && url.host_str() == Some(origin.host());
    if ours || origin.owns(&url) {
        return Err(SignatureError::Unauthorized("the key is one of ours"));
    }
    Ok(url)
}

/// Refuses what was made too long ago or too far ahead.
fn check_window(signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    if signed_at < now - MAX_SIGNATURE_AGE {
        Err(SignatureError::Unauthorized("it is older than 12 hours"))
    } else if signed_at > now + MAX_CLOCK_SKEW {
        Err(SignatureError::Unauthorized("it is over an hour ahead"))
    } else {
        Ok(())
    }
}

/// Seconds since the epoch as a moment. Out of range is refused, since a clamped moment is another one.
fn moment(seconds: i64) -> Result<Timestamp, SignatureError> {
    let outside = SignatureError::Malformed("a time out of range");
    let millis = seconds.checked_mul(1000).ok_or(outside)?;
    let moment = Timestamp::from_millis(millis);
    if moment.millis() == millis { Ok(moment) } else { Err(outside) }
}

/// The `Date` header as a moment.
fn date(request: &SignedRequest<'_>) -> Result<Timestamp, SignatureError> {
    let text = request
        .single(header::DATE.as_str(), "several Date headers")?
        .ok_or(SignatureError::Unauthorized("no Date header"))?;
    Timestamp::parse_http_date(text).ok_or(SignatureError::Malformed("the Date cannot be read"))
}

/// The `Host` that our own client will send to this address.
fn host_of(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// The path and query that our own client will ask this address for.
fn target_of(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}
