//! Responses of other servers, and the limits of their size.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::StatusCode;
use url::Url;

use super::NetError;
use super::retry_after::RetryAfter;

/// The maximum size of the headers of a response in bytes.
pub(super) const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// The response to a GET, with any status.
#[derive(Debug, Clone)]
pub struct GetResponse {
    /// The URL after all redirects.
    pub url: Url,
    /// The URL that permanent redirects (301, 308) led to, if the first redirect was one.
    pub moved_to: Option<Url>,
    /// The status. It is never a redirect that could be followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The complete body.
    pub body: Bytes,
}

/// The response to a POST.
#[derive(Debug, Clone)]
pub struct PostResponse {
    /// The status.
    pub status: StatusCode,
    /// When to retry, if the response says so. It is not limited: a server may say ten years.
    pub retry_after: Option<RetryAfter>,
    /// The start of the body, at most 1 KiB on one line, for the operator. The server chose this text.
    pub excerpt: String,
}

/// Reads the whole body. Fails if it has more than `limit` bytes after decompression.
pub(super) async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Bytes, NetError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(NetError::TooLarge(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(NetError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
