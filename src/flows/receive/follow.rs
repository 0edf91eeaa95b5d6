//! Incoming Follow activities and their Undo.

use std::time::Duration;

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::domain::activity::ActivityKind;
use crate::domain::follower::FollowState;
use crate::domain::id::{ActivityId, CriticId};
use crate::flows::follow_requests::write_follow_response;
use crate::flows::resolve;
use crate::store::actors::StoredActor;
use crate::store::followers::{self, StoredFollow};
use crate::store::{Result, Tx, deliveries};

/// A request that is repeated within this time is a copy of one delivery, and gets no second response.
pub(super) const DUPLICATE_WINDOW: Duration = Duration::from_mins(1);

impl InboundActivity<'_> {
    pub(super) async fn prepare_follow(&self, object: &Url) -> anyhow::Result<PreparedActivity> {
        let Some(critic) = self.find_critic(object).await? else {
            return Ok(PreparedActivity::Ignored("the followed account is not on this site"));
        };
        let actor = resolve::resolve_actor(self.app, &self.activity.actor).await?;
        Ok(PreparedActivity::Follow(critic, Box::new(actor)))
    }

    pub(super) async fn apply_follow(
        &self,
        tx: &mut Tx,
        critic: CriticId,
        actor: &StoredActor,
    ) -> Result<Effect> {
        let follow = self.activity.id.as_ref();
        let before = followers::find(tx, critic, &actor.uri).await?;
        if before.as_ref().is_some_and(|before| self.is_overtaken_by(before))
            || self.is_tombstoned(tx, follow).await?
        {
            return Ok(Effect::Ignored("already undone"));
        }
        if before.as_ref().is_some_and(|before| self.is_older_than(before)) {
            return Ok(Effect::Ignored("a newer Follow has already arrived"));
        }
        let state = before.as_ref().map_or(FollowState::Gone, |before| before.state);
        if self.app.policy.approve_followers && state != FollowState::Following {
            let waits = before.filter(|before| before.state == FollowState::Pending);
            let signed_at = waits.map_or(self.signed_at, |before| before.signed_at.max(self.signed_at));
            followers::upsert(tx, critic, actor, follow.map(Url::as_str), None, signed_at).await?;
            return Ok(Effect::Applied("follow request recorded"));
        }
        self.accept_follow(tx, critic, actor, before).await
    }

    /// Removes the actor from the critic's followers.
    pub(super) async fn unfollow(&self, tx: &mut Tx, critic: CriticId) -> Result<Effect> {
        followers::unfollow(tx, critic, &self.activity.actor, self.signed_at).await?;
        Ok(Effect::Applied("follower removed"))
    }

    /// Whether the follow ended by something that was signed later than this Follow.
    fn is_overtaken_by(&self, before: &StoredFollow) -> bool {
        match before.state {
            FollowState::Preempted => before.signed_at >= self.signed_at,
            FollowState::Gone => before.signed_at > self.signed_at,
            FollowState::Following | FollowState::Pending => false,
        }
    }

    /// Whether another Follow that was signed later is in force: an Undo of this one must not end that one. A follow
    /// without an id may have come with a Move; it is accepted when its own Follow arrives.
    fn is_older_than(&self, before: &StoredFollow) -> bool {
        let is_active = before.state.is_active();
        let is_another = before
            .follow_uri
            .as_deref()
            .is_some_and(|known| self.activity.id.as_ref().is_none_or(|id| id.as_str() != known));
        is_active && is_another && before.signed_at > self.signed_at
    }

    async fn accept_follow(
        &self,
        tx: &mut Tx,
        critic: CriticId,
        actor: &StoredActor,
        before: Option<StoredFollow>,
    ) -> Result<Effect> {
        let now = self.app.clock.now();
        let follow = self.activity.id.as_ref();
        let repeated = before.filter(|before| {
            before.state == FollowState::Following && before.follow_uri.as_deref() == follow.map(Url::as_str)
        });
        // A repeated Follow gets the same Accept again: the first delivery may have been lost.
        let accept = repeated.as_ref().and_then(|before| before.accept_id);
        let id = accept.unwrap_or_else(|| ActivityId::new(now));
        if accept.is_none() {
            write_follow_response(self.app, tx, id, ActivityKind::Accept, critic, &actor.uri, follow, now)
                .await?;
        }
        // Copies of one delivery arrive together; an actor that asks again later has not received the response.
        let is_duplicate = accept.is_some()
            && repeated
                .as_ref()
                .is_some_and(|before| self.signed_at.duration_since(before.signed_at) < DUPLICATE_WINDOW);
        let signed_at = repeated.map_or(self.signed_at, |before| before.signed_at.max(self.signed_at));
        followers::upsert(tx, critic, actor, follow.map(Url::as_str), Some(id), signed_at).await?;
        if !is_duplicate {
            deliveries::enqueue(tx, id, &actor.inbox, now).await?;
        }
        Ok(Effect::Applied("follower added"))
    }
}
