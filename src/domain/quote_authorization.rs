//! Quote authorizations (FEP-044f): their states.

use super::named_enum::named_enum;

/// Whether a post may quote a review (FEP-044f).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationState {
    /// The post may quote the review.
    Granted,
    /// The critic revoked the permission, or the post is gone. This is final.
    Revoked,
    /// The author of the post withdrew the request.
    Withdrawn,
}

named_enum!(AuthorizationState, "state of a quote authorization", {
    Granted => "granted",
    Revoked => "revoked",
    Withdrawn => "withdrawn",
});
