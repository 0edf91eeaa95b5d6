//! The timeouts of requests.

use std::time::Duration;

/// The timeouts of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    /// The time until the headers of a response arrive, and between two chunks of its body.
    pub(super) read: Duration,
    /// The time from the first lookup to the last byte, including all redirects.
    pub(super) total: Duration,
}

impl Timeouts {
    /// The timeouts of a running server.
    pub(super) const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        read: Duration::from_secs(15),
        total: Duration::from_secs(40),
    };
}
