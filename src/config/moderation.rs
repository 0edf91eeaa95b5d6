//! The config section `moderation`.

use serde::{Deserialize, Serialize};

use crate::domain::moderation_policy::{FirstCommentPolicy, ModerationPolicy};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModeration {
    first_comments: FirstCommentPolicy,
    allow_list: bool,
    approve_followers: bool,
}

impl RawModeration {
    /// The policy, of which `federation.authorized_fetch` is a part as well.
    pub(super) const fn policy(&self, authorized_fetch: bool) -> ModerationPolicy {
        ModerationPolicy {
            first_comments: self.first_comments,
            allow_list: self.allow_list,
            approve_followers: self.approve_followers,
            authorized_fetch,
        }
    }
}
