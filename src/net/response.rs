//! Responses of other servers.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap};
use url::Url;

use crate::domain::time::Timestamp;

/// The response to a GET, with any status.
#[derive(Debug, Clone)]
pub struct GetResponse {
    /// The URL after all redirects.
    pub url: Url,
    /// The status, which is never a redirect that could have been followed.
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
    /// When to retry, if the response says so. It is not bounded: a peer may say ten years.
    pub retry_after: Option<RetryAfter>,
    /// The start of the body, at most 1 KiB on one line, for the operator. It is the peer's text.
    pub excerpt: String,
}

/// A `Retry-After` header (RFC 9110 section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After a delay.
    Delay(Duration),
    /// At a date.
    Date(Timestamp),
}

impl RetryAfter {
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = text.parse().unwrap_or(u64::MAX);
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        Timestamp::parse_http_date(text).map(Self::Date)
    }

    /// How long to wait from now.
    pub fn delay(self, now: Timestamp) -> Duration {
        match self {
            Self::Delay(duration) => duration,
            Self::Date(moment) => moment.duration_since(now),
        }
    }
}
