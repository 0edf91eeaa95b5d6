//! Responses of other servers.

use bytes::Bytes;
use http::HeaderMap;
use http::StatusCode;
use url::Url;

use super::retry_after::RetryAfter;

/// The response to a GET, with any status.
#[derive(Debug, Clone)]
pub struct GetResponse {
    /// The URL after all redirects.
    pub url: Url,
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
