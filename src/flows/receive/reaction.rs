//! Incoming Like and Announce activities.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use crate::domain::reaction::ReactionKind;
use crate::store::{Result, Tx, reactions};

impl InboundActivity<'_> {
    pub(super) async fn apply_reaction(
        &self,
        tx: &mut Tx,
        object: &Url,
        reaction: ReactionKind,
    ) -> Result<Effect> {
        let Some(review) = self.find_public_review(tx, object).await? else {
            return Ok(Effect::Ignored("the object is not a public review"));
        };
        let id = self.activity.id.as_ref();
        if self.is_tombstoned(tx, id).await? {
            return Ok(Effect::Ignored("already undone"));
        }
        reactions::record(tx, review, &self.activity.actor, reaction, id, self.signed_at).await?;
        Ok(Effect::Applied("reaction counted"))
    }
}
