//! What each activity does here. An effect depends on the state that is there and on the signed dates, so that
//! it happens once however often and in whatever order things come.

use std::time::Duration;

use url::Url;

use crate::domain::activity::Kind as Answer;
use crate::domain::id::{ActivityId, CriticId, ReviewId};
use crate::domain::review::Review;
use crate::domain::time::Timestamp;
use crate::federation::vocab::incoming::{Activity, Created, Kind, Undone, UndoneKind, Updated};
use crate::federation::vocab::note::Note;
use crate::flows::follow::write_answer;
use crate::flows::{App, resolve};
use crate::sources::html;
use crate::store::reactions::{self, Reaction};
use crate::store::{Tx, actors, comments, critics, deliveries, followers, received, reviews};

/// A Follow that is repeated within this time is a copy.
const ASKS_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How the handling of one activity ended.
pub(super) enum Effect {
    /// It is in the transaction.
    Done(&'static str),
    /// There is none, for this reason.
    None(&'static str),
    /// Not before that post is here.
    Later(Url),
}

/// One activity, whose sender is proven.
pub(super) struct Letter<'a> {
    pub(super) app: &'a App,
    pub(super) activity: &'a Activity,
    pub(super) signed_at: Timestamp,
}

/// What had to be fetched first.
pub(super) enum Prepared {
    Nothing(&'static str),
    Follow(CriticId, Box<actors::StoredActor>),
    Reply { note: Box<Note>, review: Box<Review>, parent: Url, is_update: bool },
    Orphan(Url),
    Plain,
}

impl Letter<'_> {
    pub(super) async fn prepare(&self) -> anyhow::Result<Prepared> {
        match &self.activity.kind {
            Kind::Follow { object } => {
                let Some(critic) = self.critic(object).await? else {
                    return Ok(Prepared::Nothing("nobody here is followed by it"));
                };
                let actor = resolve::actor(self.app, &self.activity.actor).await?;
                Ok(Prepared::Follow(critic, Box::new(actor)))
            }
            Kind::Create(Created::Note(note)) => self.prepare_reply(note.clone(), false).await,
            Kind::Update(Updated::Note(note)) => self.prepare_reply(note.clone(), true).await,
            Kind::Create(Created::Reference(id)) => self.prepare_reference(id, false).await,
            Kind::Update(Updated::Reference(id)) => self.prepare_reference(id, true).await,
            Kind::Update(Updated::Actor(_)) => {
                // Only an actor that we know is worth a request; what it says of itself is read at its origin.
                if actors::by_uri(&self.app.db, &self.activity.actor).await?.is_some() {
                    resolve::refresh(self.app, &self.activity.actor).await?;
                }
                Ok(Prepared::Plain)
            }
            _ => Ok(Prepared::Plain),
        }
    }

