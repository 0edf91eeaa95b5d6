//! HTTP Message Signatures (RFC 9421), in the subset that Mastodon, Fedify, Ghost and WordPress send.
//!
//! A signature must cover the method, the path, our authority and, if there is a body, the content digest. It
//! must name its key and its time of creation. Of the components with parameters, only `@query-param` is
//! supported; a signature that covers another is skipped.
//!
//! If there are several signatures, the first that is complete, recent and made for this request counts,
//! regardless of its key. One valid signature is proof, and no request can cause more than one key fetch.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::cavage::header_value;
use super::digest::BodyDigest;
use super::header_names::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT};
use super::structured_fields::{self, BareItem, InnerListItem, Member, MemberValue, Parameters};
use super::time_window::{check_window, date_header, timestamp_from_seconds};
use super::{SignatureError, SignedRequest, UnverifiedSignature, digest, parse_key_id};
use crate::domain::time::Timestamp;
use crate::federation::public_key::{KeyError, SignatureAlgorithm};
use crate::federation::signing_key::SigningKey;

/// The most signatures in one request.
const MAX_LABELS: usize = 4;

/// Returns the headers to add to a request in order to sign it.
pub fn sign(
    key: &SigningKey,
    method: &Method,
    url: &Url,
    body: Option<&BodyDigest>,
    now: Timestamp,
) -> Result<HeaderMap, KeyError> {
    let whole = &url[..url::Position::AfterQuery];
    let mut lines = vec![format!("\"@method\": {method}"), format!("\"@target-uri\": {whole}")];
    let bare = |name: &str| (name.to_owned(), Parameters::new());
    let mut covered = vec![bare("@method"), bare("@target-uri")];
    let mut headers = HeaderMap::new();
    if let Some(body) = body {
        let digest = body.content_digest_header();
        lines.push(format!("\"content-digest\": {digest}"));
        covered.push(bare(CONTENT_DIGEST));
        headers.insert(HeaderName::from_static(CONTENT_DIGEST), header_value(&digest)?);
    }
    let parameters = vec![
        ("created".to_owned(), BareItem::Integer(now.millis() / 1000)),
        ("keyid".to_owned(), BareItem::String(key.id().to_string())),
        ("alg".to_owned(), BareItem::String("rsa-v1_5-sha256".to_owned())),
    ];
    let list = structured_fields::write_list(&covered, &parameters);
    lines.push(format!("\"@signature-params\": {list}"));
    let signature = STANDARD.encode(key.sign(lines.join("\n").as_bytes())?);
    headers.insert(HeaderName::from_static(SIGNATURE_INPUT), header_value(&format!("sig1={list}"))?);
    headers.insert(HeaderName::from_static(SIGNATURE), header_value(&format!("sig1=:{signature}:"))?);
    Ok(headers)
}

