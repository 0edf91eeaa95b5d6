//! Conditional requests (RFC 9110 section 13): entity tags and dates by which a client says what it already has.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::domain::hash::sha256_hex;
use crate::domain::time::Timestamp;

/// The entity tag of a body, with quotes.
pub(super) fn etag(body: &[u8]) -> HeaderValue {
    let mut tag = sha256_hex(body);
    tag.truncate(32);
    HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether `If-None-Match` matches the tag by weak comparison (RFC 9110 section 13.1.2).
pub(super) fn if_none_match_contains(request_headers: &HeaderMap, etag: &[u8]) -> bool {
    let fields = request_headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    let current = opaque_tag(etag);
    tags.map(<[u8]>::trim_ascii).any(|tag| tag == b"*" || opaque_tag(tag) == current)
}

/// The tag without `W/`.
fn opaque_tag(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Whether `If-Modified-Since` is not before that time (RFC 9110 section 13.1.3).
pub(super) fn is_unmodified_since(request_headers: &HeaderMap, modified_at: Timestamp) -> bool {
    let since = request_headers.get(header::IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
    since.and_then(Timestamp::parse_http_date).is_some_and(|since| modified_at <= since)
}
