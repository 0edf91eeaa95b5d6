//! Which responses end a delivery, which delay everything for their host, and the retry schedule.

use std::time::Duration;

const NOT_FOUND: u16 = 404;
const GONE: u16 = 410;
const TOO_MANY_REQUESTS: u16 = 429;
const BAD_GATEWAY: u16 = 502;
const SERVICE_UNAVAILABLE: u16 = 503;
const GATEWAY_TIMEOUT: u16 = 504;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds to wait between attempts. After the last entry, every wait is a day.
const RETRY_DELAYS: [u64; 6] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR];

/// A delivery that has not succeeded within this time is abandoned.
pub const MAX_DELIVERY_AGE: Duration = Duration::from_secs(7 * DAY);

/// The longest `Retry-After` that is honoured.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(DAY);

/// Returns how long to wait after `attempts` failed attempts (at least one). `jitter`, a random byte, adds
/// up to an eighth, so that deliveries that failed together are not retried together.
pub fn retry_delay(attempts: u32, jitter: u8) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = RETRY_DELAYS.get(index).copied().unwrap_or(DAY);
    Duration::from_secs(seconds) + Duration::from_millis(seconds * 1000 / 8 * u64::from(jitter) / 255)
}

/// Whether a response means that the inbox does not exist: the delivery is abandoned at once.
pub const fn is_final_status(status: u16) -> bool {
    matches!(status, NOT_FOUND | GONE)
}

/// Whether the host failed and not only this delivery: it cannot be reached (`None`), or asks to wait. Any other server
/// error is about one activity and does not delay the others.
pub const fn is_host_failure(status: Option<u16>) -> bool {
    matches!(status, None | Some(TOO_MANY_REQUESTS | BAD_GATEWAY | SERVICE_UNAVAILABLE | GATEWAY_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_delays_grow_to_a_day() {
        assert_eq!(retry_delay(1, 0), Duration::from_mins(1));
        assert_eq!(retry_delay(2, 0), Duration::from_mins(5));
        assert_eq!(retry_delay(6, 0), Duration::from_hours(12));
        assert_eq!(retry_delay(60, 0), Duration::from_hours(24));
        assert_eq!(retry_delay(1, 255), Duration::from_millis(67_500));
    }
}
