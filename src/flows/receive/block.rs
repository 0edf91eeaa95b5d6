//! Incoming Block activities: an actor that blocks a critic stops being a follower, and its comments are withheld
//! until it lifts the block.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use crate::domain::id::CriticId;
use crate::store::{Result, Tx, blockers, comments, followers};

impl InboundActivity<'_> {
    pub(super) async fn apply_block(&self, tx: &mut Tx, object: &Url) -> Result<Effect> {
        let sender = &self.activity.actor;
        let Some(critic) = self.find_critic_in_tx(tx, object).await? else {
            return Ok(Effect::Ignored("the blocked account is not on this site"));
        };
        // The follow ends even if the block itself was undone before it arrived.
        followers::unfollow(tx, critic, sender, self.signed_at).await?;
        let block = self.activity.id.as_ref();
        if self.is_tombstoned(tx, block).await? {
            return Ok(Effect::Applied("follower removed; the block has already been undone"));
        }
        blockers::record_block(tx, critic, sender, block, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Applied("follower removed; comments withheld"))
    }

    pub(super) async fn unblock(&self, tx: &mut Tx, critic: CriticId) -> Result<Effect> {
        blockers::record_unblock(tx, critic, &self.activity.actor, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Applied("block lifted"))
    }

    async fn withhold_or_release(&self, tx: &mut Tx, critic: CriticId) -> Result<()> {
        let sender = &self.activity.actor;
        if blockers::is_blocking(tx, critic, sender).await? {
            comments::withhold_by_author(tx, sender, critic).await?;
        } else {
            comments::release_by_author(tx, sender, critic).await?;
        }
        Ok(())
    }
}
