//! Reports from other servers: their states.

use super::named_enum::named_enum;

/// Whether a report waits for the critics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// It waits.
    Open,
    /// A critic has looked at it.
    Closed,
}

named_enum!(ReportState, "state of a report", {
    Open => "open",
    Closed => "closed",
});
