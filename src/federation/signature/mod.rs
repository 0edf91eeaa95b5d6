//! Signatures on HTTP requests, in the two schemes that the fediverse uses: draft-cavage-http-signatures-12
//! and RFC 9421.
//!
//! [`parse`] checks everything that does not need the key, so that a request that could never be accepted
//! causes no key fetch. [`UnverifiedSignature::verify`] then checks the signature. Both are pure and bounded:
//! they hash the body and verify at most a few times. Async callers run them on a separate thread.

pub mod cavage;
pub mod digest;
pub mod rfc9421;
mod signed_request;
mod structured_fields;
#[cfg(test)]
mod tests;
mod time_window;

use aws_lc_rs::digest::{Context, SHA256};
use http::{HeaderMap, Method};
use url::Url;

use self::digest::BodyDigest;
use super::public_key::{KeyError, PublicKey, SignatureAlgorithm};
use super::signing_key::SigningKey;
use crate::domain::origin::Origin;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

pub use signed_request::SignedRequest;
pub use time_window::{MAX_CLOCK_SKEW, MAX_SIGNATURE_AGE};

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
    #[error("signature rejected: {0}")]
    Unauthorized(&'static str),
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

/// Returns the `Host` header that our client sends for a URL.
fn host_header(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// Returns the request target that our client sends for a URL.
fn request_target(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}
