//! Loads the browse page, and the indexes of films, people and tags from A to Z.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;

use super::cacheable_page;
use crate::domain::browse_index::BrowseKind;
use crate::domain::local_year::{local_year, year_bounds};
use crate::store::Result as Stored;
use crate::store::browse_index::{self, BrowseQuery, BrowseTerm};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::{BrowsePage, IndexEntry, IndexKind, IndexPage};
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// How many entries a page of an index has.
const PAGE_SIZE: u32 = 120;

/// How many tags, and how many people, the browse page lists.
const MAX_TOP_ENTRIES: u32 = 30;

/// How many years the browse page lists; film is not much older.
const MAX_YEARS: usize = 150;

/// How many ratings the browse page lists; no critic uses more different ones.
const MAX_RATINGS: u32 = 120;

fn index_entries(terms: &[BrowseTerm]) -> Vec<IndexEntry<'_>> {
    terms.iter().map(|BrowseTerm { slug, name, total }| IndexEntry { slug, name, total: *total }).collect()
}

/// The browse page.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || page(&state);
    state.cache.get_or_render(&state.app, CacheKind::List.key("/browse"), &headers, render).await
}

async fn page(state: &WebState) -> Result<Rendered, WebError> {
    let db = &state.app.db;
    let ratings = browse_index::list_terms(db, BrowseKind::Rating, "", MAX_RATINGS, 0).await?;
    let tags = browse_index::list_largest_terms(db, BrowseKind::Tag, MAX_TOP_ENTRIES).await?;
    let people = browse_index::list_largest_terms(db, BrowseKind::Person, MAX_TOP_ENTRIES).await?;
    let page = BrowsePage {
        total: browse_index::count_reviews(db, &BrowseQuery::all()).await?,
        years: &years(state).await?,
        ratings: &index_entries(&ratings),
        tags: &index_entries(&tags),
        people: &index_entries(&people),
    };
    Ok(cacheable_page(state, state.pages.browse(&page)?, None))
}

/// The query `?letter=L`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct InitialQuery {
    letter: Option<String>,
}

/// The index of films, people or tags, depending on the path.
pub(in crate::web) async fn index(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
    Query(initial_query): Query<InitialQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (index, kind) = match uri.path() {
        "/films" => (IndexKind::Films, BrowseKind::Film),
        "/people" => (IndexKind::People, BrowseKind::Person),
        _ => (IndexKind::Tags, BrowseKind::Tag),
    };
    let initial = initial_query.letter.as_deref();
    if initial.is_some_and(|initial| initial.chars().count() != 1) {
        return Err(WebError::NotFound);
    }
    let render = || list(&state, index, kind, initial, &query);
    let key = format!("{}?letter={}&page={}", index.path(), initial.unwrap_or_default(), query.number());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), &headers, render).await
}

async fn list(
    state: &WebState,
    index: IndexKind,
    kind: BrowseKind,
    initial: Option<&str>,
    query: &PageQuery,
) -> Result<Rendered, WebError> {
    let db = &state.app.db;
    let start = initial.unwrap_or_default();
    let total = browse_index::count_terms(db, kind, start).await?;
    let pages = u32::try_from(total.div_ceil(u64::from(PAGE_SIZE))).unwrap_or(u32::MAX).max(1);
    if query.number() > pages || (total == 0 && initial.is_some()) {
        return Err(WebError::NotFound);
    }
    let found = browse_index::list_terms(db, kind, start, PAGE_SIZE, query.offset(PAGE_SIZE)).await?;
    let page = IndexPage {
        index,
        initials: &browse_index::list_initials(db, kind).await?,
        initial,
        entries: &index_entries(&found),
        total,
        page: query.number(),
        pages,
    };
    Ok(cacheable_page(state, state.pages.index(&page)?, None))
}

/// The years with reviews, newest first, and the number of reviews in each.
async fn years(state: &WebState) -> Stored<Vec<(i16, u64)>> {
    let (db, site) = (&state.app.db, &state.app.site);
    let mut years = Vec::new();
    let mut next = browse_index::date_span(db).await?.map(|(_, last)| last);
    // Jumps from one year with reviews to the next, since the years between may be empty.
    while let Some(moment) = next
        && years.len() < MAX_YEARS
    {
        let year = local_year(moment, &site.timezone);
        let Some((first, last)) = year_bounds(year, &site.timezone) else { break };
        years.push((year, browse_index::count_reviews(db, &BrowseQuery::all().between(first, last)).await?));
        next = browse_index::previous_date(db, first).await?;
    }
    Ok(years)
}
