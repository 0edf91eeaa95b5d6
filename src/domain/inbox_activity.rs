//! Inbound activities that were accepted: their states.

use super::named_enum::named_enum;

/// What became of an inbound activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxState {
    /// It waits to be applied.
    Queued,
    /// It was applied.
    Done,
    /// It has no effect, for the recorded reason.
    Dropped,
    /// Every attempt to apply it failed. It is kept for inspection.
    Parked,
}

named_enum!(InboxState, "state of an inbound activity", {
    Queued => "queued",
    Done => "done",
    Dropped => "dropped",
    Parked => "parked",
});