/// Parses the first complete signature and checks everything that does not need the key (section 3.2). If
/// none is complete, the error is that of the first signature.
pub(super) fn parse(
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<UnverifiedSignature, SignatureError> {
    let inputs = dictionary(request, SIGNATURE_INPUT)?;
    let signatures = dictionary(request, SIGNATURE)?;
    let mut first_error = None;
    for input in &inputs {
        let signature = signatures.iter().find(|member| member.key == input.key);
        match parse_one(request, input, signature, now) {
            Ok(signature) => return Ok(signature),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(SignatureError::Malformed("Signature-Input is empty")))
}

fn dictionary(request: &SignedRequest<'_>, name: &'static str) -> Result<Vec<Member>, SignatureError> {
    request
        .combined_values(name)?
        .and_then(|text| structured_fields::parse_dictionary(&text, MAX_LABELS))
        .ok_or(SignatureError::Malformed("not a valid dictionary of signatures"))
}

fn parse_one(
    request: &SignedRequest<'_>,
    input: &Member,
    signature: Option<&Member>,
    now: Timestamp,
) -> Result<UnverifiedSignature, SignatureError> {
    let Some(MemberValue::Bytes(signature)) = signature.map(|member| &member.value) else {
        return Err(SignatureError::Malformed("a label has no signature"));
    };
    let covered = covered_components(input)?;
    let parameters = SignatureInput::parse(&input.parameters)?;
    let key_id = parse_key_id(parameters.key_id, request.origin)?;
    check_coverage(covered, request)?;
    check_window(parameters.created, now)?;
    if parameters.expires.is_some_and(|at| at < now || at < parameters.created) {
        return Err(SignatureError::Unauthorized("the signature has expired"));
    }
    if covers(covered, "date") {
        check_window(date_header(request)?, now)?;
    }
    if request.has_body() {
        let header = request
            .combined_values(CONTENT_DIGEST)?
            .ok_or(SignatureError::Unauthorized("no Content-Digest header"))?;
        digest::check_content_digest(&header, request.body)?;
    }
    let base = signature_base(covered, &input.parameters, request)?;
    Ok(UnverifiedSignature::new(
        key_id,
        parameters.created,
        signature.clone(),
        vec![base],
        parameters.algorithms,
    ))
}

/// Returns the covered components, each of which may occur once.
pub(super) fn covered_components(input: &Member) -> Result<&[InnerListItem], SignatureError> {
    let MemberValue::List(items) = &input.value else {
        return Err(SignatureError::Malformed("the value is not a list of components"));
    };
    for (index, item) in items.iter().enumerate() {
        // Parameters change the meaning of a component, for example to its bytes or to a related request.
        if !item.1.is_empty() && query_name(item).is_none() {
            return Err(SignatureError::Unauthorized("unsupported component"));
        }
        if items[..index].contains(item) {
            return Err(SignatureError::Malformed("duplicate component"));
        }
    }
    Ok(items)
}

/// Returns the name of the query parameter that a component refers to (section 2.2.8).
fn query_name((name, parameters): &InnerListItem) -> Option<&str> {
    match (name.as_str(), parameters.as_slice()) {
        ("@query-param", [(key, BareItem::String(name))]) if key == "name" => Some(name),
        _ => None,
    }
}

fn covers(covered: &[InnerListItem], wanted: &str) -> bool {
    covered.iter().any(|(name, parameters)| name == wanted && parameters.is_empty())
}

fn check_coverage(covered: &[InnerListItem], request: &SignedRequest<'_>) -> Result<(), SignatureError> {
    let covers = |name: &str| covers(covered, name);
    let query = !request.target.contains('?') || covers("@query");
    let path = covers("@target-uri") || covers("@request-target") || (covers("@path") && query);
    if !covers("@method") || !path {
        return Err(SignatureError::Unauthorized("the method or the path is not covered"));
    }
    if !covers("@target-uri") && !covers("@authority") && !covers("host") {
        return Err(SignatureError::Unauthorized("the host is not covered"));
    }
    if request.has_body() && !covers(CONTENT_DIGEST) {
        return Err(SignatureError::Unauthorized("the content digest is not covered"));
    }
    Ok(())
}

/// The parameters of a signature (section 2.3).
struct SignatureInput<'a> {
    key_id: &'a str,
    created: Timestamp,
    expires: Option<Timestamp>,
    algorithms: Vec<SignatureAlgorithm>,
}

impl<'a> SignatureInput<'a> {
    fn parse(parameters: &'a Parameters) -> Result<Self, SignatureError> {
        let find = |wanted: &str| parameters.iter().find(|(key, _)| key == wanted).map(|(_, v)| v);
        let time = |wanted: &str| match find(wanted) {
            None => Ok(None),
            Some(BareItem::Integer(seconds)) => timestamp_from_seconds(*seconds).map(Some),
            Some(_) => Err(SignatureError::Malformed("a time is not a number")),
        };
        let Some(BareItem::String(key_id)) = find("keyid") else {
            return Err(SignatureError::Malformed("no keyid parameter"));
        };
        let algorithms = match find("alg") {
            // The key decides (section 3.2 step 6). The most common algorithm for RSA keys comes first.
            None => vec![
                SignatureAlgorithm::RsaSha256,
                SignatureAlgorithm::RsaPssSha512,
                SignatureAlgorithm::Ed25519,
            ],
            Some(BareItem::String(name)) => match name.as_str() {
                "rsa-v1_5-sha256" => vec![SignatureAlgorithm::RsaSha256],
                "rsa-pss-sha512" => vec![SignatureAlgorithm::RsaPssSha512],
                "ed25519" => vec![SignatureAlgorithm::Ed25519],
                _ => return Err(SignatureError::Unauthorized("unsupported algorithm")),
            },
            Some(_) => return Err(SignatureError::Malformed("alg is not a string")),
        };
        Ok(Self {
            key_id,
            created: time("created")?.ok_or(SignatureError::Unauthorized("no created parameter"))?,
            expires: time("expires")?,
            algorithms,
        })
    }
}

/// Returns the signature base (section 2.5).
pub(super) fn signature_base(
    covered: &[InnerListItem],
    parameters: &Parameters,
    request: &SignedRequest<'_>,
) -> Result<Vec<u8>, SignatureError> {
    let mut lines = Vec::with_capacity(covered.len() + 1);
    for item in covered {
        let value = match query_name(item) {
            Some(name) => query_param(name, request)?,
            None => component(&item.0, request)?,
        };
        lines.push(format!("{}: {value}", structured_fields::write_item(item)));
    }
    let list = structured_fields::write_list(covered, parameters);
    lines.push(format!("\"@signature-params\": {list}"));
    Ok(lines.join("\n").into_bytes())
}

/// Returns the value of a component (sections 2.1 and 2.2).
fn component(name: &str, request: &SignedRequest<'_>) -> Result<String, SignatureError> {
    let (path, query) = request.path_and_query();
    let origin = request.origin;
    Ok(match name {
        "@method" => request.method.to_string(),
        "@target-uri" => format!("{origin}{}", request.target),
        "@authority" => origin.authority().to_owned(),
        "@scheme" => (if origin.is_localhost() { "http" } else { "https" }).to_owned(),
        "@request-target" => request.target.to_owned(),
        "@path" => (if path.is_empty() { "/" } else { path }).to_owned(),
        "@query" => format!("?{query}"),
        name if name.starts_with('@') || name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            return Err(SignatureError::Unauthorized("unsupported component"));
        }
        name => {
            request.combined_values(name)?.ok_or(SignatureError::Malformed("a covered header is missing"))?
        }
    })
}

/// Returns the value of a query parameter, which must occur exactly once (section 2.2.8).
fn query_param(wanted: &str, request: &SignedRequest<'_>) -> Result<String, SignatureError> {
    // The percent-encode set of application/x-www-form-urlencoded, except that a space is `%20`.
    const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    let encoded = |text: &str| utf8_percent_encode(text, FORM).to_string();
    let (_, query) = request.path_and_query();
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| encoded(name) == wanted);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(encoded(&value)),
        _ => Err(SignatureError::Malformed("a covered query parameter is missing or repeated")),
    }
}
