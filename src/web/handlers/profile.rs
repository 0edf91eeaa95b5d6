//! Loads the page of a critic.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::review_list::{PAGE_SIZE, ReviewList, page_count};
use super::{cacheable_page, form_content_security_policy};
use crate::domain::id::CriticId;
use crate::store::browse_index::BrowseQuery;
use crate::store::{browse_index, critics, reviews};
use crate::web::activitypub::actor;
use crate::web::content_negotiation::{alternate_link, prefers_activity};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::ProfilePage;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(handle): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let name = handle.strip_prefix('@').ok_or(WebError::NotFound)?;
    // People paste whole handles into the URL: `@critic@this.site`.
    let name = name.strip_suffix(&format!("@{}", state.app.handle_domain())).unwrap_or(name);
    let critic = critics::find_by_handle(db, name).await?.ok_or(WebError::NotFound)?;
    if prefers_activity(&headers) {
        return actor::document(&state, &critic).await;
    }
    if name != critic.profile.handle {
        return Ok(Redirect::permanent(state.app.origin.profile_page(&critic.profile.handle).as_str())
            .into_response());
    }
    let key = format!("@{}?page={}", critic.profile.handle, query.number());
    let render = || page(&state, critic.id, &query);
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), &headers, render).await
}

async fn page(state: &WebState, critic: CriticId, query: &PageQuery) -> Result<Rendered, WebError> {
    let db = &state.app.db;
    // Loaded again, since the critic that `show` loaded may be older than the version that the page is cached under.
    let critic = critics::find(db, critic).await?.ok_or(WebError::NotFound)?;
    let total = browse_index::count_reviews(db, &BrowseQuery::for_critic(critic.id)).await?;
    let (page, pages) = (query.number(), page_count(total));
    if page > pages {
        return Err(WebError::NotFound);
    }
    let found =
        reviews::list_matching(db, &BrowseQuery::for_critic(critic.id), PAGE_SIZE, query.offset(PAGE_SIZE))
            .await?;
    let list = ReviewList::load(state, found).await?;
    let list = ProfilePage { critic: &critic, reviews: &list.listed(), total, page, pages };
    let text = state.pages.profile(&list)?;
    Ok(cacheable_page(
        state,
        text,
        alternate_link(&state.app.origin.actor(critic.id))
            .into_iter()
            .chain([form_content_security_policy()]),
    ))
}
