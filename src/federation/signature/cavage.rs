//! draft-cavage-http-signatures-12, the scheme that every fediverse server sends and accepts.

use std::borrow::Cow;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::digest::BodyDigest;
use super::header_names::{DIGEST, SIGNATURE};
use super::time_window::{check_window, date_header, timestamp_from_seconds};
use super::{MAX_COMPONENTS, SignatureError, SignedRequest, UnverifiedSignature, digest, parse_key_id};
use crate::domain::time::Timestamp;
use crate::federation::public_key::{KeyError, SignatureAlgorithm};
use crate::federation::signing_key::SigningKey;

/// The most parameters of a `Signature` header.
const MAX_PARAMETERS: usize = 16;

/// Returns the headers to add to a request in order to sign it. `Host` is not among them; it is signed as
/// the client sends it: the URL's host, with its port unless that is the default.
pub fn sign(
    key: &SigningKey,
    method: &Method,
    url: &Url,
    body: Option<&BodyDigest>,
    now: Timestamp,
) -> Result<HeaderMap, KeyError> {
    let verb = method.as_str().to_ascii_lowercase();
    let date = now.to_http_date();
    let mut lines = vec![
        format!("(request-target): {verb} {}", super::request_target(url)),
        format!("host: {}", super::host_header(url)),
        format!("date: {date}"),
    ];
    let mut covered = "(request-target) host date".to_owned();
    let mut headers = HeaderMap::new();
    if let Some(body) = body {
        let digest = body.digest_header();
        lines.push(format!("digest: {digest}"));
        covered.push_str(" digest");
        headers.insert(HeaderName::from_static(DIGEST), header_value(&digest)?);
    }
    let signature = STANDARD.encode(key.sign(lines.join("\n").as_bytes())?);
    let text =
        format!(r#"keyId="{}",algorithm="rsa-sha256",headers="{covered}",signature="{signature}""#, key.id());
    headers.insert(HeaderName::from_static(SIGNATURE), header_value(&text)?);
    headers.insert(header::DATE, header_value(&date)?);
    Ok(headers)
}

/// Makes a header value. It never fails for the texts made here, which are ASCII without line breaks.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, KeyError> {
    HeaderValue::from_str(text).map_err(|_| KeyError::CryptoFailure)
}

/// Parses the `Signature` header and checks everything that does not need the key (sections 2.1 to 2.5).
pub(super) fn parse(
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<UnverifiedSignature, SignatureError> {
    let text = request
        .single_value(SIGNATURE, "more than one Signature header")?
        .ok_or(SignatureError::Unauthorized("the request is not signed"))?;
    let parameters = SignatureParameters::parse(text)?;
    let key_id = parse_key_id(parameters.key_id, request.origin)?;
    let algorithms = parameters.algorithms()?;
    let covered = parameters.covered_headers()?;
    check_coverage(&covered, request)?;
    let signed_at = parameters.check_time(&covered, request, now)?;
    if request.has_body() {
        let header =
            request.combined_values(DIGEST)?.ok_or(SignatureError::Unauthorized("no Digest header"))?;
        digest::check_digest(&header, request.body)?;
    }
    let mut messages = vec![signing_string(&covered, request, request.target, &parameters)?];
    // GoToSocial omits the query from the request target.
    let (path, _) = request.path_and_query();
    if path.len() < request.target.len() {
        messages.push(signing_string(&covered, request, path, &parameters)?);
    }
    Ok(UnverifiedSignature::new(key_id, signed_at, parameters.signature, messages, algorithms))
}

/// The parameters of a `Signature` header.
#[derive(Debug)]
pub(super) struct SignatureParameters<'a> {
    key_id: &'a str,
    algorithm: Option<&'a str>,
    headers: Option<&'a str>,
    created: Option<i64>,
    expires: Option<i64>,
    pub(super) signature: Vec<u8>,
}

