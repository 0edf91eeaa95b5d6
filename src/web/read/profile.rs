//! A critic's page.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::{A_PAGE, Shown, form_policy, kept_page, pages_of};
use crate::domain::id::CriticId;
use crate::store::shelves::Shelf;
use crate::store::{critics, reviews, shelves};
use crate::web::cache::{Kind, Made};
use crate::web::error::WebError;
use crate::web::fedi::actor;
use crate::web::negotiate::{alternate, prefers_activity};
use crate::web::page_query::PageQuery;
use crate::web::pages::ProfilePage;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(handle): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let name = handle.strip_prefix('@').ok_or(WebError::NotFound)?;
    // People copy the whole handle into the address: `@critic@this.site`.
    let name = name.strip_suffix(&format!("@{}", state.app.handle_domain())).unwrap_or(name);
    let critic = critics::by_handle(db, name).await?.ok_or(WebError::NotFound)?;
    if prefers_activity(&headers) {
        return actor::document(&state, &critic).await;
    }
    if name != critic.profile.handle {
        return Ok(Redirect::permanent(state.app.origin.profile_page(&critic.profile.handle).as_str())
            .into_response());
    }
    let named = format!("@{}?page={}", critic.profile.handle, query.number());
    let make = || page(&state, critic.id, &query);
    state.cache.answer(&state.app, (Kind::List, &named), &headers, make).await
}

async fn page(state: &WebState, critic: CriticId, query: &PageQuery) -> Result<Made, WebError> {
    let db = &state.app.db;
    // As it stands now: what was read before may be older than what the page is kept for.
    let critic = critics::by_id(db, critic).await?.ok_or(WebError::NotFound)?;
    let total = shelves::total(db, &Shelf::of(critic.id)).await?;
    let (page, pages) = (query.number(), pages_of(total));
    if page > pages {
        return Err(WebError::NotFound);
    }
    let found = reviews::on_shelf(db, &Shelf::of(critic.id), A_PAGE, query.offset(A_PAGE)).await?;
    let shown = Shown::of(state, found).await?;
    let shown = ProfilePage { critic: &critic, reviews: &shown.listed(), total, page, pages };
    let text = state.pages.profile(&shown)?;
    Ok(kept_page(
        state,
        text,
        alternate(&state.app.origin.actor(critic.id)).into_iter().chain([form_policy()]),
    ))
}
