//! The audience of activities and posts.

use serde_json::Value;

use super::AS_CONTEXT;
use super::json_document::{reference_id, values};

/// The audience of an activity or post.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audience {
    /// Whether the object states an audience.
    pub(super) is_stated: bool,
    /// Whether the audience includes everyone (ActivityPub section 5.6), so that the object may be shown.
    pub(super) is_public: bool,
}

impl Audience {
    /// Parses `to`, `cc` and `audience`.
    pub(super) fn parse(value: &Value) -> Self {
        const MEMBERS: [&str; 3] = ["to", "cc", "audience"];
        let mut named = MEMBERS.into_iter().flat_map(|key| values(value, key)).filter_map(reference_id);
        let is_public =
            |id: &str| id.strip_prefix(AS_CONTEXT) == Some("#Public") || matches!(id, "as:Public" | "Public");
        Self {
            is_stated: MEMBERS.iter().any(|key| value.get(key).is_some()),
            is_public: named.any(is_public),
        }
    }

    /// Returns this audience if it is stated, and `other` if it is not.
    pub(super) fn or(self, other: Option<Self>) -> Self {
        other.filter(|_| !self.is_stated).unwrap_or(self)
    }
}
