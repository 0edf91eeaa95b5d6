//! The time window within which signatures are accepted.

use std::time::Duration;

use http::header;

use super::{SignatureError, SignedRequest};
use crate::domain::time::Timestamp;

/// The maximum age of a signature. It leaves time for a peer's retries, which often reuse the signature.
pub const MAX_SIGNATURE_AGE: Duration = Duration::from_hours(12);

/// How far a peer's clock may be ahead.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_hours(1);

/// Rejects a signature that is too old or too far in the future.
pub(super) fn check_window(signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    if signed_at < now - MAX_SIGNATURE_AGE {
        Err(SignatureError::Unauthorized("the signature is older than 12 hours"))
    } else if signed_at > now + MAX_CLOCK_SKEW {
        Err(SignatureError::Unauthorized("the signature is dated more than an hour ahead"))
    } else {
        Ok(())
    }
}

/// Converts seconds since the epoch. Rejects a value out of range, since clamping would change it.
pub(super) fn timestamp_from_seconds(seconds: i64) -> Result<Timestamp, SignatureError> {
    let outside = SignatureError::Malformed("a time is out of range");
    let millis = seconds.checked_mul(1000).ok_or(outside)?;
    let timestamp = Timestamp::from_millis(millis);
    if timestamp.millis() == millis { Ok(timestamp) } else { Err(outside) }
}

/// Parses the `Date` header.
pub(super) fn date_header(request: &SignedRequest<'_>) -> Result<Timestamp, SignatureError> {
    let text = request
        .single_value(header::DATE.as_str(), "more than one Date header")?
        .ok_or(SignatureError::Unauthorized("no Date header"))?;
    Timestamp::parse_http_date(text).ok_or(SignatureError::Malformed("the Date header cannot be parsed"))
}
