//! Accounts that move: their follow goes with them.

use url::Url;

use super::apply::{Effect, InboundActivity, PreparedActivity};
use crate::flows::resolve;
use crate::store::actors::StoredActor;
use crate::store::{Tx, followers};

impl InboundActivity<'_> {
    /// Only a follower's move is worth a request. The new account must say that the old one is its own.
    pub(super) async fn prepare_move(&self, object: &Url, target: &Url) -> anyhow::Result<PreparedActivity> {
        let me = &self.activity.actor;
        if object != me || target == me {
            return Ok(PreparedActivity::Ignored("it moves another actor"));
        }
        if self.app.origin.owns(target) || !followers::is_following_anyone(&self.app.db, me).await? {
            return Ok(PreparedActivity::Ignored("it does not follow anyone here"));
        }
        let (new, also_known_as) = resolve::refresh_actor_with_aliases(self.app, target).await?;
        if !also_known_as.contains(me) {
            return Ok(PreparedActivity::Ignored("the new account does not name the old one"));
        }
        Ok(PreparedActivity::Move(Box::new(new)))
    }

    /// The new account follows at once. Its server sends a Follow of its own as well, mostly; that one is
    /// answered like any other, and counts for the same.
    pub(super) async fn apply_move(&self, tx: &mut Tx, new: &StoredActor) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        followers::transfer(tx, me, new, self.signed_at).await?;
        Ok(Effect::Applied("the follow moved along"))
    }
}
