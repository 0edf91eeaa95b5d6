//! Requests to quote a review (FEP-044f): granted to everyone who is heard here.

use url::Url;

use super::apply::{Effect, InboundActivity, PreparedActivity};
use super::follow::DUPLICATE_WINDOW;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, AuthorizationId};
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::quote::{self, QuoteRequest};
use crate::federation::vocab::remote_activity;
use crate::flows::resolve;
use crate::store::activities::{self, NewActivity};
use crate::store::actors::StoredActor;
use crate::store::authorizations::{self, NewAuthorization};
use crate::store::{Tx, deliveries, reactions, reviews};

impl InboundActivity<'_> {
    pub(super) async fn prepare_quote_request(
        &self,
        object: &Url,
        instrument: &Url,
        is_attributed: bool,
    ) -> anyhow::Result<PreparedActivity> {
        let me = &self.activity.actor;
        if instrument.origin() != me.origin() {
            return Ok(PreparedActivity::Ignored("what quotes is on another server"));
        }
        let Some(id) = self.app.origin.parse_article_id(object) else {
            return Ok(PreparedActivity::Ignored("it is not about a review"));
        };
        let review = reviews::find(&self.app.db, id).await?;
        let Some(review) = review.filter(|r| r.state.is_public() || r.state == ReviewState::Retracted) else {
            return Ok(PreparedActivity::Ignored("it is not about a review"));
        };
        // By its id alone anybody could ask for the post of somebody else on the same server.
        if !is_attributed {
            let author =
                resolve::fetch_post(self.app, instrument).await?.ok().and_then(|note| note.attributed_to);
            if author.as_ref() != Some(me) {
                return Ok(PreparedActivity::Ignored("the post is another actor's"));
            }
        }
        let quoter = resolve::resolve_actor(self.app, me).await?;
        Ok(PreparedActivity::Quote(Box::new(review), Box::new(quoter)))
    }

    pub(super) async fn apply_quote_request(
        &self,
        tx: &mut Tx,
        review: &Review,
        quoter: &StoredActor,
    ) -> anyhow::Result<Effect> {
        let remote_activity::InboundActivityKind::QuoteRequest { instrument, .. } = &self.activity.kind
        else {
            return Ok(Effect::Ignored("it asks for nothing"));
        };
        let me = &self.activity.actor;
        // A post that is gone does not come back.
        let is_gone = reactions::find_tombstone(tx, instrument, me).await?.is_some();
        if is_gone
            || self.is_tombstoned(tx, self.activity.id.as_ref()).await?
            || self.is_tombstoned(tx, Some(&requests_for(instrument))).await?
        {
            return Ok(Effect::Ignored("it was undone"));
        }
        let before = authorizations::find_by_note(tx, review.id, instrument).await?;
        if before.as_ref().is_some_and(|before| before.actor != me.as_str()) {
            return Ok(Effect::Ignored("the post is another actor's"));
        }
        let state = before.as_ref().map_or("", |before| before.state.as_str());
        let overtaken = before.as_ref().is_some_and(|before| before.signed_at > self.signed_at);
        if state == "withdrawn" && overtaken {
            return Ok(Effect::Ignored("it was undone"));
        }
        if state == "revoked" || !review.state.is_public() {
            return self.refuse_quote(tx, review, instrument, quoter).await;
        }
        let again = before.filter(|before| before.state == "granted");
        self.grant_quote(tx, review, instrument, quoter, again).await
    }

    /// The same request again gets the same stamp, and is answered by the same Accept: perhaps it was lost.
    async fn grant_quote(
        &self,
        tx: &mut Tx,
        review: &Review,
        instrument: &Url,
        quoter: &StoredActor,
        again: Option<authorizations::StoredAuthorization>,
    ) -> anyhow::Result<Effect> {
        let now = self.app.clock.now();
        let asked = self.activity.id.as_ref();
        let stamp = again.as_ref().map_or_else(|| AuthorizationId::new(now), |before| before.id);
        let same = again.as_ref().filter(|before| before.request_uri.as_deref() == asked.map(Url::as_str));
        let known = same.and_then(|before| before.accept_id);
        let accept = known.unwrap_or_else(|| ActivityId::new(now));
        if known.is_none() {
            let body = quote::accept(&self.app.origin, accept, &self.request(review, instrument), stamp);
            let (critic, body) = (review.critic, &body.to_string());
            let answer =
                NewActivity { id: accept, critic, kind: ActivityKind::Accept, object: instrument, body };
            activities::insert(tx, &answer, now).await?;
        }
        let heard =
            same.is_some_and(|before| self.signed_at.duration_since(before.signed_at) < DUPLICATE_WINDOW);
        let signed_at = again.as_ref().map_or(self.signed_at, |before| before.signed_at.max(self.signed_at));
        let granted = NewAuthorization {
            id: stamp,
            review: review.id,
            note: instrument,
            actor: &self.activity.actor,
            request: asked,
            accept,
            // Copies do not put off the moment from which it may be sent again.
            signed_at: same.filter(|_| heard).map_or(signed_at, |before| before.signed_at),
        };
        authorizations::grant(tx, &granted, now).await?;
        if !heard {
            deliveries::enqueue(tx, accept, &quoter.inbox, now).await?;
        }
        Ok(Effect::Applied("may quote"))
    }

    async fn refuse_quote(
        &self,
        tx: &mut Tx,
        review: &Review,
        instrument: &Url,
        quoter: &StoredActor,
    ) -> anyhow::Result<Effect> {
        let now = self.app.clock.now();
        let since = now - DUPLICATE_WINDOW;
        if activities::exists_since(tx, review.critic, ActivityKind::Reject, instrument, since).await? {
            return Ok(Effect::Ignored("it was refused just now"));
        }
        let id = ActivityId::new(now);
        let body = quote::reject(&self.app.origin, id, &self.request(review, instrument));
        let (critic, body) = (review.critic, &body.to_string());
        let answer = NewActivity { id, critic, kind: ActivityKind::Reject, object: instrument, body };
        activities::insert(tx, &answer, now).await?;
        deliveries::enqueue(tx, id, &quoter.inbox, now).await?;
        Ok(Effect::Applied("may not quote"))
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

    /// A request that is undone without its id: the post tells which it was.
    pub(super) async fn undo_quote_request(&self, tx: &mut Tx, note: &Url) -> anyhow::Result<Effect> {
        if authorizations::withdraw(tx, note, &self.activity.actor, self.signed_at).await? {
            return Ok(Effect::Applied("quotes no longer"));
        }
        reactions::insert_tombstone(tx, &requests_for(note), &self.activity.actor, self.signed_at).await?;
        Ok(Effect::Applied("undone before it came"))
    }
}

/// What stands for the requests about a post among the things that somebody took back.
fn requests_for(note: &Url) -> Url {
    let mut requests = note.clone();
    requests.set_fragment(Some(&format!("{}-QuoteRequest", note.fragment().unwrap_or_default())));
    requests
}
