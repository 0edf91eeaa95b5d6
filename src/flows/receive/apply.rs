//! One received activity, from what must be fetched for it to its effect. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

use std::collections::BTreeSet;

use url::Url;

use super::reply::InboundReply;
use crate::domain::id::CriticId;
use crate::domain::id::ReviewId;
use crate::domain::moderation::AccessLevel;
use crate::domain::review::Review;
use crate::domain::time::Timestamp;
use crate::federation::vocab::remote_activity::{
    CreateObject, InboundActivityKind, RemoteActivity, UpdateObject,
};
use crate::flows::{App, resolve};
use crate::store::actors::StoredActor;
use crate::store::blocks::AccessLevels;
use crate::store::inbox_activities::InboxJob;
use crate::store::reactions::{self, ReactionKind};
use crate::store::{Tx, actors, blocks, critics, reviews};

/// How the handling of one activity ended.
pub(super) enum Effect {
    /// It is in the transaction.
    Applied(&'static str),
    /// There is none, for this reason.
    Ignored(&'static str),
    /// Not before that post is here.
    Deferred(Url),
}

/// One activity, whose sender is proven.
pub(super) struct InboundActivity<'a> {
    pub(super) app: &'a App,
    pub(super) activity: &'a RemoteActivity,
    pub(super) signed_at: Timestamp,
    /// Its exact bytes.
    pub(super) body: &'a str,
    /// Whether it waited once for what it answers.
    pub(super) was_deferred: bool,
}

impl<'a> InboundActivity<'a> {
    pub(super) fn new(app: &'a App, activity: &'a RemoteActivity, job: &'a InboxJob) -> Self {
        let has_waited = job.attempts > 0;
        Self { app, activity, signed_at: job.signed_at, body: &job.body, was_deferred: has_waited }
    }
}

/// What had to be fetched first.
pub(super) enum PreparedActivity {
    Ignored(&'static str),
    Plain,
    Follow(CriticId, Box<StoredActor>),
    Reply(Box<InboundReply>),
    WaitsFor(Url),
    Move(Box<StoredActor>),
    Quote(Box<Review>, Box<StoredActor>),
}

impl InboundActivity<'_> {
    /// Fetches what is needed. No transaction is open meanwhile.
    pub(super) async fn prepare(&self) -> anyhow::Result<PreparedActivity> {
        if self.is_plain() {
            return Ok(PreparedActivity::Plain);
        }
        let me = &self.activity.actor;
        // Since it was accepted, somebody may have had enough of them: then nothing is asked of anyone.
        if blocks::access_level(&self.app.db, me, &self.app.policy).await? == AccessLevel::Blocked {
            return Ok(PreparedActivity::Ignored("blocked"));
        }
        match &self.activity.kind {
            InboundActivityKind::Follow { object } => self.prepare_follow(object).await,
            InboundActivityKind::Create(CreateObject::Note(note)) => {
                self.prepare_reply(note.clone(), false).await
            }
            InboundActivityKind::Update(UpdateObject::Note(note)) => {
                self.prepare_reply(note.clone(), true).await
            }
            InboundActivityKind::Create(CreateObject::Reference(id)) => {
                self.prepare_reference(id, false).await
            }
            InboundActivityKind::Update(UpdateObject::Reference(id)) => {
                self.prepare_reference(id, true).await
            }
            InboundActivityKind::Update(UpdateObject::Actor(_)) => {
                // Only an actor that we know is worth a request; what it says of itself is read at its origin.
                if actors::find_by_uri(&self.app.db, me).await?.is_some() {
                    resolve::refresh_actor(self.app, me).await?;
                }
                Ok(PreparedActivity::Plain)
            }
            InboundActivityKind::Move { object, target } => self.prepare_move(object, target).await,
            InboundActivityKind::QuoteRequest { object, instrument, is_attributed } => {
                self.prepare_quote_request(object, instrument, *is_attributed).await
            }
            _ => Ok(PreparedActivity::Plain),
        }
    }

    /// Whether nothing need be fetched for it.
    const fn is_plain(&self) -> bool {
        matches!(
            &self.activity.kind,
            InboundActivityKind::Undo(_)
                | InboundActivityKind::Delete { .. }
                | InboundActivityKind::Like { .. }
                | InboundActivityKind::Announce { .. }
                | InboundActivityKind::Block { .. }
                | InboundActivityKind::Flag { .. }
                | InboundActivityKind::Other
        )
    }

    /// Whose affairs its effect touches, in order.
    pub(super) fn lock_names(&self, prepared: &PreparedActivity) -> BTreeSet<String> {
        let mut all = BTreeSet::from([self.activity.actor.to_string()]);
        if matches!(&self.activity.kind, InboundActivityKind::Flag { .. }) {
            // Those of one server come one after the other, so that they are counted.
            all.insert(format!("reports of {}", self.activity.actor.host_str().unwrap_or_default()));
        }
        match prepared {
            PreparedActivity::Reply(reply) => {
                all.extend(reply.ancestors.iter().map(|post| post.author.to_string()));
            }
            PreparedActivity::Move(target) => {
                all.insert(target.uri.to_string());
            }
            _ => {}
        }
        all
    }

