//! draft-cavage-http-signatures-12, the form that every fediverse server sends and reads.

use std::borrow::Cow;
use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::digest::BodyDigest;
use super::header_names::{DIGEST, SIGNATURE};
use super::{
    MOST_COMPONENTS, SignatureError, SignedRequest, UnverifiedSignature, check_window, digest, moment,
    parse_key_id,
};
use crate::domain::time::Timestamp;
use crate::federation::keys::{KeyError, SignatureAlgorithm, SigningKey};

/// Parameters that one `Signature` header may have.
const MOST_PARAMETERS: usize = 16;

/// Headers that prove the origin of a request: to be added to it as they are. `Host` is not among them;
/// it is signed as the client sends it, namely the URL's host and, where it is not the default, its port.
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
        format!("(request-target): {verb} {}", super::target_of(url)),
        format!("host: {}", super::host_of(url)),
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

/// What is made here is ASCII without line ends, of which a header value can always be made.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, KeyError> {
    HeaderValue::from_str(text).map_err(|_| KeyError::CryptoFailure)
}

/// Reads the `Signature` header and checks all that needs no key (sections 2.1 to 2.5).
pub(super) fn parse(
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<UnverifiedSignature, SignatureError> {
    let text = request
        .single(SIGNATURE, "several Signature headers")?
        .ok_or(SignatureError::Unauthorized("there is none"))?;
    let parameters = SignatureParameters::parse(text)?;
    let key_id = parse_key_id(parameters.key_id, request.origin)?;
    let algorithms = parameters.algorithms()?;
    let covered = parameters.covered_headers()?;
    check_coverage(&covered, request)?;
    let signed_at = parameters.check_time(&covered, request, now)?;
    if request.has_body() {
        let header = request.combined(DIGEST)?.ok_or(SignatureError::Unauthorized("no Digest header"))?;
        digest::check_digest(&header, request.body)?;
    }
    let mut messages = vec![signing_string(&covered, request, request.target, &parameters)?];
    // GoToSocial leaves the query out of the request target, and others do not.
    let (path, _) = request.path_and_query();
    if path.len() < request.target.len() {
        messages.push(signing_string(&covered, request, path, &parameters)?);
    }
    Ok(UnverifiedSignature::new(key_id, signed_at, parameters.signature, messages, algorithms))
}

/// What a `Signature` header says.
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
    /// Section 4.1. Parameters that we do not know are ignored, those that occur twice refused.
    pub(super) fn parse(text: &'a str) -> Result<Self, SignatureError> {
        let unreadable = SignatureError::Malformed("the Signature header cannot be read");
        let mut seen: Vec<(&str, &str)> = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or(unreadable)?;
            let name = name.trim();
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(unreadable)?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(fits) || value.contains('\\') {
                return Err(unreadable);
            }
            if seen.len() >= MOST_PARAMETERS || seen.iter().any(|(other, _)| *other == name) {
                return Err(unreadable);
            }
            seen.push((name, value));
            rest = match after.trim_start().strip_prefix(',') {
                Some(more) if !more.trim().is_empty() => more.trim_start(),
                None if after.trim().is_empty() => "",
                _ => return Err(unreadable),
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
                .ok_or(SignatureError::Malformed("the signature cannot be read"))?,
        })
    }

    /// What it may have been made with (section 2.1.3). `hs2019` leaves that to the key: everyone who sends it
    /// with an RSA key means `rsa-sha256`, though the draft means PSS.
    fn algorithms(&self) -> Result<Vec<SignatureAlgorithm>, SignatureError> {
        match self.algorithm {
            None | Some("hs2019") => Ok(vec![
                SignatureAlgorithm::RsaSha256,
                SignatureAlgorithm::RsaPssSha512,
                SignatureAlgorithm::Ed25519,
            ]),
            Some("rsa-sha256") => Ok(vec![SignatureAlgorithm::RsaSha256]),
            Some("ed25519") => Ok(vec![SignatureAlgorithm::Ed25519]),
            Some(_) => Err(SignatureError::Unauthorized("an unknown algorithm")),
        }
    }

    /// The names in `headers`, in lower case.
    pub(super) fn covered_headers(&self) -> Result<Vec<Cow<'a, str>>, SignatureError> {
        let text = self.headers.ok_or(SignatureError::Unauthorized("it covers too little"))?;
        let names: Vec<Cow<'a, str>> =
            text.split(' ').filter(|name| !name.is_empty()).take(MOST_COMPONENTS + 1).map(lower).collect();
        let twice = |(index, name): (usize, &Cow<'_, str>)| names[..index].contains(name);
        if names.is_empty() || names.len() > MOST_COMPONENTS || names.iter().enumerate().any(twice) {
            return Err(SignatureError::Malformed("the list of covered headers"));
        }
        Ok(names)
    }

    /// When it was made: by `(created)` or by `Date`, whichever is covered, and each of them in time.
    fn check_time(
        &self,
        covered: &[Cow<'_, str>],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, SignatureError> {
        let covers = |name: &str| covered.iter().any(|covered| covered == name);
        if covers("(expires)") || self.expires.is_some() {
            let expires = self.expires.ok_or(SignatureError::Malformed("no time to expire"))?;
            if moment(expires)? < now {
                return Err(SignatureError::Unauthorized("it has expired"));
            }
        }
        let mut signed_at = None;
        if covers("date") {
            let date = super::date(request)?;
            check_window(date, now)?;
            signed_at = Some(date);
        }
        if covers("(created)") {
            // Section 2.3: not with the older algorithms.
            if self.algorithm == Some("rsa-sha256") {
                return Err(SignatureError::Malformed("(created) with rsa-sha256"));
            }
            let created = moment(self.created.ok_or(SignatureError::Malformed("no time of creation"))?)?;
            check_window(created, now)?;
            signed_at = Some(created);
        }
        signed_at.ok_or(SignatureError::Unauthorized("no date is covered"))
    }
}

fn parse_seconds(text: &str) -> Result<i64, SignatureError> {
    // Section 2.1.5 allows `expires` a fraction, which nobody sends.
    text.parse().map_err(|_| SignatureError::Malformed("a time that is not a number"))
}

/// Most write names in lower case, as they are signed.
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

/// The signing string (section 2.3).
pub(super) fn signing_string(
    covered: &[Cow<'_, str>],
    request: &SignedRequest<'_>,
    target: &str,
    parameters: &SignatureParameters<'_>,
) -> Result<Vec<u8>, SignatureError> {
    let absent = SignatureError::Malformed("a covered header is absent");
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
            "(created)" => number(&mut text, parameters.created.ok_or(absent)?),
            "(expires)" => number(&mut text, parameters.expires.ok_or(absent)?),
            name if request.write_combined(name, &mut text)? => {}
            _ => return Err(absent),
        }
    }
    Ok(text)
}

/// Nothing goes wrong when bytes are written into memory.
fn number(text: &mut Vec<u8>, number: i64) {
    let _ = write!(text, "{number}");
}
