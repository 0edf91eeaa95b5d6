//! Those who like and boost, as they are shown under a review.

use super::comment::Author;

/// Somebody who liked or boosted a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacepileActor {
    /// Who it is.
    pub actor: Author,
    /// Whether they like it.
    pub has_liked: bool,
    /// Whether they boosted it.
    pub has_boosted: bool,
}

/// The faces under a review: of many only the last ones, and of those who want to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facepile {
    /// The last ones first.
    pub shown: Vec<FacepileActor>,
    /// Likes and boosts of all others.
    pub other_reactions: u64,
}
