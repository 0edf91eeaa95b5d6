//! One received activity, from what must be fetched for it to its effect. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

use std::collections::BTreeSet;

use url::Url;

use super::reply::Reply;
use crate::domain::id::CriticId;
use crate::domain::id::ReviewId;
use crate::domain::moderation::Standing;
use crate::domain::review::Review;
use crate::domain::time::Timestamp;
use crate::federation::vocab::incoming::{Activity, Created, Kind, Updated};
use crate::flows::{App, resolve};
use crate::store::actors::StoredActor;
use crate::store::blocks::Standings;
use crate::store::reactions::{self, Reaction};
use crate::store::received::Job;
use crate::store::{Tx, actors, blocks, critics, reviews};

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
    /// Its exact bytes.
    pub(super) body: &'a str,
    /// Whether it waited once for what it answers.
    pub(super) has_waited: bool,
}

impl<'a> Letter<'a> {
    pub(super) fn new(app: &'a App, activity: &'a Activity, job: &'a Job) -> Self {
        let has_waited = job.attempts > 0;
        Self { app, activity, signed_at: job.signed_at, body: &job.body, has_waited }
    }
}

/// What had to be fetched first.
pub(super) enum Prepared {
    Nothing(&'static str),
    Plain,
    Follow(CriticId, Box<StoredActor>),
    Reply(Box<Reply>),
    Orphan(Url),
    Move(Box<StoredActor>),
    Quote(Box<Review>, Box<StoredActor>),
}

impl Letter<'_> {
    /// Fetches what is needed. No transaction is open meanwhile.
    pub(super) async fn prepare(&self) -> anyhow::Result<Prepared> {
        if self.is_plain() {
            return Ok(Prepared::Plain);
        }
        let me = &self.activity.actor;
        // Since it was accepted, somebody may have had enough of them: then nothing is asked of anyone.
        if blocks::standing(&self.app.db, me, &self.app.policy).await? == Standing::Blocked {
            return Ok(Prepared::Nothing("blocked"));
        }
        match &self.activity.kind {
            Kind::Follow { object } => self.prepare_follow(object).await,
            Kind::Create(Created::Note(note)) => self.prepare_reply(note.clone(), false).await,
            Kind::Update(Updated::Note(note)) => self.prepare_reply(note.clone(), true).await,
            Kind::Create(Created::Reference(id)) => self.prepare_reference(id, false).await,
            Kind::Update(Updated::Reference(id)) => self.prepare_reference(id, true).await,
            Kind::Update(Updated::Actor(_)) => {
                // Only an actor that we know is worth a request; what it says of itself is read at its origin.
                if actors::by_uri(&self.app.db, me).await?.is_some() {
                    resolve::refresh(self.app, me).await?;
                }
                Ok(Prepared::Plain)
            }
            Kind::Move { object, target } => self.prepare_move(object, target).await,
            Kind::QuoteRequest { object, instrument, is_attributed } => {
                self.prepare_quote(object, instrument, *is_attributed).await
            }
            _ => Ok(Prepared::Plain),
        }
    }

    /// Whether nothing need be fetched for it.
    const fn is_plain(&self) -> bool {
        matches!(
            &self.activity.kind,
            Kind::Undo(_)
                | Kind::Delete { .. }
                | Kind::Like { .. }
                | Kind::Announce { .. }
                | Kind::Block { .. }
                | Kind::Flag { .. }
                | Kind::Other
        )
    }

    /// Whose affairs its effect touches, in order.
    pub(super) fn concerned(&self, prepared: &Prepared) -> BTreeSet<String> {
        let mut all = BTreeSet::from([self.activity.actor.to_string()]);
        if matches!(&self.activity.kind, Kind::Flag { .. }) {
            // Those of one server come one after the other, so that they are counted.
            all.insert(format!("reports of {}", self.activity.actor.host_str().unwrap_or_default()));
        }
        match prepared {
            Prepared::Reply(reply) => all.extend(reply.ancestors.iter().map(|post| post.author.to_string())),
            Prepared::Move(target) => {
                all.insert(target.uri.to_string());
            }
            _ => {}
        }
        all
    }

