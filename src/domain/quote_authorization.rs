//! Quote authorizations (FEP-044f): their states.

use super::named_enum::named_enum;

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
