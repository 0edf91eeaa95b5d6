//! What is taken back: activities, posts, whole accounts.

use url::Url;

use super::letter::{Effect, Letter};
use crate::federation::vocab::incoming::{Undone, UndoneKind};
use crate::store::reactions::{self, Reaction};
use crate::store::{Tx, actors, blockers, comments, followers, stamps};

impl Letter<'_> {
    pub(super) async fn undo(&self, tx: &mut Tx, undone: &Undone) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        match undone {
            Undone::Embedded { actor, .. } if actor != me => {
                Ok(Effect::None("what it undoes is another actor's"))
            }
            Undone::Embedded { kind: UndoneKind::QuoteRequest, id: None, object: Some(note), .. } => {
                self.undo_quote(tx, note).await
            }
            Undone::Embedded { kind, object: Some(object), .. }
                if !matches!(kind, UndoneKind::QuoteRequest | UndoneKind::Other) =>
            {
                self.undo_of(tx, *kind, object).await
            }
            Undone::Embedded { id: Some(id), .. } | Undone::Reference(id) => self.undo_by_id(tx, id).await,
            Undone::Embedded { .. } => Ok(Effect::None("it does not say what it undoes")),
        }
    }

    async fn undo_of(&self, tx: &mut Tx, kind: UndoneKind, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let reaction = match kind {
            UndoneKind::Follow | UndoneKind::Block => {
                let Some(critic) = self.critic_in(tx, object).await? else {
                    return Ok(Effect::None("it was about nobody here"));
                };
                if kind == UndoneKind::Block {
                    return self.unblock(tx, critic).await;
                }
                return self.unfollow(tx, critic).await;
            }
            UndoneKind::Like => Reaction::Like,
            UndoneKind::Announce => Reaction::Boost,
            UndoneKind::QuoteRequest | UndoneKind::Other => {
                return Ok(Effect::None("nothing is done about this kind"));
            }
        };
        match self.public_review(tx, object).await? {
            Some(review) => reactions::unset(tx, review, me, reaction, self.signed_at).await?,
            None => return Ok(Effect::None("it is not about a review")),
        }
        Ok(Effect::Done("undone"))
    }

    async fn undo_by_id(&self, tx: &mut Tx, id: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        if id.origin() != me.origin() {
            return Ok(Effect::None("what it undoes is on another server"));
        }
        if let Some(critic) = followers::by_activity(tx, me, id).await? {
            return self.unfollow(tx, critic).await;
        }
        if let Some(critic) = blockers::by_activity(tx, me, id).await? {
            return self.unblock(tx, critic).await;
        }
        if reactions::undo(tx, me, id, self.signed_at).await?
            || stamps::withdraw(tx, id, me, self.signed_at).await?
        {
            return Ok(Effect::Done("undone"));
        }
        reactions::withdraw(tx, id, me, self.signed_at).await?;
        Ok(Effect::Done("undone before it came"))
    }

    pub(super) async fn delete(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        if object.origin() != me.origin() {
            return Ok(Effect::None("what it deletes is on another server"));
        }
        if object == me {
            // What it sent before, and is still on its way, comes too late.
            reactions::withdraw(tx, me, me, self.signed_at).await?;
            self.forget(tx, None).await?;
            actors::delete(tx, me, self.signed_at).await?;
            return Ok(Effect::Done("the account is gone"));
        }
        let stamped = stamps::end_with_note(tx, object, me).await?
            || stamps::withdraw(tx, object, me, self.signed_at).await?;
        match comments::standing(tx, object).await? {
            Some(comment) if comment.actor != me.as_str() => {
                Ok(Effect::None("the comment is another actor's"))
            }
            Some(comment) if comment.state == "deleted" => {
                reactions::withdraw(tx, object, me, self.signed_at).await?;
                Ok(Effect::None("it is gone already"))
            }
            Some(comment) => {
                self.forget(tx, Some(object)).await?;
                // A quote that it was, too, may be asked for late.
                reactions::withdraw(tx, object, me, self.signed_at).await?;
                comments::delete(tx, comment.id, self.signed_at).await?;
                if comment.state == "shown" {
                    self.pass_on(tx, comment.review_id, object).await?;
                }
                Ok(Effect::Done("the comment is gone"))
            }
            None => {
                reactions::withdraw(tx, object, me, self.signed_at).await?;
                Ok(Effect::Done(if stamped { "the quote is gone" } else { "deleted before it came" }))
            }
        }
    }
}
