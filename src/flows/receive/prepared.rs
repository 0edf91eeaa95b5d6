//! What was fetched for a received activity before it is applied.

use url::Url;

use crate::domain::id::{CriticId, ReviewId};
use crate::domain::review::Review;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::store::actors::StoredActor;

/// What was fetched for an activity.
#[derive(Debug)]
pub(super) enum PreparedActivity {
    /// It has no effect, for this reason.
    Ignored(&'static str),
    /// It needs requests to other servers, which only the other lane makes.
    NeedsNetwork,
    /// It needs nothing that had to be fetched.
    Plain,
    /// A Follow of this critic by this actor.
    Follow(CriticId, Box<StoredActor>),
    /// A reply in the thread of a review.
    Reply(Box<InboundReply>),
    /// An Update of this post, which may be stored as a comment.
    Edit(Box<RemoteNote>),
    /// An Update of the comment of this id, which its server no longer has.
    Deletion(Url),
    /// It is about, or a reply to, the post of this id, which is not stored yet.
    WaitsFor(Url),
    /// A Move to this account.
    Move(Box<StoredActor>),
    /// A request to quote this review by this actor.
    Quote(Box<Review>, Box<StoredActor>),
}

/// A post of another server in the thread of a review.
#[derive(Debug)]
pub(super) struct ThreadPost {
    pub(super) note: RemoteNote,
    pub(super) author: Url,
    pub(super) parent: Url,
}

/// A reply and the posts above it that are not stored yet.
#[derive(Debug)]
pub(super) struct InboundReply {
    pub(super) post: ThreadPost,
    pub(super) is_update: bool,
    pub(super) review: ReviewId,
    pub(super) critic: CriticId,
    /// The oldest first.
    pub(super) ancestors: Vec<ThreadPost>,
}
