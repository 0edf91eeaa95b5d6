//! Inbound activities that were accepted: their states, and the lanes in which they wait.

use super::named_enum::named_enum;

/// The queue in which an inbound activity waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboxLane {
    /// As far as is known, it needs no request to another server.
    Ready,
    /// It needs requests to other servers, which may take long.
    Network,
}

named_enum!(InboxLane, "lane of an inbound activity", {
    Ready => "ready",
    Network => "network",
});

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
