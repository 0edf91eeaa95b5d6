//! Limits of every request.

use std::time::Duration;

/// The maximum size of a response's headers in bytes.
pub(super) const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// How long the steps of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    /// Until the headers of a response, and between two chunks of its body.
    pub(super) read: Duration,
    /// From the first lookup to the last byte, including all redirects.
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
