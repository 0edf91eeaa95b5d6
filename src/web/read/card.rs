//! The picture that is drawn of a review.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::media::{Asked, Versioned};
use crate::domain::review::State as Stands;
use crate::flows::publish;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// The card as it is now.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let review = reviews::by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound)?;
    match review.state {
        Stands::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let critic = publish::critic_of(&state.app, &review).await?;
    let card = state.pages.card(&critic, &review);
    let version = card.version();
    let versioned = Versioned { version: &version, content_type: "image/png" };
    let head = versioned.head(&asked);
    if versioned.is_known(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, state.cards.draw(card).await?).into_response())
}
