//! Others who block a critic: they follow no longer, and their words are not shown while they do.

use url::Url;

use super::apply::{Effect, InboundActivity};
use crate::domain::id::CriticId;
use crate::store::{Tx, blockers, comments, followers};

impl InboundActivity<'_> {
    pub(super) async fn apply_block(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let Some(critic) = self.find_critic_in_tx(tx, object).await? else {
            return Ok(Effect::Ignored("nobody here is blocked by it"));
        };
        // Whatever becomes of the block, the follow ended with it.
        followers::unfollow(tx, critic, me, self.signed_at).await?;
        let block = self.activity.id.as_ref();
        if self.is_tombstoned(tx, block).await? {
            return Ok(Effect::Applied("follower removed; the block was undone"));
        }
        blockers::record_block(tx, critic, me, block, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Applied("follower removed, comments hidden"))
    }

    pub(super) async fn unblock(&self, tx: &mut Tx, critic: CriticId) -> anyhow::Result<Effect> {
        blockers::record_unblock(tx, critic, &self.activity.actor, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Applied("blocks no longer"))
    }

    async fn withhold_or_release(&self, tx: &mut Tx, critic: CriticId) -> anyhow::Result<()> {
        let me = &self.activity.actor;
        if blockers::is_blocking(tx, critic, me).await? {
            comments::withhold_by_author(tx, me, critic).await?;
        } else {
            comments::release_by_author(tx, me, critic).await?;
        }
        Ok(())
    }
}
