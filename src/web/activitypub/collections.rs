//! Serves the collections of critics, reviews and replies: outbox, followers, following, featured, replies, context,
//! likes and shares.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::Value;
use url::Url;

use super::{activity_json, actor, article, note};
use crate::domain::critic::Critic;
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::collection::{self, CollectionOrder};
use crate::federation::vocab::{article as vocab_article, review_activity};
use crate::flows::publish;
use crate::store::browse_index::{self, BrowseQuery};
use crate::store::{comments, followers, reviews};
use crate::web::error::WebError;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// How many items a page of a collection has.
const PAGE_SIZE: u32 = 20;

/// How many reviews `featured` has. Mastodon shows them when it first loads a profile.
const MAX_FEATURED: u32 = 10;

/// How many posts a page of `context` has; a longer thread is paged.
const MAX_CONTEXT_POSTS: u32 = 100;

/// A collection of a critic.
pub(in crate::web) async fn actor_collection(
    State(state): State<WebState>,
    Path((id, part)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let critic = actor::load(&state, &id).await?;
    let collection_id = state.app.origin.actor_endpoint(critic.id, &part);
    let document = match part.as_str() {
        "outbox" => outbox(&state, &critic, &collection_id, &query).await?,
        "followers" => follower_collection(&state, &critic, &collection_id, &query).await?,
        "following" => collection::count_only(CollectionOrder::Ordered, &collection_id, 0),
        "featured" => {
            let newest =
                reviews::list_matching(&state.app.db, &BrowseQuery::for_critic(critic.id), MAX_FEATURED, 0)
                    .await?;
            let ids = newest.iter().map(|review| state.app.origin.article(review.id));
            collection::complete(CollectionOrder::Ordered, &collection_id, &collection::id_items(ids))
        }
        _ => return Err(WebError::NotFound),
    };
    Ok(activity_json(&document))
}

/// The outbox: all public reviews, newest first. It includes reviews of the archive, although their Create was never
/// sent.
async fn outbox(
    state: &WebState,
    critic: &Critic,
    collection_id: &Url,
    query: &PageQuery,
) -> Result<Value, WebError> {
    let app = &state.app;
    let total = browse_index::count_reviews(&app.db, &BrowseQuery::for_critic(critic.id)).await?;
    let Some(number) = query.requested() else {
        return Ok(collection::paged(CollectionOrder::Ordered, collection_id, total));
    };
    let offset = query.offset(PAGE_SIZE);
    let found =
        reviews::list_matching(&app.db, &BrowseQuery::for_critic(critic.id), PAGE_SIZE, offset).await?;
    let mut items = Vec::with_capacity(found.len());
    for review in &found {
        let counts = publish::interaction_counts(app, review.id).await?;
        let object = vocab_article::article(&app.origin, critic, review, counts);
        items.push(review_activity::create(&app.origin, review.create_activity, review, &object));
    }
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(collection::page(CollectionOrder::Ordered, collection_id, number, &items, has_next))
}

async fn follower_collection(
    state: &WebState,
    critic: &Critic,
    collection_id: &Url,
    query: &PageQuery,
) -> Result<Value, WebError> {
    let db = &state.app.db;
    let total = followers::count_followers(db, critic.id).await?;
    if critic.profile.hide_followers {
        // The number of followers is public, their names are not.
        return match query.requested() {
            None => Ok(collection::count_only(CollectionOrder::Ordered, collection_id, total)),
            Some(_) => Err(WebError::NotFound),
        };
    }
    let Some(number) = query.requested() else {
        return Ok(collection::paged(CollectionOrder::Ordered, collection_id, total));
    };
    let offset = query.offset(PAGE_SIZE);
    let found = followers::list_actors(db, critic.id, PAGE_SIZE, offset).await?;
    let items: Vec<Value> = found.into_iter().map(Value::String).collect();
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(collection::page(CollectionOrder::Ordered, collection_id, number, &items, has_next))
}

/// A collection of a review.
pub(in crate::web) async fn article_collection(
    State(state): State<WebState>,
    Path((id, part)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let review = article::load(&state, &id).await?;
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let collection_id = app.origin.article_collection(review.id, &part);
    let counts = publish::interaction_counts(app, review.id).await?;
    let document = match part.as_str() {
        "replies" => match query.requested() {
            None => collection::paged(CollectionOrder::Unordered, &collection_id, counts.replies),
            Some(number) => {
                let offset = query.offset(PAGE_SIZE);
                let items = comments::list_uris(&app.db, review.id, PAGE_SIZE, offset).await?;
                let items: Vec<Value> = items.into_iter().map(Value::String).collect();
                let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < counts.replies;
                collection::page(CollectionOrder::Unordered, &collection_id, number, &items, has_next)
            }
        },
        "context" => context(&state, &review, &collection_id, &query, counts.replies + 1).await?,
        "likes" => collection::count_only(CollectionOrder::Unordered, &collection_id, counts.likes),
        "shares" => collection::count_only(CollectionOrder::Unordered, &collection_id, counts.shares),
        _ => return Err(WebError::NotFound),
    };
    Ok(activity_json(&document))
}

/// The whole thread, oldest first, including the root (FEP-f228, FEP-7888).
async fn context(
    state: &WebState,
    review: &Review,
    collection_id: &Url,
    query: &PageQuery,
    total: u64,
) -> Result<Value, WebError> {
    let offset = query.offset(MAX_CONTEXT_POSTS);
    if query.requested().is_none() && total > u64::from(MAX_CONTEXT_POSTS) {
        return Ok(collection::paged(CollectionOrder::Ordered, collection_id, total));
    }
    // The root comes before the first reply.
    let root = (offset == 0).then(|| Value::String(state.app.origin.article(review.id).into()));
    let (limit, skipped) = match root {
        Some(_) => (MAX_CONTEXT_POSTS - 1, 0),
        None => (MAX_CONTEXT_POSTS, offset - 1),
    };
    let replies = comments::list_uris(&state.app.db, review.id, limit, skipped).await?;
    let items: Vec<Value> = root.into_iter().chain(replies.into_iter().map(Value::String)).collect();
    let Some(number) = query.requested() else {
        return Ok(collection::complete(CollectionOrder::Ordered, collection_id, &items));
    };
    let has_next = u64::from(offset) + u64::from(MAX_CONTEXT_POSTS) < total;
    Ok(collection::page(CollectionOrder::Ordered, collection_id, number, &items, has_next))
}

/// The `replies` collection of a critic's reply.
pub(in crate::web) async fn note_replies(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let app = &state.app;
    let found = note::load(&state, &id).await?;
    let is_public = found.is_public();
    let reply = found.reply;
    if !is_public {
        return Err(WebError::Gone);
    }
    let (note, collection_id) = (app.origin.note(reply.id), app.origin.note_collection(reply.id, "replies"));
    let total = comments::count_replies(&app.db, &note).await?;
    let Some(number) = query.requested() else {
        return Ok(activity_json(&collection::paged(CollectionOrder::Unordered, &collection_id, total)));
    };
    let offset = query.offset(PAGE_SIZE);
    let items = comments::list_reply_uris(&app.db, &note, PAGE_SIZE, offset).await?;
    let items: Vec<Value> = items.into_iter().map(Value::String).collect();
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(activity_json(&collection::page(CollectionOrder::Unordered, &collection_id, number, &items, has_next)))
}