    /// Gives it its effect, in the transaction, in which its actor stands as is told here.
    pub(super) async fn enact(
        &self,
        tx: &mut Tx,
        standings: &Standings,
        prepared: &Prepared,
    ) -> anyhow::Result<Effect> {
        // A critic may have decided while it was prepared.
        let standing = standings.of(&self.activity.actor, &self.app.policy);
        let mut blocked = !self.is_delete() && standing == Standing::Blocked;
        if let Prepared::Move(new) = prepared {
            blocked |= self.is_blocked(tx, &new.uri).await?;
        }
        if blocked {
            return Ok(Effect::None("blocked"));
        }
        let is_gone = self.is_withdrawn(tx, Some(&self.activity.actor)).await? && !self.is_self_delete();
        // Of a reply that comes after its author went the place is kept, once it is known: others may hang under it.
        if is_gone && !matches!(prepared, Prepared::Reply(_) | Prepared::Orphan(_)) {
            return Ok(Effect::None("the account is gone"));
        }
        match prepared {
            Prepared::Nothing(reason) => Ok(Effect::None(reason)),
            Prepared::Orphan(parent) => Ok(Effect::Later(parent.clone())),
            Prepared::Follow(critic, actor) => self.follow(tx, *critic, actor).await,
            Prepared::Reply(reply) => self.reply(tx, reply).await,
            Prepared::Move(target) => self.transfer(tx, target).await,
            Prepared::Quote(review, quoter) => self.quote(tx, review, quoter).await,
            Prepared::Plain => self.enact_plain(tx).await,
        }
    }

    async fn enact_plain(&self, tx: &mut Tx) -> anyhow::Result<Effect> {
        match &self.activity.kind {
            Kind::Undo(undone) => self.undo(tx, undone).await,
            Kind::Delete { object } => self.delete(tx, object).await,
            Kind::Like { object } => self.react(tx, object, Reaction::Like).await,
            Kind::Announce { object, .. } => self.react(tx, object, Reaction::Boost).await,
            Kind::Block { object } => self.block(tx, object).await,
            Kind::Flag { objects, content } => self.report(tx, objects, content).await,
            Kind::Update(Updated::Actor(_)) => Ok(Effect::Done("profile read again")),
            _ => Ok(Effect::None("nothing is done about this kind")),
        }
    }

    async fn is_blocked(&self, tx: &mut Tx, actor: &Url) -> anyhow::Result<bool> {
        Ok(blocks::standing_in(tx, actor, &self.app.policy).await? == Standing::Blocked)
    }

    /// Who is not heard may still take back what they said.
    const fn is_delete(&self) -> bool {
        matches!(&self.activity.kind, Kind::Delete { .. })
    }

    fn is_self_delete(&self) -> bool {
        matches!(&self.activity.kind, Kind::Delete { object } if *object == self.activity.actor)
    }

    /// Whether its actor took back, later, what has that id.
    pub(super) async fn is_withdrawn(&self, tx: &mut Tx, id: Option<&Url>) -> anyhow::Result<bool> {
        let Some(id) = id else { return Ok(false) };
        let withdrawn = reactions::withdrawn(tx, id, &self.activity.actor).await?;
        Ok(withdrawn.is_some_and(|at| at >= self.signed_at))
    }

    /// The critic whose actor has that id. In a transaction nothing is asked beside it: those who hold the other
    /// connections may wait for this very transaction.
    pub(super) async fn critic_in(&self, tx: &mut Tx, id: &Url) -> anyhow::Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::is_there(tx, critic).await?.then_some(critic))
    }

    /// The same outside of any.
    pub(super) async fn critic(&self, id: &Url) -> anyhow::Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::by_id(&self.app.db, critic).await?.map(|critic| critic.id))
    }

    /// The review whose Article has that id, where everyone may see it.
    pub(super) async fn public_review(&self, tx: &mut Tx, object: &Url) -> anyhow::Result<Option<ReviewId>> {
        let Some(id) = self.app.origin.article_id(object) else {
            return Ok(None);
        };
        Ok(reviews::is_public(tx, id).await?.then_some(id))
    }
}
