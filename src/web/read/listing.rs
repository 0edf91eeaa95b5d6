//! The archive, and its shelves.

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};

use super::{A_PAGE, Shown, pages_of};
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::page_query::PageQuery;
use crate::web::pages::{ArchivePage, Shelf};
use crate::web::state::WebState;

pub(in crate::web) async fn archive(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let total = reviews::count_public(db, None).await?;
    let found = reviews::newest(db, None, A_PAGE, query.offset(A_PAGE)).await?;
    render(&state, Shelf::All, found, total, &query).await
}

pub(in crate::web) async fn tag(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let Some((name, total)) = reviews::tag(db, &slug).await? else {
        return Err(WebError::NotFound);
    };
    let found = reviews::tagged(db, &slug, A_PAGE, query.offset(A_PAGE)).await?;
    render(&state, Shelf::Tag(&name), found, total, &query).await
}

async fn render(
    state: &WebState,
    shelf: Shelf<'_>,
    found: Vec<crate::domain::review::Review>,
    total: u64,
    query: &PageQuery,
) -> Result<Response, WebError> {
    if found.is_empty() && query.number() > 1 {
        return Err(WebError::NotFound);
    }
    let shown = Shown::of(state, found).await?;
    let page = ArchivePage {
        shelf,
        reviews: &shown.listed(),
        total,
        several_critics: shown.critics.len() > 1,
        page: query.number(),
        pages: pages_of(total),
    };
    Ok(Html(state.pages.archive(&page)?).into_response())
}
