//! Marquee's clock, which a test can set forward.

use std::time::Duration;

use super::app::App;

/// The name of the file that says how far the clock is set forward, in the folder of the app.
pub const FILE: &str = "clock";

impl App {
    /// Sets Marquee's clock forward. Has no effect on a program without the feature `failpoints`: then the test takes
    /// as long as Marquee waits.
    pub fn set_clock_forward(&self, by: Duration) {
        self.folder().write(FILE, &by.as_secs().to_string());
    }
}
