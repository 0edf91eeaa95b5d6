//! Others who block a critic: they follow no longer, and their words are not shown while they do.

use std::time::Duration;

use url::Url;

use super::letter::{Effect, Letter};
use crate::domain::id::CriticId;
use crate::store::{Tx, comments, followers, reactions};

impl Letter<'_> {
    pub(super) async fn block(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let Some(critic) = self.critic(object).await? else {
            return Ok(Effect::None("nobody here is blocked by it"));
        };
        let block = self.activity.id.as_ref();
        // Who took it back without naming its id named the critic.
        if self.is_withdrawn(tx, block).await? || self.is_withdrawn(tx, Some(object)).await? {
            return Ok(Effect::None("it was undone"));
        }
        // That a follow ended is remembered apart: older ones that are on their way stay ended.
        let before = followers::standing(tx, critic, me).await?;
        if let Some(before) = before.filter(|before| matches!(before.state.as_str(), "gone" | "preempted")) {
            reactions::withdraw(tx, &self.follows_of(critic), me, before.signed_at).await?;
        }
        if !followers::block(tx, critic, me, block, self.signed_at).await? {
            return Ok(Effect::None("something newer is here"));
        }
        comments::withhold_all_of(tx, me, critic).await?;
        Ok(Effect::Done("follower removed, comments hidden"))
    }

    pub(super) async fn unblock(&self, tx: &mut Tx, critic: CriticId) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let lifted = followers::unblock(tx, critic, me, self.signed_at).await?;
        // Signed dates have whole seconds: within one, an Undo that found its Block lets a new one in.
        let until = if lifted { self.signed_at - Duration::from_secs(1) } else { self.signed_at };
        reactions::withdraw(tx, &self.app.origin.actor(critic), me, until).await?;
        if !lifted {
            return Ok(Effect::Done("undone before it came"));
        }
        comments::release_all_of(tx, me, critic).await?;
        Ok(Effect::Done("blocks no longer"))
    }
}
