//! Serves critics and the instance as ActivityPub actors.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::activity_json;
use crate::domain::critic::Critic;
use crate::federation::vocab::actor;
use crate::flows::profile;
use crate::flows::signing_keys::KeyOwner;
use crate::store::critics;
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// The instance actor, which signs our own fetches.
pub(in crate::web) async fn instance(State(state): State<WebState>) -> Result<Response, WebError> {
    let keys = state.app.keys_for(KeyOwner::Instance).await?.to_published_keys()?;
    Ok(activity_json(&actor::instance_actor(&state.app.origin, &keys)))
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let critic = load(&state, &id).await?;
    if prefers_html(&headers) {
        let page = state.app.origin.profile_page(&critic.profile.handle);
        return Ok(Redirect::to(page.as_str()).into_response());
    }
    document(&state, &critic).await
}

/// A critic's actor document.
pub(in crate::web) async fn document(state: &WebState, critic: &Critic) -> Result<Response, WebError> {
    Ok(activity_json(&profile::actor_document(&state.app, critic).await?))
}

/// Loads the critic with that id.
pub(super) async fn load(state: &WebState, id: &str) -> Result<Critic, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    critics::find(&state.app.db, id).await?.ok_or(WebError::NotFound)
}