    /// The critic whose actor has that id.
    async fn critic(&self, id: &Url) -> anyhow::Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::by_id(&self.app.db, critic).await?.map(|critic| critic.id))
    }

    async fn prepare_reference(&self, id: &Url, is_update: bool) -> anyhow::Result<Prepared> {
        if id.origin() != self.activity.actor.origin() {
            return Ok(Prepared::Nothing("what it carries is on another server"));
        }
        let note = resolve::post(self.app, id).await?;
        if note.attributed_to.as_ref() != Some(&self.activity.actor) {
            return Ok(Prepared::Nothing("what it carries is another actor's"));
        }
        self.prepare_reply(Box::new(note), is_update).await
    }

    async fn prepare_reply(&self, note: Box<Note>, is_update: bool) -> anyhow::Result<Prepared> {
        let Some(parent) = note.in_reply_to.clone() else {
            return Ok(Prepared::Nothing("it answers nothing"));
        };
        let known = match self.app.origin.article_id(&parent) {
            Some(id) => Some(id),
            None => comments::by_uri(&self.app.db, &parent).await?.map(|comment| comment.review_id),
        };
        let Some(review) = known else {
            let ours = self.app.origin.owns(&parent);
            return Ok(if ours {
                Prepared::Nothing("what it answers is not here")
            } else {
                Prepared::Orphan(parent)
            });
        };
        let review = reviews::by_id(&self.app.db, review).await?.filter(|review| review.state.is_public());
        let Some(review) = review else {
            return Ok(Prepared::Nothing("the review is not public"));
        };
        if note.is_public {
            resolve::actor(self.app, &self.activity.actor).await?;
        }
        Ok(Prepared::Reply { note, review: Box::new(review), parent, is_update })
    }

    pub(super) async fn enact(&self, tx: &mut Tx, prepared: Prepared) -> anyhow::Result<Effect> {
        match prepared {
            Prepared::Nothing(reason) => return Ok(Effect::None(reason)),
            Prepared::Orphan(parent) => return Ok(Effect::Later(parent)),
            Prepared::Follow(critic, actor) => return self.follow(tx, critic, &actor).await,
            Prepared::Reply { note, review, parent, is_update } => {
                return self.reply(tx, &note, review.id, &parent, is_update).await;
            }
            Prepared::Plain => {}
        }
        match &self.activity.kind {
            Kind::Undo(undone) => self.undo(tx, undone).await,
            Kind::Delete { object } => self.delete(tx, object).await,
            Kind::Like { object } => self.react(tx, object, Reaction::Like).await,
            Kind::Announce { object, .. } => self.react(tx, object, Reaction::Boost).await,
            Kind::Block { object } => self.block(tx, object).await,
            Kind::Update(Updated::Actor(_)) => Ok(Effect::Done("profile read again")),
            _ => Ok(Effect::None("nothing is done about this kind")),
        }
    }

    /// Whether its actor took back, later, what has that id.
    async fn is_withdrawn(&self, tx: &mut Tx, id: Option<&Url>) -> anyhow::Result<bool> {
        let Some(id) = id else { return Ok(false) };
        let withdrawn = reactions::withdrawn(tx, id, &self.activity.actor).await?;
        Ok(withdrawn.is_some_and(|at| at >= self.signed_at))
    }

    async fn follow(
        &self,
        tx: &mut Tx,
        critic: CriticId,
        actor: &actors::StoredActor,
    ) -> anyhow::Result<Effect> {
        let follow = self.activity.id.as_ref();
        let before = followers::standing(tx, critic, &actor.uri).await?;
        let overtaken = before.as_ref().is_some_and(|before| match before.state.as_str() {
            "preempted" => before.signed_at >= self.signed_at,
            "gone" => before.signed_at > self.signed_at,
            _ => false,
        });
        if overtaken || self.is_withdrawn(tx, follow).await? {
            return Ok(Effect::None("it was undone"));
        }
        let now = self.app.clock.now();
        let is_known = before.as_ref().is_some_and(|before| before.state == "following");
        if self.app.policy.approve_followers && !is_known {
            followers::follow(tx, critic, actor, follow.map(Url::as_str), None, self.signed_at).await?;
            return Ok(Effect::Done("waits for the critic's yes"));
        }
        let again = before.filter(|before| {
            before.state == "following" && before.follow_uri.as_deref() == follow.map(Url::as_str)
        });
        // The same Follow again is answered by the same Accept: perhaps the first one was lost.
        let accept = again.as_ref().and_then(|before| before.accept_id);
        let id = accept.unwrap_or_else(|| ActivityId::new(now));
        if accept.is_none() {
            write_answer(self.app, tx, id, Answer::Accept, critic, &actor.uri, follow, now).await?;
        }
        // Copies of one delivery come together; who asks again later has not heard our answer.
        let heard =
            again.as_ref().is_some_and(|before| self.signed_at.since(before.signed_at) < ASKS_AGAIN_AFTER);
        let signed_at = again.map_or(self.signed_at, |before| before.signed_at.max(self.signed_at));
        followers::follow(tx, critic, actor, follow.map(Url::as_str), Some(id), signed_at).await?;
        if !heard {
            deliveries::enqueue(tx, id, &actor.inbox, now).await?;
        }
        Ok(Effect::Done("follows"))
    }

    async fn undo(&self, tx: &mut Tx, undone: &Undone) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        match undone {
            Undone::Embedded { actor, .. } if actor != me => {
                Ok(Effect::None("what it undoes is another actor's"))
            }
            Undone::Embedded { kind, object: Some(object), .. } => self.undo_of(tx, *kind, object).await,
            Undone::Embedded { id: Some(id), .. } | Undone::Reference(id) => self.undo_by_id(tx, id).await,
            Undone::Embedded { .. } => Ok(Effect::None("it does not say what it undoes")),
        }
    }

    async fn undo_of(&self, tx: &mut Tx, kind: UndoneKind, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let reaction = match kind {
            UndoneKind::Follow => {
                let Some(critic) = self.app.origin.actor_id(object) else {
                    return Ok(Effect::None("nobody here was followed by it"));
                };
                if critics::by_id(&self.app.db, critic).await?.is_none() {
                    return Ok(Effect::None("nobody here was followed by it"));
                }
                followers::unfollow(tx, critic, me, self.signed_at).await?;
                return Ok(Effect::Done("follows no longer"));
            }
            UndoneKind::Like => Reaction::Like,
            UndoneKind::Announce => Reaction::Boost,
            UndoneKind::Block | UndoneKind::Other => {
                return Ok(Effect::None("nothing is done about this kind"));
            }
        };
        match self.public_review(object).await? {
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
        if let Some(critic) = followers::by_follow_uri(tx, me, id.as_str()).await? {
            followers::unfollow(tx, critic, me, self.signed_at).await?;
            return Ok(Effect::Done("follows no longer"));
        }
        if reactions::undo(tx, me, id, self.signed_at).await? {
            return Ok(Effect::Done("undone"));
        }
        reactions::withdraw(tx, id, me, self.signed_at).await?;
        Ok(Effect::Done("undone before it came"))
    }

    async fn public_review(&self, object: &Url) -> anyhow::Result<Option<ReviewId>> {
        let Some(id) = self.app.origin.article_id(object) else {
            return Ok(None);
        };
        Ok(reviews::by_id(&self.app.db, id)
            .await?
            .filter(|review| review.state.is_public())
            .map(|review| review.id))
    }

    async fn react(&self, tx: &mut Tx, object: &Url, reaction: Reaction) -> anyhow::Result<Effect> {
        let Some(review) = self.public_review(object).await? else {
            return Ok(Effect::None("it is not about a review"));
        };
        let id = self.activity.id.as_ref();
        if self.is_withdrawn(tx, id).await? {
            return Ok(Effect::None("it was undone"));
        }
        reactions::set(tx, review, &self.activity.actor, reaction, id, self.signed_at).await?;
        Ok(Effect::Done("counted"))
    }

    async fn delete(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        if object == me {
            actors::delete(tx, me, self.signed_at).await?;
            return Ok(Effect::Done("the account is gone"));
        }
        if object.origin() != me.origin() {
            return Ok(Effect::None("what it deletes is on another server"));
        }
        match comments::standing(tx, object).await? {
            Some(comment) if comment.actor == me.as_str() => {
                comments::delete(tx, comment.id, self.signed_at).await?;
                Ok(Effect::Done("the comment is gone"))
            }
            Some(_) => Ok(Effect::None("the comment is another actor's")),
            None => {
                reactions::withdraw(tx, object, me, self.signed_at).await?;
                Ok(Effect::Done("deleted before it came"))
            }
        }
    }

    /// A critic is blocked: the actor follows no longer, and its words are not shown to it or by it.
    async fn block(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Effect> {
        let Some(critic) = self.app.origin.actor_id(object) else {
            return Ok(Effect::None("nobody here is blocked by it"));
        };
        if critics::by_id(&self.app.db, critic).await?.is_none() {
            return Ok(Effect::None("nobody here is blocked by it"));
        }
        followers::unfollow(tx, critic, &self.activity.actor, self.signed_at).await?;
        comments::hide_all_of(tx, &self.activity.actor).await?;
        Ok(Effect::Done("follower removed, comments hidden"))
    }

    async fn reply(
        &self,
        tx: &mut Tx,
        note: &Note,
        review: ReviewId,
        parent: &Url,
        is_update: bool,
    ) -> anyhow::Result<Effect> {
        let me = &self.activity.actor;
        let before = comments::standing(tx, &note.id).await?;
        if let Some(before) = &before
            && before.actor != me.as_str()
        {
            return Ok(Effect::None("the comment is another actor's"));
        }
        if !note.is_public {
            // A reply that is not for everyone any more is taken off the page.
            if let Some(before) = before.filter(|before| is_update && before.state != "private") {
                comments::delete(tx, before.id, self.signed_at).await?;
                return Ok(Effect::Done("no longer public"));
            }
            // What was once said in private does not become public under the same id.
            comments::reserve(tx, review, &note.id, me, self.signed_at, self.app.clock.now()).await?;
            return Ok(Effect::None("it is not public"));
        }
        let content = html::comment(&note.content, &self.app.origin.desk());
        if content.is_empty() && note.name.is_some() {
            return Ok(Effect::None("a vote is no comment"));
        }
        if reactions::withdrawn(tx, &note.id, me).await?.is_some() {
            return Ok(Effect::None("it was deleted"));
        }
        let now = self.app.clock.now();
        let written = comments::Written {
            review,
            uri: &note.id,
            url: note.url.as_ref().unwrap_or(&note.id),
            actor: me,
            parent,
            content: &content,
            warning: note.summary.as_deref(),
            language: note.language.as_deref(),
            published: note.published.unwrap_or(self.signed_at).min(now),
            edited: if is_update { note.updated.or(Some(self.signed_at)) } else { edited_since(note) },
            signed_at: self.signed_at,
        };
        match before {
            None => {
                comments::insert(tx, &written, now).await?;
                received::wake(tx, &note.id, now).await?;
                Ok(Effect::Done("a comment"))
            }
            Some(before) if before.state == "private" => Ok(Effect::None("it was not public")),
            Some(_) if !is_update => Ok(Effect::None("it is here already")),
            Some(before) if before.signed_at > self.signed_at || before.edited_at > written.edited => {
                Ok(Effect::None("a newer edit is here"))
            }
            Some(before) => {
                comments::edit(tx, before.id, &written).await?;
                Ok(Effect::Done("the comment is edited"))
            }
        }
    }
}

/// When a post was changed, if it was: some say `updated` from the start (GoToSocial).
fn edited_since(note: &Note) -> Option<Timestamp> {
    note.updated.filter(|updated| note.published.is_some_and(|published| *updated > published))
}
