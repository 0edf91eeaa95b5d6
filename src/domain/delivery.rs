//! Deliveries: their states.

use super::named_enum::named_enum;

/// Whether an activity has reached an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not yet, and it is tried (again).
    Queued,
    /// Accepted by the server of the inbox.
    Done,
    /// Given up.
    Failed,
    /// Not sent any more, because a later activity about the same object takes its place.
    Superseded,
}

named_enum!(DeliveryState, "state of a delivery", {
    Queued => "queued",
    Done => "done",
    Failed => "failed",
    Superseded => "superseded",
});
