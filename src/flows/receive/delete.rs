//! Incoming Delete activities: of comments, quoting posts and whole accounts.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use crate::domain::comment::CommentState;
use crate::store::{Result, Tx, actors, authorizations, comments, tombstones};

impl InboundActivity<'_> {
    pub(super) async fn apply_delete(&self, tx: &mut Tx, object: &Url) -> Result<Effect> {
        let sender = &self.activity.actor;
        if object.origin() != sender.origin() {
            return Ok(Effect::Ignored("the deleted object is on another server"));
        }
        if object == sender {
            // Activities that it sent before and that are still on their way are ignored.
            tombstones::insert(tx, sender, sender, self.signed_at).await?;
            self.delete_forwards(tx, None).await?;
            actors::mark_deleted(tx, sender, self.signed_at).await?;
            return Ok(Effect::Applied("account deleted"));
        }
        let was_quote = authorizations::revoke_by_note(tx, object, sender).await?
            || authorizations::withdraw(tx, object, sender, self.signed_at).await?;
        match comments::find_in_tx(tx, object).await? {
            Some(comment) if comment.actor != sender.as_str() => {
                Ok(Effect::Ignored("the comment belongs to another actor"))
            }
            Some(comment) if comment.state == CommentState::Deleted => {
                tombstones::insert(tx, object, sender, self.signed_at).await?;
                Ok(Effect::Ignored("the comment has already been deleted"))
            }
            Some(comment) => {
                self.delete_forwards(tx, Some(object)).await?;
                // The post may also be a quote whose request arrives late.
                tombstones::insert(tx, object, sender, self.signed_at).await?;
                comments::mark_deleted(tx, comment.id, self.signed_at).await?;
                if comment.state == CommentState::Shown {
                    self.forward_to_followers(tx, comment.review_id, object).await?;
                }
                Ok(Effect::Applied("comment deleted"))
            }
            None => {
                tombstones::insert(tx, object, sender, self.signed_at).await?;
                Ok(Effect::Applied(if was_quote { "quote withdrawn" } else { "deleted before it arrived" }))
            }
        }
    }
}
