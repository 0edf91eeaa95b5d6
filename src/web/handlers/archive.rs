//! Loads the archive: all reviews, and those with a tag, with a rating or of a year.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::cacheable_page;
use super::review_list::{ReviewListPage, cached_list, find_term, redirect_to_tag};
use crate::domain::browse_index::BrowseKind;
use crate::domain::local_year::{local_year, year_bounds};
use crate::domain::rating::Rating;
use crate::store::browse_index::{self, BrowseQuery};
use crate::web::error::WebError;
use crate::web::page_cache::Rendered;
use crate::web::pages::{ArchiveFilter, ArchivePage};
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// All reviews.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render_page = || async {
        let list_page = ReviewListPage::load(&state, &BrowseQuery::all(), &query).await?;
        render(&state, &list_page, ArchiveFilter::All)
    };
    cached_list(&state, "/reviews", &query, &headers, render_page).await
}

/// Reviews with a tag.
pub(in crate::web) async fn tag(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let rest = if query.number() > 1 { format!("?page={}", query.number()) } else { String::new() };
    if let Some(redirect) = redirect_to_tag(&state, &slug, &rest).await? {
        return Ok(redirect);
    }
    let render_page = || async {
        let term = find_term(&state, BrowseKind::Tag, &slug).await?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Tag, &slug), &query).await?;
        render(&state, &list_page, ArchiveFilter::Tag(&term.name))
    };
    cached_list(&state, &format!("/tags/{slug}"), &query, &headers, render_page).await
}

/// Reviews with a rating.
pub(in crate::web) async fn rating(
    State(state): State<WebState>,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render_page = || async {
        find_term(&state, BrowseKind::Rating, &key).await?;
        let rating = Rating::from_slug(&key).ok_or(WebError::NotFound)?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Rating, &key), &query).await?;
        render(&state, &list_page, ArchiveFilter::Rating(&rating))
    };
    cached_list(&state, &format!("/ratings/{key}"), &query, &headers, render_page).await
}

/// Reviews of a year.
pub(in crate::web) async fn year(
    State(state): State<WebState>,
    Path(text): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (db, site) = (&state.app.db, &state.app.site);
    let render_page = || async {
        // Each year has one path: `02024` is not found.
        let year = text.parse::<i16>().ok().filter(|year| year.to_string() == text);
        let year = year.ok_or(WebError::NotFound)?;
        let (first, last) = year_bounds(year, &site.timezone).ok_or(WebError::NotFound)?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::all().between(first, last), &query).await?;
        if list_page.total == 0 {
            return Err(WebError::NotFound);
        }
        let before =
            browse_index::previous_date(db, first).await?.map(|moment| local_year(moment, &site.timezone));
        let after = browse_index::next_date(db, last).await?.map(|moment| local_year(moment, &site.timezone));
        render(&state, &list_page, ArchiveFilter::Year(year, before, after))
    };
    cached_list(&state, &format!("/years/{text}"), &query, &headers, render_page).await
}

/// Renders a page of the archive, or of a part of it.
fn render(
    state: &WebState,
    list_page: &ReviewListPage,
    filter: ArchiveFilter<'_>,
) -> Result<Rendered, WebError> {
    let page = ArchivePage {
        filter,
        reviews: &list_page.list.listed(),
        total: list_page.total,
        several_critics: list_page.several_critics(),
        page: list_page.page,
        pages: list_page.pages,
    };
    Ok(cacheable_page(state, state.pages.archive(&page)?, None))
}
