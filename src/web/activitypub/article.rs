//! Serves reviews as Articles.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::activity_json;
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::{article, with_context};
use crate::flows::publish;
use crate::net::media_type::ACTIVITY_JSON;
use crate::store::reviews;
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// Loads the review with that id.
pub(super) async fn load(state: &WebState, id: &str) -> Result<Review, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    reviews::find(&state.app.db, id).await?.ok_or(WebError::NotFound)
}

/// The key of the cached document, for the fast path.
pub(in crate::web) fn cache_key<'a>(id: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    (!prefers_html(request.headers())).then_some(CacheKind::Article.key(id))
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if prefers_html(&headers) {
        let review = load(&state, &id).await?;
        if review.state.is_public() {
            return Ok(Redirect::to(state.app.origin.review_page(&review).as_str()).into_response());
        }
        if review.state == ReviewState::Retracted {
            return Err(WebError::Gone);
        }
    }
    let render = || async { document(&state, &load(&state, &id).await?).await };
    state.cache.get_or_render(&state.app, CacheKind::Article.key(&id), &headers, render).await
}

/// A review's Article, or its Tombstone with 410 after the review was retracted (ActivityPub section 6.4).
pub(in crate::web) async fn document(state: &WebState, review: &Review) -> Result<Rendered, WebError> {
    let app = &state.app;
    match review.state {
        ReviewState::Archive | ReviewState::Published => {
            let critic = publish::critic_for_review(app, review).await?;
            let counts = publish::interaction_counts(app, review.id).await?;
            let object = article::article(&app.origin, &critic, review, counts);
            let document = with_context(article::context(), object).to_string();
            Ok(Rendered::Cacheable(Arc::new(Rendering::new(ACTIVITY_JSON, document, None, app.clock.now()))))
        }
        ReviewState::Retracted => {
            let tombstone = with_context(article::context(), article::tombstone(&app.origin, review));
            Ok(Rendered::Uncacheable((StatusCode::GONE, activity_json(&tombstone)).into_response()))
        }
        ReviewState::Held | ReviewState::Scheduled => Err(WebError::NotFound),
    }
}
