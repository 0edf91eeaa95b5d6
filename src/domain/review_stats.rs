//! The totals that are counted for a review.

use super::named_enum::named_enum;

/// A total that is counted for a review.
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
