//! The picture that is drawn of a review.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::media::FOREVER;
use crate::domain::review::State as Stands;
use crate::flows::publish;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::state::WebState;

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Asked {
    /// The version that a page named.
    #[serde(default)]
    v: String,
}

/// The card as it is now. Under the address that names its version it stays as it is.
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
    let etag = format!("\"{version}\"");
    let caching = if asked.v == version { FOREVER } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let head = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, caching),
        (header::ETAG, etag.as_str()),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, state.cards.draw(card).await?).into_response())
}
