//! The states and kinds of what is stored. Each is an enum from the column to the page, stored by its name. The tables have
//! CHECK constraints with the same names, and a test compares the two: a name that no variant has cannot be stored, and is
//! an error where it is read.

use super::named_enum::named_enum;

/// Whether readers see a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentState {
    /// On the page.
    Shown,
    /// Not on the page until the critic approves it.
    Held,
    /// Taken off the page by the critic, who can show it again.
    Hidden,
    /// Its text was deleted by the critic, for good.
    Removed,
    /// Not on the page while its author blocks the critic.
    Withheld,
    /// Never public: only its id is kept, so that the same id does not become public later.
    Private,
    /// Its text was deleted by its author; its place in the thread stays.
    Deleted,
}

named_enum!(CommentState, "state of a comment", {
    Shown => "shown",
    Held => "held",
    Hidden => "hidden",
    Removed => "removed",
    Withheld => "withheld",
    Private => "private",
    Deleted => "deleted",
});

/// Whether an actor follows a critic. A row stays when a follow ends, so that a Follow that arrives late has no
/// effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowState {
    /// Follows.
    Following,
    /// Waits until the critic accepts.
    Pending,
    /// Ended.
    Gone,
    /// Ended by an Undo that arrived before the Follow.
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

/// Whether an actor's reaction to a review, or its block of a critic, is in effect. A row stays when it ends, so that
/// an activity that arrives late has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToggleState {
    /// In effect.
    On,
    /// Undone.
    Off,
    /// Undone by an Undo that arrived before the activity itself.
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

/// What a review has a count of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewStatKind {
    /// Likes.
    Like,
    /// Boosts.
    Boost,
    /// Comments that are shown.
    Comment,
}

named_enum!(ReviewStatKind, "statistic", {
    Like => "like",
    Boost => "boost",
    Comment => "comment",
});

/// What happened at a review that concerns its facepile, or the servers that it has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactionEventKind {
    /// It was liked.
    Like,
    /// It was boosted.
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

/// Whether a post may quote a review (FEP-044f).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationState {
    /// It may.
    Granted,
    /// Not any more, for good: the critic took the permission back, or the post is gone.
    Revoked,
    /// The author of the post withdrew the request.
    Withdrawn,
}

named_enum!(AuthorizationState, "state of a quote authorization", {
    Granted => "granted",
    Revoked => "revoked",
    Withdrawn => "withdrawn",
});

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

/// Why an entry of a feed is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// A poll publishes a limited number of reviews: a later one publishes it.
    NextPoll,
    /// It is similar to another review: the critic decides.
    Similar,
}

named_enum!(HoldReason, "reason to hold a review", {
    NextPoll => "next_poll",
    Similar => "similar",
});
