//! Applies received activities in a transaction. An effect depends on the stored state and on the signed dates alone, so
//! that it happens once, however often and in whatever order activities arrive.

use std::collections::BTreeSet;

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::domain::access_level::AccessLevel;
use crate::domain::reaction::ReactionKind;
use crate::federation::vocab::remote_activity::{InboundActivityKind, UpdateObject};
use crate::store::access_levels::{self, AccessLevels};
use crate::store::{Result, Tx};

impl InboundActivity<'_> {
    /// The names that must be locked before it is applied.
    pub(super) fn lock_names(&self, prepared: &PreparedActivity) -> BTreeSet<String> {
        let mut all = BTreeSet::from([self.activity.actor.to_string()]);
        if matches!(&self.activity.kind, InboundActivityKind::Flag { .. }) {
            // Reports of one server are applied one after the other, so that the limit a day holds.
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

    /// Applies it in the transaction. `levels` are those of the group's actors, read in the same transaction.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        levels: &AccessLevels,
        prepared: &PreparedActivity,
    ) -> Result<Effect> {
        // The actor may have been blocked while it was prepared.
        let level = levels.for_actor(&self.activity.actor, &self.app.policy);
        let mut blocked = !self.is_delete() && level == AccessLevel::Blocked;
        if let PreparedActivity::Move(new) = prepared {
            blocked |= self.is_blocked(tx, &new.uri).await?;
        }
        if blocked {
            return Ok(Effect::Ignored("blocked"));
        }
        let is_deleted = self.is_tombstoned(tx, Some(&self.activity.actor)).await? && !self.is_self_delete();
        // Of a reply by a deleted account the position in the thread is stored, since other posts may be replies to it.
        if is_deleted
            && !matches!(
                prepared,
                PreparedActivity::Reply(_) | PreparedActivity::WaitsFor(_) | PreparedActivity::NeedsNetwork
            )
        {
            return Ok(Effect::Ignored("the account was deleted"));
        }
        match prepared {
            PreparedActivity::Ignored(reason) => Ok(Effect::Ignored(reason)),
            PreparedActivity::NeedsNetwork => Ok(Effect::NeedsNetwork),
            PreparedActivity::WaitsFor(parent) => Ok(Effect::Deferred(parent.clone())),
            PreparedActivity::Follow(critic, actor) => self.apply_follow(tx, *critic, actor).await,
            PreparedActivity::Reply(reply) => self.apply_reply(tx, reply).await,
            PreparedActivity::Edit(note) => self.apply_edit(tx, note).await,
            PreparedActivity::Deletion(id) => self.apply_delete(tx, id).await,
            PreparedActivity::Move(target) => self.apply_move(tx, target).await,
            PreparedActivity::Quote(review, quoter) => self.apply_quote_request(tx, review, quoter).await,
            PreparedActivity::Plain => self.apply_plain(tx).await,
        }
    }

    async fn apply_plain(&self, tx: &mut Tx) -> Result<Effect> {
        match &self.activity.kind {
            InboundActivityKind::Undo(undone) => self.apply_undo(tx, undone).await,
            InboundActivityKind::Delete { object } => self.apply_delete(tx, object).await,
            InboundActivityKind::Like { object } => self.apply_reaction(tx, object, ReactionKind::Like).await,
            InboundActivityKind::Announce { object, .. } => {
                self.apply_reaction(tx, object, ReactionKind::Boost).await
            }
            InboundActivityKind::Block { object } => self.apply_block(tx, object).await,
            InboundActivityKind::Flag { objects, content } => self.apply_report(tx, objects, content).await,
            InboundActivityKind::Update(UpdateObject::Actor(_)) => Ok(Effect::Applied("profile refreshed")),
            _ => Ok(Effect::Ignored("unsupported activity type")),
        }
    }

    async fn is_blocked(&self, tx: &mut Tx, actor: &Url) -> Result<bool> {
        Ok(access_levels::for_actor_in_tx(tx, actor, &self.app.policy).await? == AccessLevel::Blocked)
    }

    /// A blocked actor may still delete its posts.
    const fn is_delete(&self) -> bool {
        matches!(&self.activity.kind, InboundActivityKind::Delete { .. })
    }

    fn is_self_delete(&self) -> bool {
        matches!(&self.activity.kind, InboundActivityKind::Delete { object } if *object == self.activity.actor)
    }
}
