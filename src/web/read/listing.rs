//! The archive, and its shelves.

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};

use super::{A_PAGE, Shown, pages_of};
use crate::domain::shelf::Kind;
use crate::store::reviews;
use crate::store::shelves::{self, Shelf};
use crate::web::error::WebError;
use crate::web::page_query::PageQuery;
use crate::web::pages::{self, ArchivePage};
use crate::web::state::WebState;

pub(in crate::web) async fn archive(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let total = shelves::total(db, &Shelf::all()).await?;
    let found = reviews::on_shelf(db, &Shelf::all(), A_PAGE, query.offset(A_PAGE)).await?;
    render(&state, pages::Shelf::All, found, total, &query).await
}

pub(in crate::web) async fn tag(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    let label = shelves::label(db, Kind::Tag, &slug).await?.ok_or(WebError::NotFound)?;
    let found = reviews::on_shelf(db, &Shelf::new(Kind::Tag, &slug), A_PAGE, query.offset(A_PAGE)).await?;
    render(&state, pages::Shelf::Tag(&label.name), found, label.total, &query).await
}

async fn render(
    state: &WebState,
    shelf: pages::Shelf<'_>,
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
