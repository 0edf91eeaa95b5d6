//! Incoming QuoteRequest activities (FEP-044f): granted unless the actor is blocked.

use url::Url;

use super::follow::DUPLICATE_WINDOW;
use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, AuthorizationId};
use crate::domain::quote_authorization::AuthorizationState;
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::quote::{self, QuoteRequest};
use crate::federation::vocab::remote_activity;
use crate::flows::resolve;
use crate::store::activities::{self, NewActivity};
use crate::store::actors::StoredActor;
use crate::store::authorizations::{self, NewAuthorization};
use crate::store::{Result, Tx, deliveries, reviews, tombstones};

impl InboundActivity<'_> {
    pub(super) async fn prepare_quote_request(
        &self,
        object: &Url,
        instrument: &Url,
        is_attributed: bool,
    ) -> anyhow::Result<PreparedActivity> {
        let sender = &self.activity.actor;
        if instrument.origin() != sender.origin() {
            return Ok(PreparedActivity::Ignored("the quoting post is on another server"));
        }
        let Some(id) = self.app.origin.parse_article_id(object) else {
            return Ok(PreparedActivity::Ignored("the object is not a review"));
        };
        let review = reviews::find(&self.app.db, id).await?;
        let Some(review) = review.filter(|r| r.state.is_public() || r.state == ReviewState::Retracted) else {
            return Ok(PreparedActivity::Ignored("the object is not a public review"));
        };
        // The origin of the id proves too little: an actor could request a quote for the post of another actor on its server.
        if !is_attributed {
            let author =
                resolve::fetch_post(self.app, instrument).await?.ok().and_then(|note| note.attributed_to);
            if author.as_ref() != Some(sender) {
                return Ok(PreparedActivity::Ignored("the post belongs to another actor"));
            }
        }
        let quoter = resolve::resolve_actor(self.app, sender).await?;
        Ok(PreparedActivity::Quote(Box::new(review), Box::new(quoter)))
    }

    pub(super) async fn apply_quote_request(
        &self,
        tx: &mut Tx,
        review: &Review,
        quoter: &StoredActor,
    ) -> Result<Effect> {
        let remote_activity::InboundActivityKind::QuoteRequest { instrument, .. } = &self.activity.kind
        else {
            return Ok(Effect::Ignored("not a QuoteRequest"));
        };
        let sender = &self.activity.actor;
        // A deleted post does not come back.
        let is_gone = tombstones::find(tx, instrument, sender).await?.is_some();
        if is_gone
            || self.is_tombstoned(tx, self.activity.id.as_ref()).await?
            || self.is_tombstoned(tx, Some(&requests_for(instrument))).await?
        {
            return Ok(Effect::Ignored("already undone"));
        }
        let before = authorizations::find_by_note(tx, review.id, instrument).await?;
        if before.as_ref().is_some_and(|before| before.actor != sender.as_str()) {
            return Ok(Effect::Ignored("the post belongs to another actor"));
        }
        let state = before.as_ref().map(|before| before.state);
        let overtaken = before.as_ref().is_some_and(|before| before.signed_at > self.signed_at);
        if state == Some(AuthorizationState::Withdrawn) && overtaken {
            return Ok(Effect::Ignored("already undone"));
        }
        if state == Some(AuthorizationState::Revoked) || !review.state.is_public() {
            return self.reject_quote(tx, review, instrument, quoter).await;
        }
        let granted = before.filter(|before| before.state == AuthorizationState::Granted);
        self.grant_quote(tx, review, instrument, quoter, granted).await
    }

    /// Grants a request. A repeated request gets the same authorization and the same Accept again: the first delivery
    /// may have been lost.
    async fn grant_quote(
        &self,
        tx: &mut Tx,
        review: &Review,
        instrument: &Url,
        quoter: &StoredActor,
        granted: Option<authorizations::StoredAuthorization>,
    ) -> Result<Effect> {
        let now = self.app.clock.now();
        let request_id = self.activity.id.as_ref();
        let authorization = granted.as_ref().map_or_else(|| AuthorizationId::new(now), |before| before.id);
        let same =
            granted.as_ref().filter(|before| before.request_uri.as_deref() == request_id.map(Url::as_str));
        let earlier_accept = same.and_then(|before| before.accept_id);
        let accept = earlier_accept.unwrap_or_else(|| ActivityId::new(now));
        if earlier_accept.is_none() {
            let body =
                quote::accept(&self.app.origin, accept, &self.request(review, instrument), authorization);
            let (critic, body) = (review.critic, &body.to_string());
            let response =
                NewActivity { id: accept, critic, kind: ActivityKind::Accept, object: instrument, body };
            activities::insert(tx, &response, now).await?;
        }
        let is_duplicate =
            same.is_some_and(|before| self.signed_at.duration_since(before.signed_at) < DUPLICATE_WINDOW);
        let signed_at =
            granted.as_ref().map_or(self.signed_at, |before| before.signed_at.max(self.signed_at));
        let grant = NewAuthorization {
            id: authorization,
            review: review.id,
            note: instrument,
            actor: &self.activity.actor,
            request: request_id,
            accept,
            // Copies do not postpone the time from which the Accept may be sent again.
            signed_at: same.filter(|_| is_duplicate).map_or(signed_at, |before| before.signed_at),
        };
        authorizations::grant(tx, &grant, now).await?;
        if !is_duplicate {
            deliveries::enqueue(tx, accept, &quoter.inbox, now).await?;
        }
        Ok(Effect::Applied("quote granted"))
    }

    async fn reject_quote(
        &self,
        tx: &mut Tx,
        review: &Review,
        instrument: &Url,
        quoter: &StoredActor,
    ) -> Result<Effect> {
        let now = self.app.clock.now();
        let since = now - DUPLICATE_WINDOW;
        if activities::exists_since(tx, review.critic, ActivityKind::Reject, instrument, since).await? {
            return Ok(Effect::Ignored("already rejected"));
        }
        let id = ActivityId::new(now);
        let body = quote::reject(&self.app.origin, id, &self.request(review, instrument));
        let (critic, body) = (review.critic, &body.to_string());
        let response = NewActivity { id, critic, kind: ActivityKind::Reject, object: instrument, body };
        activities::insert(tx, &response, now).await?;
        deliveries::enqueue(tx, id, &quoter.inbox, now).await?;
        Ok(Effect::Applied("quote rejected"))
    }

    fn request<'a>(&'a self, review: &Review, instrument: &'a Url) -> QuoteRequest<'a> {
        QuoteRequest {
            id: self.activity.id.as_ref(),
            actor: &self.activity.actor,
            instrument,
            critic: review.critic,
            review: review.id,
        }
    }

    /// Undoes a request that is named by its post and not by its id.
    pub(super) async fn undo_quote_request(&self, tx: &mut Tx, note: &Url) -> Result<Effect> {
        if authorizations::withdraw(tx, note, &self.activity.actor, self.signed_at).await? {
            return Ok(Effect::Applied("quote withdrawn"));
        }
        tombstones::insert(tx, &requests_for(note), &self.activity.actor, self.signed_at).await?;
        Ok(Effect::Applied("undone before it arrived"))
    }
}

/// The id under which a tombstone of all requests for that post is kept.
fn requests_for(note: &Url) -> Url {
    let mut requests = note.clone();
    requests.set_fragment(Some(&format!("{}-QuoteRequest", note.fragment().unwrap_or_default())));
    requests
}
