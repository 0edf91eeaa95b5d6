//! Reports from other servers: their states.

use super::named_enum::named_enum;

/// Whether a report has been handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// It waits for a critic.
    Open,
    /// A critic closed it.
    Closed,
}

named_enum!(ReportState, "state of a report", {
    Open => "open",
    Closed => "closed",
});
