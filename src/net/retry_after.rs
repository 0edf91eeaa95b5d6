//! The `Retry-After` header.

use std::time::Duration;

use http::header::{self, HeaderMap};

use crate::domain::time::Timestamp;

/// A `Retry-After` header (RFC 9110 section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After a delay.
    Delay(Duration),
    /// At a date.
    Date(Timestamp),
}

impl RetryAfter {
    /// Reads it from the headers of a response.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = text.parse().unwrap_or(u64::MAX);
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        Timestamp::parse_http_date(text).map(Self::Date)
    }

    /// Returns how long to wait from now.
    pub fn delay(self, now: Timestamp) -> Duration {
        match self {
            Self::Delay(duration) => duration,
            Self::Date(moment) => moment.duration_since(now),
        }
    }
}
