//! Serves reviews as Articles, their collections, and the activities that we sent.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use url::Url;

use super::actor::PAGE_SIZE;
use super::{activity_json, activity_json_text, note};
use crate::domain::activity::ActivityKind;
use crate::domain::id::ActivityId;
use crate::domain::origin::Origin;
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::collection::{self, CollectionOrder};
use crate::federation::vocab::{activity as vocab_activity, article, with_context};
use crate::flows::publish;
use crate::net::media_type::ACTIVITY_JSON;
use crate::store::{activities, comments, reviews};
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pagination::PageQuery;
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// Posts in one page of `context`; a longer conversation is paged.
const MAX_CONTEXT_POSTS: u32 = 100;

async fn review(state: &WebState, id: &str) -> Result<Review, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    reviews::find(&state.app.db, id).await?.ok_or(WebError::NotFound)
}

/// The shortcut to the cached document.
pub(in crate::web) fn cache_key<'a>(id: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    (!prefers_html(request.headers())).then_some(CacheKind::Article.key(id))
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if prefers_html(&headers) {
        let review = review(&state, &id).await?;
        if review.state.is_public() {
            return Ok(Redirect::to(state.app.origin.review_page(&review).as_str()).into_response());
        }
        if review.state == ReviewState::Retracted {
            return Err(WebError::Gone);
        }
    }
    let render = || async { document(&state, &review(&state, &id).await?).await };
    state.cache.get_or_render(&state.app, CacheKind::Article.key(&id), &headers, render).await
}

/// A review's Article, or its Tombstone with 410 once the review was retracted (ActivityPub section 6.4).
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

pub(in crate::web) async fn collection(
    State(state): State<WebState>,
    Path((id, part)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let review = review(&state, &id).await?;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let address = app.origin.article_collection(review.id, &part);
    let counts = publish::interaction_counts(app, review.id).await?;
    let document = match part.as_str() {
        "replies" => match query.requested() {
            None => collection::paged(CollectionOrder::Unordered, &address, counts.replies),
            Some(number) => {
                let offset = query.offset(PAGE_SIZE);
                let items = comments::list_uris(&app.db, review.id, PAGE_SIZE, offset).await?;
                let items: Vec<Value> = items.into_iter().map(Value::String).collect();
                let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < counts.replies;
                collection::page(CollectionOrder::Unordered, &address, number, &items, has_next)
            }
        },
        "context" => context(&state, &review, &address, &query, counts.replies + 1).await?,
        "likes" => collection::count_only(CollectionOrder::Unordered, &address, counts.likes),
        "shares" => collection::count_only(CollectionOrder::Unordered, &address, counts.shares),
        _ => return Err(WebError::NotFound),
    };
    Ok(activity_json(&document))
}

/// The whole conversation, oldest first, including the root (FEP-f228, FEP-7888).
async fn context(
    state: &WebState,
    review: &Review,
    address: &Url,
    query: &PageQuery,
    total: u64,
) -> Result<Value, WebError> {
    let offset = query.offset(MAX_CONTEXT_POSTS);
    if query.requested().is_none() && total > u64::from(MAX_CONTEXT_POSTS) {
        return Ok(collection::paged(CollectionOrder::Ordered, address, total));
    }
    // The root comes before the first reply.
    let root = (offset == 0).then(|| Value::String(state.app.origin.article(review.id).into()));
    let (limit, before) = match root {
        Some(_) => (MAX_CONTEXT_POSTS - 1, 0),
        None => (MAX_CONTEXT_POSTS, offset - 1),
    };
    let replies = comments::list_uris(&state.app.db, review.id, limit, before).await?;
    let items: Vec<Value> = root.into_iter().chain(replies.into_iter().map(Value::String)).collect();
    let Some(number) = query.requested() else {
        return Ok(collection::complete(CollectionOrder::Ordered, address, &items));
    };
    let has_next = u64::from(offset) + u64::from(MAX_CONTEXT_POSTS) < total;
    Ok(collection::page(CollectionOrder::Ordered, address, number, &items, has_next))
}

/// An activity that we sent. The review in it is the current one, so that replaced text is not served again.
pub(in crate::web) async fn activity(
    State(state): State<WebState>,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    if let Some(review) = reviews::find_by_create(&app.db, id).await? {
        return activity_document(&state, id, &review, vocab_activity::create).await;
    }
    let stored = activities::find(&app.db, id).await?.ok_or(WebError::NotFound)?;
    // We do not serve activities of other actors.
    if stored.kind == ActivityKind::Forward {
        return Err(WebError::NotFound);
    }
    let note =
        activities::find_object(&app.db, id).await?.and_then(|object| app.origin.parse_note_id(&object));
    if let Some(note) = note {
        return note::activity(&state, note, id, stored).await;
    }
    if stored.kind == ActivityKind::Update {
        let object = activities::find_object(&app.db, id).await?;
        let review = object.and_then(|object| app.origin.parse_article_id(&object));
        let review = match review {
            Some(review) => reviews::find(&app.db, review).await?,
            None => None,
        };
        if let Some(review) = review {
            return activity_document(&state, id, &review, vocab_activity::update).await;
        }
    }
    Ok(activity_json_text(stored.body))
}

/// An activity about a review, built with the current state of that review.
async fn activity_document(
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
