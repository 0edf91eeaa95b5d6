//! Inbound activities that were accepted: their states.

use super::named_enum::named_enum;

/// What became of an activity that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxState {
    /// It waits to be applied.
    Queued,
    /// It had its effect.
    Done,
    /// It has no effect, for the reason noted.
    Dropped,
    /// It failed each time that it was applied; it is kept for the operator to look at.
    Parked,
}

named_enum!(InboxState, "state of a received activity", {
    Queued => "queued",
    Done => "done",
    Dropped => "dropped",
    Parked => "parked",
});
