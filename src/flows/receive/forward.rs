//! Forwarding of activities that carry a signature of their own to the critic's followers, whose servers may not have
//! received them (ActivityPub section 7.1.2). Other servers learn of comments mainly from the `replies` collection.

use url::Url;

use super::inbound_activity::InboundActivity;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::owner::Owner;
use crate::domain::time::Timestamp;
use crate::flows::budget::Budget;
use crate::flows::fan_out;
use crate::store::activities::{self, NewActivity};
use crate::store::{Result, Tx, comments, inbox_activities, reviews};

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
        if comments::has_unwanted(tx, &self.activity.actor).await? || !self.may_forward(now) {
            return Ok(());
        }
        let id = ActivityId::new(now);
        let passed =
            NewActivity { id, critic, kind: ActivityKind::Forward, object: comment, body: self.body };
        fan_out::enqueue_for_followers(tx, &passed, now).await
    }

    /// Whether the actor and its domain may have one more activity forwarded on this day. Each is multiplied by the number of
    /// servers that follow, and nobody can verify its signature without requests to the actor's server.
    fn may_forward(&self, now: Timestamp) -> bool {
        let budgets = &self.app.budgets;
        let actor = Owner::actor(&self.activity.actor);
        let bytes = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        let owners = Owner::of_host(self.activity.actor.host_str().unwrap_or_default());
        budgets.charge(Budget::ForwardsOfActor, &actor, 1, now).is_ok()
            && owners.iter().all(|owner| {
                budgets.charge(Budget::ForwardsOfDomain, owner, 1, now).is_ok()
                    && budgets.charge(Budget::ForwardedBytes, owner, bytes, now).is_ok()
            })
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
