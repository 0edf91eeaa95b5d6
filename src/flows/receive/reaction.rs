//! Likes and boosts.

use url::Url;

use super::letter::{Effect, Letter};
use crate::store::Tx;
use crate::store::reactions::{self, Reaction};

impl Letter<'_> {
    pub(super) async fn react(
        &self,
        tx: &mut Tx,
        object: &Url,
        reaction: Reaction,
    ) -> anyhow::Result<Effect> {
        let Some(review) = self.public_review(tx, object).await? else {
            return Ok(Effect::None("it is not about a review"));
        };
        let id = self.activity.id.as_ref();
        if self.is_withdrawn(tx, id).await? {
            return Ok(Effect::None("it was undone"));
        }
        reactions::set(tx, review, &self.activity.actor, reaction, id, self.signed_at).await?;
        Ok(Effect::Done("counted"))
    }
}
