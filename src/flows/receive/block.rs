//! Others who block a critic: they follow no longer, and their words are not shown while they do.

use url::Url;

use super::letter::{Effect, Letter};
use crate::domain::id::CriticId;
use crate::store::{Tx, blockers, comments, followers};

impl Letter<'_> {
    pub(super) async fn block(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let Some(critic) = self.critic_in(tx, object).await? else {
            return Ok(Effect::None("nobody here is blocked by it"));
        };
        // Whatever becomes of the block, the follow ended with it.
        followers::unfollow(tx, critic, me, self.signed_at).await?;
        let block = self.activity.id.as_ref();
        if self.is_withdrawn(tx, block).await? {
            return Ok(Effect::Done("follower removed; the block was undone"));
        }
        blockers::set(tx, critic, me, block, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Done("follower removed, comments hidden"))
    }

    pub(super) async fn unblock(&self, tx: &mut Tx, critic: CriticId) -> anyhow::Result<Effect> {
        blockers::unset(tx, critic, &self.activity.actor, self.signed_at).await?;
        self.withhold_or_release(tx, critic).await?;
        Ok(Effect::Done("blocks no longer"))
    }

    async fn withhold_or_release(&self, tx: &mut Tx, critic: CriticId) -> anyhow::Result<()> {
        let me = &self.activity.actor;
        if blockers::is_on(tx, critic, me).await? {
            comments::withhold_all_of(tx, me, critic).await?;
        } else {
            comments::release_all_of(tx, me, critic).await?;
        }
        Ok(())
    }
}
