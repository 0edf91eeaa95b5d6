//! Serves the authorizations of granted quotes (FEP-044f).

use axum::extract::{Path, State};
use axum::response::Response;

use super::activity_json;
use crate::domain::quote_authorization::AuthorizationState;
use crate::federation::vocab::quote;
use crate::store::{authorizations, reviews};
use crate::web::error::WebError;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    let authorization = authorizations::find(&app.db, id).await?.ok_or(WebError::NotFound)?;
    let review = reviews::find(&app.db, authorization.review_id).await?;
    let is_public = review.is_some_and(|review| review.state.is_public());
    if authorization.state != AuthorizationState::Granted || !is_public {
        return Err(WebError::Gone);
    }
    let document = quote::quote_authorization(
        &app.origin,
        authorization.id,
        authorization.critic_id,
        &authorization.note_uri,
        authorization.review_id,
    );
    Ok(activity_json(&document))
}
