//! The totals that are counted for a review.

use super::named_enum::named_enum;

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
