//! When a delivery is tried again.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Waits between attempts; after the last one, a day each time.
const SCHEDULE: [u64; 6] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR];

/// A delivery that did not arrive within this time is given up.
pub const MAX_DELIVERY_AGE: Duration = Duration::from_secs(7 * DAY);

/// The longest that an answer may ask us to wait.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(DAY);

/// How long to wait after `attempts` failed attempts (at least one). `jitter` from 0 to 255 adds up to
/// an eighth, so that what failed together does not come back together.
pub fn retry_delay(attempts: u32, jitter: u8) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = SCHEDULE.get(index).copied().unwrap_or(DAY);
    Duration::from_secs(seconds) + Duration::from_millis(seconds * 1000 / 8 * u64::from(jitter) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_day() {
        assert_eq!(retry_delay(1, 0), Duration::from_mins(1));
        assert_eq!(retry_delay(2, 0), Duration::from_mins(5));
        assert_eq!(retry_delay(6, 0), Duration::from_hours(12));
        assert_eq!(retry_delay(60, 0), Duration::from_hours(24));
        assert_eq!(retry_delay(1, 255), Duration::from_millis(67_500));
    }
}
