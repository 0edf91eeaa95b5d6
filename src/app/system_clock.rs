//! The system clock.

#[cfg(feature = "failpoints")]
use std::time::Duration;

use crate::domain::time::{Clock, Timestamp};

/// The system clock. With the feature `failpoints`, a test can set it forward.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
        #[cfg(feature = "failpoints")]
        let now = now + set_forward_by();
        now
    }
}

/// How far a test has set the clock forward: the number of seconds in the file that `MARQUEE_TEST_CLOCK` names.
#[cfg(feature = "failpoints")]
fn set_forward_by() -> Duration {
    let seconds = |file| std::fs::read_to_string(file).ok()?.trim().parse().ok();
    std::env::var_os("MARQUEE_TEST_CLOCK").and_then(seconds).map_or(Duration::ZERO, Duration::from_secs)
}
