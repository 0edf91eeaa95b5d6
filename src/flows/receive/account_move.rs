//! Incoming Move activities: a follower that moves to another account keeps following from there.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::flows::resolve;
use crate::store::actors::StoredActor;
use crate::store::{Result, Tx, followers};

impl InboundActivity<'_> {
    /// Fetches the new account if the old one follows a critic. The new account must list the old one in
    /// `alsoKnownAs`.
    pub(super) async fn prepare_move(&self, object: &Url, target: &Url) -> anyhow::Result<PreparedActivity> {
        let sender = &self.activity.actor;
        if object != sender || target == sender {
            return Ok(PreparedActivity::Ignored("the activity moves an account other than its actor's"));
        }
        if self.app.origin.owns(target) || !followers::is_following_anyone(&self.app.db, sender).await? {
            return Ok(PreparedActivity::Ignored("the actor does not follow a critic of this site"));
        }
        let (new, also_known_as) = resolve::refresh_actor_with_aliases(self.app, target).await?;
        if !also_known_as.contains(sender) {
            return Ok(PreparedActivity::Ignored("the new account does not list the old one in alsoKnownAs"));
        }
        Ok(PreparedActivity::Move(Box::new(new)))
    }

    /// Makes the new account a follower at once. Most servers also send a Follow, which is accepted like any other and
    /// changes nothing.
    pub(super) async fn apply_move(&self, tx: &mut Tx, new: &StoredActor) -> Result<Effect> {
        let sender = &self.activity.actor;
        followers::transfer(tx, sender, new, self.signed_at).await?;
        Ok(Effect::Applied("follower moved"))
    }
}
