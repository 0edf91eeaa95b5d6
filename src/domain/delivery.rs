//! Deliveries: their states.

use super::named_enum::named_enum;

/// Whether an activity has reached an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its first or next attempt.
    Queued,
    /// The server accepted the activity.
    Done,
    /// It was abandoned.
    Failed,
    /// It is no longer sent, since a later activity about the same object replaced it.
    Superseded,
}

named_enum!(DeliveryState, "state of a delivery", {
    Queued => "queued",
    Done => "done",
    Failed => "failed",
    Superseded => "superseded",
});
