//! What is taken back: activities, posts, whole accounts.

use url::Url;

use super::apply::{Effect, InboundActivity};
use crate::federation::vocab::remote_activity::{UndoTarget, UndoTargetKind};
use crate::store::reactions::{self, ReactionKind};
use crate::store::{Tx, actors, authorizations, blockers, comments, followers};

impl InboundActivity<'_> {
    pub(super) async fn apply_undo(&self, tx: &mut Tx, undone: &UndoTarget) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        match undone {
            UndoTarget::Embedded { actor, .. } if actor != me => {
                Ok(Effect::Ignored("what it undoes is another actor's"))
            }
            UndoTarget::Embedded {
                kind: UndoTargetKind::QuoteRequest, id: None, object: Some(note), ..
            } => self.undo_quote_request(tx, note).await,
            UndoTarget::Embedded { kind, object: Some(object), .. }
                if !matches!(kind, UndoTargetKind::QuoteRequest | UndoTargetKind::Other) =>
            {
                self.undo_of(tx, *kind, object).await
            }
            UndoTarget::Embedded { id: Some(id), .. } | UndoTarget::Reference(id) => {
                self.undo_by_id(tx, id).await
            }
            UndoTarget::Embedded { .. } => Ok(Effect::Ignored("it does not say what it undoes")),
        }
    }

    async fn undo_of(&self, tx: &mut Tx, kind: UndoTargetKind, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let reaction = match kind {
            UndoTargetKind::Follow | UndoTargetKind::Block => {
                let Some(critic) = self.find_critic_in_tx(tx, object).await? else {
                    return Ok(Effect::Ignored("it was about nobody here"));
                };
                if kind == UndoTargetKind::Block {
                    return self.unblock(tx, critic).await;
                }
                return self.unfollow(tx, critic).await;
            }
            UndoTargetKind::Like => ReactionKind::Like,
            UndoTargetKind::Announce => ReactionKind::Boost,
            UndoTargetKind::QuoteRequest | UndoTargetKind::Other => {
                return Ok(Effect::Ignored("nothing is done about this kind"));
            }
        };
        match self.find_public_review(tx, object).await? {
            Some(review) => reactions::record_undo(tx, review, me, reaction, self.signed_at).await?,
            None => return Ok(Effect::Ignored("it is not about a review")),
        }
        Ok(Effect::Applied("undone"))
    }

    async fn undo_by_id(&self, tx: &mut Tx, id: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        if id.origin() != me.origin() {
            return Ok(Effect::Ignored("what it undoes is on another server"));
        }
        if let Some(critic) = followers::find_critic_by_follow(tx, me, id).await? {
            return self.unfollow(tx, critic).await;
        }
        if let Some(critic) = blockers::find_critic_by_activity(tx, me, id).await? {
            return self.unblock(tx, critic).await;
        }
        if reactions::undo_by_activity(tx, me, id, self.signed_at).await?
            || authorizations::withdraw(tx, id, me, self.signed_at).await?
        {
            return Ok(Effect::Applied("undone"));
        }
        reactions::insert_tombstone(tx, id, me, self.signed_at).await?;
        Ok(Effect::Applied("undone before it came"))
    }

    pub(super) async fn apply_delete(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        if object.origin() != me.origin() {
            return Ok(Effect::Ignored("what it deletes is on another server"));
        }
        if object == me {
            // What it sent before, and is still on its way, comes too late.
            reactions::insert_tombstone(tx, me, me, self.signed_at).await?;
            self.delete_forwards(tx, None).await?;
            actors::mark_deleted(tx, me, self.signed_at).await?;
            return Ok(Effect::Applied("the account is gone"));
        }
        let stamped = authorizations::revoke_by_note(tx, object, me).await?
            || authorizations::withdraw(tx, object, me, self.signed_at).await?;
        match comments::find_in_tx(tx, object).await? {
            Some(comment) if comment.actor != me.as_str() => {
                Ok(Effect::Ignored("the comment is another actor's"))
            }
            Some(comment) if comment.state == "deleted" => {
                reactions::insert_tombstone(tx, object, me, self.signed_at).await?;
                Ok(Effect::Ignored("it is gone already"))
            }
            Some(comment) => {
                self.delete_forwards(tx, Some(object)).await?;
                // A quote that it was, too, may be asked for late.
                reactions::insert_tombstone(tx, object, me, self.signed_at).await?;
                comments::mark_deleted(tx, comment.id, self.signed_at).await?;
                if comment.state == "shown" {
                    self.forward_to_followers(tx, comment.review_id, object).await?;
                }
                Ok(Effect::Applied("the comment is gone"))
            }
            None => {
                reactions::insert_tombstone(tx, object, me, self.signed_at).await?;
                Ok(Effect::Applied(if stamped { "the quote is gone" } else { "deleted before it came" }))
            }
        }
    }
}
