//! Outlines of comments, from which threads and pages are made before any text is loaded.

use super::comment::CommentVisibility;
use super::id::CommentId;
use super::time::Timestamp;

/// What decides the place of a comment: everything about it but its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentOutline {
    /// Its id.
    pub id: CommentId,
    /// The comment that it replies to; `None` if it replies to the review.
    pub parent: Option<CommentId>,
    /// When it was received.
    pub received: Timestamp,
    /// The id of its author.
    pub author: String,
    /// The host of its author.
    pub host: String,
    /// Whether a critic of this site wrote it, whose comments are never folded.
    pub is_critic: bool,
    /// How much of it readers see.
    pub visibility: CommentVisibility,
    /// The bytes of HTML that it takes at most on a page.
    pub bytes: usize,
}

impl CommentOutline {
    /// Whether readers see its text.
    pub fn is_shown(&self) -> bool {
        self.visibility == CommentVisibility::Shown
    }
}
