//! Marquee's clock, which a test can set forward.

use std::time::Duration;

use super::app::App;

/// The file in the folder of the app that says how far the clock is set forward.
pub const FILE: &str = "clock";

impl App {
    /// Sets its clock forward, from the time of day. Without the feature `failpoints`, or where `MARQUEE_TEST_BIN` is
    /// a program without it, nothing happens, and the test waits as long as Marquee does.
    pub fn set_clock_forward(&self, by: Duration) {
        self.folder().write(FILE, &by.as_secs().to_string());
    }
}
