//! Serves critics and the instance as ActivityPub actors, with the collections of a critic.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use url::Url;

use super::activity_json;
use crate::domain::critic::Critic;
use crate::federation::vocab::collection::{self, CollectionOrder};
use crate::federation::vocab::{activity, actor, article};
use crate::flows::keys::KeyOwner;
use crate::flows::{profile, publish};
use crate::store::browse_index::BrowseQuery;
use crate::store::{browse_index, critics, followers, reviews};
use crate::web::content_negotiation::prefers_html;
use crate::web::error::WebError;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// Items on one page of a collection.
pub(super) const PAGE_SIZE: u32 = 20;

/// Size of the `featured` collection, which Mastodon shows on a profile that it sees for the first time.
const MAX_FEATURED: u32 = 10;

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
    let critic = critic(&state, &id).await?;
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

async fn critic(state: &WebState, id: &str) -> Result<Critic, WebError> {
    let id = id.parse().map_err(|_| WebError::NotFound)?;
    critics::find(&state.app.db, id).await?.ok_or(WebError::NotFound)
}

pub(in crate::web) async fn collection(
    State(state): State<WebState>,
    Path((id, part)): Path<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let critic = critic(&state, &id).await?;
    let address = state.app.origin.actor_endpoint(critic.id, &part);
    let document = match part.as_str() {
        "outbox" => outbox(&state, &critic, &address, &query).await?,
        "followers" => follower_list(&state, &critic, &address, &query).await?,
        "following" => collection::count_only(CollectionOrder::Ordered, &address, 0),
        "featured" => {
            let newest =
                reviews::list_matching(&state.app.db, &BrowseQuery::for_critic(critic.id), MAX_FEATURED, 0)
                    .await?;
            let ids = newest.iter().map(|review| state.app.origin.article(review.id));
            collection::complete(CollectionOrder::Ordered, &address, &collection::id_items(ids))
        }
        _ => return Err(WebError::NotFound),
    };
    Ok(activity_json(&document))
}

/// The outbox: all public reviews, newest first. Archive reviews are included although their Create was never sent.
async fn outbox(
    state: &WebState,
    critic: &Critic,
    address: &Url,
    query: &PageQuery,
) -> Result<Value, WebError> {
    let app = &state.app;
    let total = browse_index::count_reviews(&app.db, &BrowseQuery::for_critic(critic.id)).await?;
    let Some(number) = query.requested() else {
        return Ok(collection::paged(CollectionOrder::Ordered, address, total));
    };
    let offset = query.offset(PAGE_SIZE);
    let found =
        reviews::list_matching(&app.db, &BrowseQuery::for_critic(critic.id), PAGE_SIZE, offset).await?;
    let mut items = Vec::with_capacity(found.len());
    for review in &found {
        let counts = publish::interaction_counts(app, review.id).await?;
        let object = article::article(&app.origin, critic, review, counts);
        items.push(activity::create(&app.origin, review.create_activity, review, &object));
    }
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(collection::page(CollectionOrder::Ordered, address, number, &items, has_next))
}

async fn follower_list(
    state: &WebState,
    critic: &Critic,
    address: &Url,
    query: &PageQuery,
) -> Result<Value, WebError> {
    let db = &state.app.db;
    let total = followers::count_followers(db, critic.id).await?;
    if critic.profile.hide_followers {
        // The number of followers is public, their names are not.
        return match query.requested() {
            None => Ok(collection::count_only(CollectionOrder::Ordered, address, total)),
            Some(_) => Err(WebError::NotFound),
        };
    }
    let Some(number) = query.requested() else {
        return Ok(collection::paged(CollectionOrder::Ordered, address, total));
    };
    let offset = query.offset(PAGE_SIZE);
    let found = followers::list_actors(db, critic.id, PAGE_SIZE, offset).await?;
    let items: Vec<Value> = found.into_iter().map(Value::String).collect();
    let has_next = u64::from(offset) + u64::from(PAGE_SIZE) < total;
    Ok(collection::page(CollectionOrder::Ordered, address, number, &items, has_next))
}
