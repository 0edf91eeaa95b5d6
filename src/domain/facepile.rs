//! The facepile of a review: the people who liked or boosted it.

use super::comment::Author;

/// Somebody who liked or boosted a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacepileActor {
    /// The actor.
    pub author: Author,
    /// Whether the actor liked the review.
    pub has_liked: bool,
    /// Whether the actor boosted the review.
    pub has_boosted: bool,
}

/// The facepile under a review. It shows the latest reactions only, and only actors who are discoverable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facepile {
    /// The actors that are shown, latest first.
    pub shown: Vec<FacepileActor>,
    /// The number of likes and boosts by actors who are not shown.
    pub other_reactions: u64,
}
