//! Incoming Undo activities: of reactions, follows, blocks and quote requests.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use crate::domain::reaction::ReactionKind;
use crate::federation::vocab::remote_activity::{UndoTarget, UndoTargetKind};
use crate::store::{Result, Tx, authorizations, blockers, followers, reactions, tombstones};

impl InboundActivity<'_> {
    pub(super) async fn apply_undo(&self, tx: &mut Tx, undone: &UndoTarget) -> Result<Effect> {
        let sender = &self.activity.actor;
        match undone {
            UndoTarget::Embedded { actor, .. } if actor != sender => {
                Ok(Effect::Ignored("the undone activity belongs to another actor"))
            }
            UndoTarget::Embedded {
                kind: UndoTargetKind::QuoteRequest, id: None, object: Some(note), ..
            } => self.undo_quote_request(tx, note).await,
            UndoTarget::Embedded { kind, object: Some(object), .. }
                if !matches!(kind, UndoTargetKind::QuoteRequest | UndoTargetKind::Other) =>
            {
                self.undo_by_object(tx, *kind, object).await
            }
            UndoTarget::Embedded { id: Some(id), .. } | UndoTarget::Reference(id) => {
                self.undo_by_id(tx, id).await
            }
            UndoTarget::Embedded { .. } => Ok(Effect::Ignored("the Undo does not name an activity")),
        }
    }

    async fn undo_by_object(&self, tx: &mut Tx, kind: UndoTargetKind, object: &Url) -> Result<Effect> {
        let sender = &self.activity.actor;
        let reaction = match kind {
            UndoTargetKind::Follow | UndoTargetKind::Block => {
                let Some(critic) = self.find_critic_in_tx(tx, object).await? else {
                    return Ok(Effect::Ignored("the object is not an account on this site"));
                };
                if kind == UndoTargetKind::Block {
                    return self.unblock(tx, critic).await;
                }
                return self.unfollow(tx, critic).await;
            }
            UndoTargetKind::Like => ReactionKind::Like,
            UndoTargetKind::Announce => ReactionKind::Boost,
            UndoTargetKind::QuoteRequest | UndoTargetKind::Other => {
                return Ok(Effect::Ignored("unsupported activity type"));
            }
        };
        match self.find_public_review(tx, object).await? {
            Some(review) => reactions::record_undo(tx, review, sender, reaction, self.signed_at).await?,
            None => return Ok(Effect::Ignored("the object is not a public review")),
        }
        Ok(Effect::Applied("undone"))
    }

    async fn undo_by_id(&self, tx: &mut Tx, id: &Url) -> Result<Effect> {
        let sender = &self.activity.actor;
        if id.origin() != sender.origin() {
            return Ok(Effect::Ignored("the undone activity is on another server"));
        }
        if let Some(critic) = followers::find_critic_by_follow(tx, sender, id).await? {
            return self.unfollow(tx, critic).await;
        }
        if let Some(critic) = blockers::find_critic_by_activity(tx, sender, id).await? {
            return self.unblock(tx, critic).await;
        }
        if reactions::undo_by_activity(tx, sender, id, self.signed_at).await?
            || authorizations::withdraw(tx, id, sender, self.signed_at).await?
        {
            return Ok(Effect::Applied("undone"));
        }
        tombstones::insert(tx, id, sender, self.signed_at).await?;
        Ok(Effect::Applied("undone before it arrived"))
    }
}
