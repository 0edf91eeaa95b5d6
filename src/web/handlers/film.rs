//! Loads the page of a film.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::cacheable_page;
use super::review_list::{PAGE_SIZE, ReviewListPage, cached_list, find_term};
use crate::domain::browse_index::BrowseKind;
use crate::domain::film::Film;
use crate::store::browse_index::BrowseQuery;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::pages::FilmPage;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// Reviews of a film.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || async {
        find_term(&state, BrowseKind::Film, &slug).await?;
        let filter = BrowseQuery::new(BrowseKind::Film, &slug);
        let list_page = ReviewListPage::load(&state, &filter, &query).await?;
        // All pages describe the film in the same way: by the reviews on the first page.
        let first = match list_page.page {
            1 => Vec::new(),
            _ => reviews::list_matching(&state.app.db, &filter, PAGE_SIZE, 0).await?,
        };
        let newest = if list_page.page == 1 { &list_page.list.reviews } else { &first };
        let known_people = |film: &&Film| film.directors.len() + film.writers.len() + film.stars.len();
        let film = newest.iter().rev().map(|review| &review.content.film).max_by_key(known_people);
        let page = FilmPage {
            slug: &slug,
            film: film.ok_or(WebError::NotFound)?,
            newest: newest.first().ok_or(WebError::NotFound)?,
            reviews: &list_page.list.listed(),
            total: list_page.total,
            several_critics: list_page.several_critics(),
            page: list_page.page,
            pages: list_page.pages,
        };
        Ok(cacheable_page(&state, state.pages.film(&page)?, None))
    };
    cached_list(&state, &format!("/films/{slug}"), &query, &headers, render).await
}
