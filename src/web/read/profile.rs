//! A critic's page.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::{A_PAGE, Shown, pages_of, with_form};
use crate::store::{critics, reviews};
use crate::web::error::WebError;
use crate::web::fedi::actor;
use crate::web::negotiate::{prefers_activity, with_alternate};
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
    let total = reviews::count_public(db, Some(critic.id)).await?;
    let found = reviews::newest(db, Some(critic.id), A_PAGE, query.offset(A_PAGE)).await?;
    let shown = Shown::of(&state, found).await?;
    let (page, pages) = (query.number(), pages_of(total));
    let page = ProfilePage { critic: &critic, reviews: &shown.listed(), total, page, pages };
    let page = with_form(state.pages.profile(&page)?);
    Ok(with_alternate(page, &state.app.origin.actor(critic.id)))
}
