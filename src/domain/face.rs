//! Those who like and boost, as they are shown under a review.

use super::comment::Author;

/// Somebody who liked or boosted a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// Who it is.
    pub who: Author,
    /// Whether they like it.
    pub likes: bool,
    /// Whether they boosted it.
    pub boosts: bool,
}

/// The faces under a review: of many only the last ones, and of those who want to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faces {
    /// The last ones first.
    pub shown: Vec<Face>,
    /// Likes and boosts of all others.
    pub others: u64,
}
