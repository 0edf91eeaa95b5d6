//! Likes and boosts.

use url::Url;

use super::apply::{Effect, InboundActivity};
use crate::store::Tx;
use crate::store::reactions::{self, ReactionKind};

impl InboundActivity<'_> {
    pub(super) async fn apply_reaction(
        &self,
        tx: &mut Tx,
        object: &Url,
        reaction: ReactionKind,
    ) -> anyhow::Result<Effect> {
        let Some(review) = self.find_public_review(tx, object).await? else {
            return Ok(Effect::Ignored("it is not about a review"));
        };
        let id = self.activity.id.as_ref();
        if self.is_tombstoned(tx, id).await? {
            return Ok(Effect::Ignored("it was undone"));
        }
        reactions::record(tx, review, &self.activity.actor, reaction, id, self.signed_at).await?;
        Ok(Effect::Applied("counted"))
    }
}
