//! Serves the activities that we sent.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use super::{activity_json, activity_json_text};
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CommentId};
use crate::domain::origin::Origin;
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::{article, critic_reply as vocab, review_activity};
use crate::flows::{critic_reply, publish};
use crate::store::activities::StoredActivity;
use crate::store::{activities, reviews};
use crate::web::error::WebError;
use crate::web::state::WebState;

/// An activity that we sent. It contains the current review, so that replaced text is not served again.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    if let Some(review) = reviews::find_by_create(&app.db, id).await? {
        return respond_with_review_activity(&state, id, &review, review_activity::create).await;
    }
    let stored = activities::find(&app.db, id).await?.ok_or(WebError::NotFound)?;
    // We do not serve activities of other actors.
    if stored.kind == ActivityKind::Forward {
        return Err(WebError::NotFound);
    }
    let note =
        activities::find_object(&app.db, id).await?.and_then(|object| app.origin.parse_note_id(&object));
    if let Some(note) = note {
        return reply_activity(&state, note, id, stored).await;
    }
    if stored.kind == ActivityKind::Update {
        let object = activities::find_object(&app.db, id).await?;
        let review = object.and_then(|object| app.origin.parse_article_id(&object));
        let review = match review {
            Some(review) => reviews::find(&app.db, review).await?,
            None => None,
        };
        if let Some(review) = review {
            return respond_with_review_activity(&state, id, &review, review_activity::update).await;
        }
    }
    Ok(activity_json_text(stored.body))
}

/// An activity about a review, built with the current state of that review.
async fn respond_with_review_activity(
    state: &WebState,
    id: ActivityId,
    review: &Review,
    build: fn(&Origin, ActivityId, &Review, &Value) -> Value,
) -> Result<Response, WebError> {
    let app = &state.app;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let critic = publish::critic_for_review(app, review).await?;
    let counts = publish::interaction_counts(app, review.id).await?;
    let object = article::article(&app.origin, &critic, review, counts);
    Ok(activity_json(&build(&app.origin, id, review, &object)))
}

/// An activity about a critic's reply, as it was sent. Text that was edited or deleted afterwards is not served again.
async fn reply_activity(
    state: &WebState,
    note: CommentId,
    id: ActivityId,
    stored: StoredActivity,
) -> Result<Response, WebError> {
    let origin = &state.app.origin;
    let found = critic_reply::load(&state.app, note).await?.ok_or(WebError::NotFound)?;
    let is_public = found.is_public();
    let reply = found.reply;
    let kind = stored.kind;
    if !matches!(kind, ActivityKind::Create | ActivityKind::Update) {
        return Ok(activity_json_text(stored.body));
    }
    if !is_public {
        return Err(WebError::Gone);
    }
    if reply.edited.is_none() {
        return Ok(activity_json_text(stored.body));
    }
    Ok(activity_json(&vocab::create_or_update(origin, id, kind, &reply, &vocab::note(origin, &reply))))
}