impl<'a> SignatureParameters<'a> {
    /// Parses the header (section 4.1). Unknown parameters are ignored, duplicates are rejected.
    pub(super) fn parse(text: &'a str) -> Result<Self, SignatureError> {
        let unparsable = SignatureError::Malformed("the Signature header cannot be parsed");
        let mut seen: Vec<(&str, &str)> = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or(unparsable)?;
            let name = name.trim();
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(unparsable)?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(fits) || value.contains('\\') {
                return Err(unparsable);
            }
            if seen.len() >= MAX_PARAMETERS || seen.iter().any(|(other, _)| *other == name) {
                return Err(unparsable);
            }
            seen.push((name, value));
            rest = match after.trim_start().strip_prefix(',') {
                Some(more) if !more.trim().is_empty() => more.trim_start(),
                None if after.trim().is_empty() => "",
                _ => return Err(unparsable),
            };
        }
        let find = |wanted: &str| seen.iter().find(|(name, _)| *name == wanted).map(|(_, v)| *v);
        let seconds = |wanted: &str| find(wanted).map(parse_seconds).transpose();
        Ok(Self {
            key_id: find("keyId").ok_or(SignatureError::Malformed("no keyId"))?,
            algorithm: find("algorithm"),
            headers: find("headers"),
            created: seconds("created")?,
            expires: seconds("expires")?,
            signature: find("signature")
                .and_then(|text| STANDARD.decode(text).ok())
                .filter(|bytes| !bytes.is_empty())
                .ok_or(SignatureError::Malformed("the signature is not base64"))?,
        })
    }

    /// Returns the possible algorithms (section 2.1.3). With `hs2019` the key decides. Everyone who sends it with
    /// an RSA key uses `rsa-sha256`, although the draft means PSS.
    fn algorithms(&self) -> Result<Vec<SignatureAlgorithm>, SignatureError> {
        match self.algorithm {
            None | Some("hs2019") => Ok(vec![
                SignatureAlgorithm::RsaSha256,
                SignatureAlgorithm::RsaPssSha512,
                SignatureAlgorithm::Ed25519,
            ]),
            Some("rsa-sha256") => Ok(vec![SignatureAlgorithm::RsaSha256]),
            Some("ed25519") => Ok(vec![SignatureAlgorithm::Ed25519]),
            Some(_) => Err(SignatureError::Unauthorized("unsupported algorithm")),
        }
    }

    /// Returns the names in `headers`, in lower case.
    pub(super) fn covered_headers(&self) -> Result<Vec<Cow<'a, str>>, SignatureError> {
        let text = self.headers.ok_or(SignatureError::Unauthorized("no headers parameter"))?;
        let names: Vec<Cow<'a, str>> =
            text.split(' ').filter(|name| !name.is_empty()).take(MAX_COMPONENTS + 1).map(lower).collect();
        let twice = |(index, name): (usize, &Cow<'_, str>)| names[..index].contains(name);
        if names.is_empty() || names.len() > MAX_COMPONENTS || names.iter().enumerate().any(twice) {
            return Err(SignatureError::Malformed("invalid list of covered headers"));
        }
        Ok(names)
    }

    /// Returns when the signature was made, from whichever of `(created)` and `Date` it covers. Every covered time
    /// must be within the accepted window.
    fn check_time(
        &self,
        covered: &[Cow<'_, str>],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, SignatureError> {
        let covers = |name: &str| covered.iter().any(|covered| covered == name);
        if covers("(expires)") || self.expires.is_some() {
            let expires = self.expires.ok_or(SignatureError::Malformed("no expires parameter"))?;
            if timestamp_from_seconds(expires)? < now {
                return Err(SignatureError::Unauthorized("the signature has expired"));
            }
        }
        let mut signed_at = None;
        if covers("date") {
            let date = date_header(request)?;
            check_window(date, now)?;
            signed_at = Some(date);
        }
        if covers("(created)") {
            // Section 2.3 does not allow it with the older algorithms.
            if self.algorithm == Some("rsa-sha256") {
                return Err(SignatureError::Malformed("(created) is not allowed with rsa-sha256"));
            }
            let created = timestamp_from_seconds(
                self.created.ok_or(SignatureError::Malformed("no created parameter"))?,
            )?;
            check_window(created, now)?;
            signed_at = Some(created);
        }
        signed_at.ok_or(SignatureError::Unauthorized("no date is covered"))
    }
}

fn parse_seconds(text: &str) -> Result<i64, SignatureError> {
    // Section 2.1.5 allows fractions in `expires`, but nobody sends them.
    text.parse().map_err(|_| SignatureError::Malformed("a time is not a number"))
}

/// Converts to lower case. It does not allocate for names that are lower case already, as most are.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

fn check_coverage(covered: &[Cow<'_, str>], request: &SignedRequest<'_>) -> Result<(), SignatureError> {
    let covers = |name: &str| covered.iter().any(|covered| covered == name);
    if !covers("(request-target)") {
        return Err(SignatureError::Unauthorized("the request target is not covered"));
    }
    if !covers("host") {
        return Err(SignatureError::Unauthorized("the host is not covered"));
    }
    if request.has_body() && !covers("digest") {
        return Err(SignatureError::Unauthorized("the digest is not covered"));
    }
    Ok(())
}

/// Returns the signing string (section 2.3).
pub(super) fn signing_string(
    covered: &[Cow<'_, str>],
    request: &SignedRequest<'_>,
    target: &str,
    parameters: &SignatureParameters<'_>,
) -> Result<Vec<u8>, SignatureError> {
    let absent = SignatureError::Malformed("a covered header is missing");
    let mut text = Vec::with_capacity(512);
    for (index, name) in covered.iter().enumerate() {
        if index > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        match &**name {
            "(request-target)" => {
                text.extend(request.method.as_str().bytes().map(|byte| byte.to_ascii_lowercase()));
                text.push(b' ');
                text.extend_from_slice(target.as_bytes());
            }
            "(created)" => push_number(&mut text, parameters.created.ok_or(absent)?),
            "(expires)" => push_number(&mut text, parameters.expires.ok_or(absent)?),
            name if request.write_combined_values(name, &mut text)? => {}
            _ => return Err(absent),
        }
    }
    Ok(text)
}

fn push_number(text: &mut Vec<u8>, number: i64) {
    // Writing into memory does not fail.
    let _ = write!(text, "{number}");
}