    /// Gives it its effect, in the transaction, in which its actor stands as is told here.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        standings: &AccessLevels,
        prepared: &PreparedActivity,
    ) -> anyhow::Result<Effect> {
        // A critic may have decided while it was prepared.
        let standing = standings.for_actor(&self.activity.actor, &self.app.policy);
        let mut blocked = !self.is_delete() && standing == AccessLevel::Blocked;
        if let PreparedActivity::Move(new) = prepared {
            blocked |= self.is_blocked(tx, &new.uri).await?;
        }
        if blocked {
            return Ok(Effect::Ignored("blocked"));
        }
        let is_gone = self.is_tombstoned(tx, Some(&self.activity.actor)).await? && !self.is_self_delete();
        // Of a reply that comes after its author went the place is kept, once it is known: others may hang under it.
        if is_gone && !matches!(prepared, PreparedActivity::Reply(_) | PreparedActivity::WaitsFor(_)) {
            return Ok(Effect::Ignored("the account is gone"));
        }
        match prepared {
            PreparedActivity::Ignored(reason) => Ok(Effect::Ignored(reason)),
            PreparedActivity::WaitsFor(parent) => Ok(Effect::Deferred(parent.clone())),
            PreparedActivity::Follow(critic, actor) => self.apply_follow(tx, *critic, actor).await,
            PreparedActivity::Reply(reply) => self.apply_reply(tx, reply).await,
            PreparedActivity::Move(target) => self.apply_move(tx, target).await,
            PreparedActivity::Quote(review, quoter) => self.apply_quote_request(tx, review, quoter).await,
            PreparedActivity::Plain => self.enact_plain(tx).await,
        }
    }

    async fn enact_plain(&self, tx: &mut Tx) -> anyhow::Result<Effect> {
        match &self.activity.kind {
            InboundActivityKind::Undo(undone) => self.apply_undo(tx, undone).await,
            InboundActivityKind::Delete { object } => self.apply_delete(tx, object).await,
            InboundActivityKind::Like { object } => self.apply_reaction(tx, object, ReactionKind::Like).await,
            InboundActivityKind::Announce { object, .. } => {
                self.apply_reaction(tx, object, ReactionKind::Boost).await
            }
            InboundActivityKind::Block { object } => self.apply_block(tx, object).await,
            InboundActivityKind::Flag { objects, content } => self.apply_report(tx, objects, content).await,
            InboundActivityKind::Update(UpdateObject::Actor(_)) => Ok(Effect::Applied("profile read again")),
            _ => Ok(Effect::Ignored("nothing is done about this kind")),
        }
    }

    async fn is_blocked(&self, tx: &mut Tx, actor: &Url) -> anyhow::Result<bool> {
        Ok(blocks::access_level_in_tx(tx, actor, &self.app.policy).await? == AccessLevel::Blocked)
    }

    /// Who is not heard may still take back what they said.
    const fn is_delete(&self) -> bool {
        matches!(&self.activity.kind, InboundActivityKind::Delete { .. })
    }

    fn is_self_delete(&self) -> bool {
        matches!(&self.activity.kind, InboundActivityKind::Delete { object } if *object == self.activity.actor)
    }

    /// Whether its actor took back, later, what has that id.
    pub(super) async fn is_tombstoned(&self, tx: &mut Tx, id: Option<&Url>) -> anyhow::Result<bool> {
        let Some(id) = id else { return Ok(false) };
        let withdrawn = reactions::find_tombstone(tx, id, &self.activity.actor).await?;
        Ok(withdrawn.is_some_and(|at| at >= self.signed_at))
    }

    /// The critic whose actor has that id. In a transaction nothing is asked beside it: those who hold the other
    /// connections may wait for this very transaction.
    pub(super) async fn find_critic_in_tx(&self, tx: &mut Tx, id: &Url) -> anyhow::Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.parse_actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::exists(tx, critic).await?.then_some(critic))
    }

    /// The same outside of any.
    pub(super) async fn find_critic(&self, id: &Url) -> anyhow::Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.parse_actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::find(&self.app.db, critic).await?.map(|critic| critic.id))
    }

    /// The review whose Article has that id, where everyone may see it.
    pub(super) async fn find_public_review(
        &self,
        tx: &mut Tx,
        object: &Url,
    ) -> anyhow::Result<Option<ReviewId>> {
        let Some(id) = self.app.origin.parse_article_id(object) else {
            return Ok(None);
        };
        Ok(reviews::is_public(tx, id).await?.then_some(id))
    }
}
