//! The types of activities that Marquee sends.

use super::named_enum::named_enum;

/// The type of an outgoing activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// Publishes a review or a critic's reply.
    Create,
    /// Changes a review, a critic's reply or a critic's profile.
    Update,
    /// Deletes a review or a critic's reply, or revokes a quote authorization.
    Delete,
    /// Accepts a follow or a quote request.
    Accept,
    /// Rejects a follow or a quote request, or removes a follower.
    Reject,
    /// Moves a critic to another account.
    Move,
    /// Forwards an activity from another server byte for byte (ActivityPub section 7.1.2). It is never served under a
    /// local id.
    Forward,
}

named_enum!(ActivityKind, "activity type", {
    Create => "Create",
    Update => "Update",
    Delete => "Delete",
    Accept => "Accept",
    Reject => "Reject",
    Move => "Move",
    Forward => "Forward",
});
