//! Reactions to reviews: likes and boosts.

use super::named_enum::named_enum;

/// Whether an actor's reaction to a review, or its block of a critic, is in effect. The row stays when it ends, so
/// that an activity that arrives late has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToggleState {
    /// It is in effect.
    On,
    /// It was undone.
    Off,
    /// An Undo arrived before the activity itself, which therefore has no effect.
    Preempted,
}

named_enum!(ToggleState, "state of a reaction or block", {
    On => "on",
    Off => "off",
    Preempted => "preempted",
});

/// How an actor reacts to a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionKind {
    /// A Like, or an emoji reaction.
    Like,
    /// An Announce.
    Boost,
}

named_enum!(ReactionKind, "reaction", {
    Like => "like",
    Boost => "boost",
});

/// An event that concerns the facepile of a review, or the servers that it has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionEventKind {
    /// The review was liked.
    Like,
    /// The review was boosted.
    Boost,
    /// Somebody on another server commented.
    Comment,
    /// A like or a boost was undone.
    Undo,
}

named_enum!(ReactionEventKind, "reaction event", {
    Like => "like",
    Boost => "boost",
    Comment => "comment",
    Undo => "undo",
});
