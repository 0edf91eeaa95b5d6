//! The error of parsing documents from other servers.

use crate::domain::untrusted::Untrusted;

/// Why a document from another server is rejected.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The document is not JSON, or is ambiguous.
    #[error("invalid JSON document: {}", Untrusted::new(.0))]
    Json(#[from] serde_json::Error),
    /// A required member is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member is not a valid id, for example because it is not an https URL with a domain name.
    #[error("`{0}` is not a valid id")]
    NotAnId(&'static str),
    /// The id of the activity is on another server than its actor.
    #[error("the activity and its actor are on different servers")]
    ForeignId,
    /// The object is attributed to another actor.
    #[error("the object is attributed to another actor")]
    ForeignAuthor,
}

impl ParseError {
    /// Whether the document claims authority that its sender does not have, rather than just being malformed. Such
    /// documents are answered with 401, like a bad signature; others with 400.
    pub const fn is_forged(&self) -> bool {
        matches!(self, Self::ForeignId | Self::ForeignAuthor)
    }
}
