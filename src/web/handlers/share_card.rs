//! Serves the share card of a review that has no poster.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::versioned_file::{VersionQuery, VersionedFile};
use crate::domain::review::ReviewState;
use crate::flows::publish;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// The current share card of a review.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<VersionQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let review = reviews::find_by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound)?;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let critic = publish::critic_for_review(&state.app, &review).await?;
    let card = state.pages.share_card(&critic, &review);
    let version = card.version();
    let versioned = VersionedFile { version: &version, content_type: "image/png" };
    let response_headers = versioned.headers(&query);
    if versioned.is_unmodified(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, response_headers).into_response());
    }
    Ok((response_headers, state.share_cards.draw(card).await?).into_response())
}
