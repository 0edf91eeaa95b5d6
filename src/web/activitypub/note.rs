//! Serves the critics' replies as Notes.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::activity_json;
use crate::federation::vocab::{AS_CONTEXT, critic_reply as vocab, with_context};
use crate::flows::critic_reply::{self, LoadedReply};
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// Loads the reply with that id.
pub(super) async fn load(state: &WebState, id: &str) -> Result<LoadedReply, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    critic_reply::load(&state.app, id).await?.ok_or(WebError::NotFound)
}

/// A critic's reply as a Note, or its Tombstone with 410 after it was deleted (ActivityPub section 6.4).
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let origin = &state.app.origin;
    let found = load(&state, &id).await?;
    let is_public = found.is_public();
    let LoadedReply { reply, stored, .. } = found;
    if !is_public {
        if prefers_html(&headers) {
            return Err(WebError::Gone);
        }
        let tombstone = vocab::tombstone(origin, reply.id, stored.signed_at);
        return Ok(
            (StatusCode::GONE, activity_json(&with_context(json!(AS_CONTEXT), tombstone))).into_response()
        );
    }
    if prefers_html(&headers) {
        return Ok(Redirect::to(reply.url.as_str()).into_response());
    }
    Ok(activity_json(&with_context(vocab::context(), vocab::note(origin, &reply))))
}
