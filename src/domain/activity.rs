//! Activities that we send.

/// What an activity of ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// A review, or an answer of the critic, appears.
    Create,
    /// A review, an answer or the critic's profile changed.
    Update,
    /// A review, or an answer of the critic, was taken back.
    Delete,
    /// A follow, or a quote, is accepted.
    Accept,
    /// A follow, or a quote, is refused, or ended by the critic.
    Reject,
    /// A critic moved to another account.
    Move,
    /// What somebody else said, passed on in their own bytes. Not ours, so never served.
    Forward,
}

impl ActivityKind {
    /// The ActivityStreams type, also the name under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Accept => "Accept",
            Self::Reject => "Reject",
            Self::Move => "Move",
            Self::Forward => "Forward",
        }
    }
}
