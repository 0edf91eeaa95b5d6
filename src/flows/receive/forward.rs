//! Forwarding of activities that carry a signature of their own to the critic's followers, whose servers may not have
//! received them (ActivityPub section 7.1.2). Other servers learn of comments mainly from the `replies` collection.

use url::Url;

use super::inbound_activity::InboundActivity;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::flows::fan_out;
use crate::store::activities::{self, NewActivity};
use crate::store::{Result, Tx, inbox_activities, reviews};

/// A larger activity is not forwarded, since every follower's server would receive it.
const MAX_FORWARD_BYTES: usize = 64 * 1024;

impl InboundActivity<'_> {
    /// Forwards the exact bytes of an activity about a public comment. Without a signature of its own no server would
    /// accept it.
    pub(super) async fn forward_to_followers(
        &self,
        tx: &mut Tx,
        review: ReviewId,
        comment: &Url,
    ) -> Result<()> {
        let is_for_all = self.activity.has_ld_signature && self.activity.is_public;
        if !is_for_all || self.body.len() > MAX_FORWARD_BYTES {
            return Ok(());
        }
        let Some(critic) = reviews::find_critic(tx, review).await? else {
            return Ok(());
        };
        let now = self.app.clock.now();
        let id = ActivityId::new(now);
        let passed =
            NewActivity { id, critic, kind: ActivityKind::Forward, object: comment, body: self.body };
        fan_out::enqueue_for_followers(tx, &passed, now).await
    }

    /// Ends the forwards of a comment, or of all comments of the actor, and erases the stored bodies. Call this before
    /// the comment is deleted.
    pub(super) async fn delete_forwards(&self, tx: &mut Tx, comment: Option<&Url>) -> Result<()> {
        let sender = &self.activity.actor;
        activities::cancel_forwards(tx, sender, comment, self.app.clock.now()).await?;
        inbox_activities::erase_bodies(tx, sender).await?;
        Ok(())
    }
}
