//! Followers: the states of a follow.

use super::named_enum::named_enum;

/// Whether an actor follows a critic. The row stays when a follow ends, so that a Follow that arrives late has no
/// effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowState {
    /// The actor follows.
    Following,
    /// The follow waits for the critic's approval.
    Pending,
    /// The follow ended.
    Gone,
    /// An Undo arrived before the Follow, which therefore has no effect.
    Preempted,
}

named_enum!(FollowState, "state of a follow", {
    Following => "following",
    Pending => "pending",
    Gone => "gone",
    Preempted => "preempted",
});

impl FollowState {
    /// Whether the actor follows, or waits to.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Following | Self::Pending)
    }
}
