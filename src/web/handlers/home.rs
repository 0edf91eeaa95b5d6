//! Loads the front page.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::review_list::ReviewList;
use super::{cacheable_page, form_content_security_policy};
use crate::store::browse_index::BrowseQuery;
use crate::store::{browse_index, critics, reviews};
use crate::web::activitypub::actor;
use crate::web::content_negotiation::{alternate_link, prefers_activity};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pages::HomePage;
use crate::web::state::WebState;

/// How many reviews the front page lists.
const MAX_NEWEST: u32 = 12;

const CACHE_KEY: CacheKey<'static> = CacheKind::List.key("/");

/// The key of the cached page, for the fast path.
pub(in crate::web) fn cache_key<'a>(_: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    (!prefers_activity(request.headers())).then_some(CACHE_KEY)
}

/// The front page. On a site with one critic, servers that ask for ActivityPub get that critic's actor.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if prefers_activity(&headers)
        && let [critic] = &critics::list_all(&state.app.db).await?[..]
    {
        return actor::document(&state, critic).await;
    }
    let render = || page(&state);
    state.cache.get_or_render(&state.app, CACHE_KEY, &headers, render).await
}

async fn page(state: &WebState) -> Result<Rendered, WebError> {
    let db = &state.app.db;
    let list = ReviewList::load(state, reviews::list_matching(db, &BrowseQuery::all(), MAX_NEWEST, 0).await?)
        .await?;
    let total = browse_index::count_reviews(db, &BrowseQuery::all()).await?;
    let page = HomePage { critics: &list.critics, newest: &list.listed(), total };
    let page = state.pages.home(&page)?;
    let document = match &list.critics[..] {
        [critic] => alternate_link(&state.app.origin.actor(critic.id)),
        _ => None,
    };
    Ok(cacheable_page(state, page, document.into_iter().chain([form_content_security_policy()])))
}
