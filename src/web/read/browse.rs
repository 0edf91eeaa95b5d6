//! Ways into the archive.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;

use super::{kept_page, listing};
use crate::domain::shelf::Kind;
use crate::store::shelves::{self, Label, Shelf};
use crate::web::cache::{self, Made};
use crate::web::error::WebError;
use crate::web::page_query::PageQuery;
use crate::web::pages::{BrowsePage, Index, IndexPage, Labelled};
use crate::web::state::WebState;

/// Shelves on one page of an index.
const A_PAGE: u32 = 120;

/// Tags and people at a glance.
const FULLEST: u32 = 30;

/// Ratings that are different; more than any critic has.
const MOST_RATINGS: u32 = 120;

fn labelled(labels: &[Label]) -> Vec<Labelled<'_>> {
    labels.iter().map(|Label { slug, name, total }| Labelled { slug, name, total: *total }).collect()
}

/// All ways at a glance.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make = || page(&state);
    state.cache.answer(&state.app, (cache::Kind::List, "/browse"), &headers, make).await
}

async fn page(state: &WebState) -> Result<Made, WebError> {
    let db = &state.app.db;
    let ratings = shelves::in_order(db, Kind::Rating, "", MOST_RATINGS, 0).await?;
    let tags = shelves::fullest(db, Kind::Tag, FULLEST).await?;
    let people = shelves::fullest(db, Kind::Person, FULLEST).await?;
    let page = BrowsePage {
        total: shelves::total(db, &Shelf::all()).await?,
        years: &listing::years(state).await?,
        ratings: &labelled(&ratings),
        tags: &labelled(&tags),
        people: &labelled(&people),
    };
    Ok(kept_page(state, state.pages.browse(&page)?, None))
}

/// Which part of an index.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct LetterQuery {
    letter: Option<String>,
}

/// Films, people or tags from A to Z, by the address.
pub(in crate::web) async fn index(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
    Query(asked): Query<LetterQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (index, kind) = match uri.path() {
        "/films" => (Index::Films, Kind::Film),
        "/people" => (Index::People, Kind::Person),
        _ => (Index::Tags, Kind::Tag),
    };
    let letter = asked.letter.as_deref();
    if letter.is_some_and(|letter| letter.chars().count() != 1) {
        return Err(WebError::NotFound);
    }
    let make = || list(&state, index, kind, letter, &query);
    let named = format!("{}?letter={}&page={}", index.path(), letter.unwrap_or_default(), query.number());
    state.cache.answer(&state.app, (cache::Kind::List, &named), &headers, make).await
}

async fn list(
    state: &WebState,
    index: Index,
    kind: Kind,
    letter: Option<&str>,
    query: &PageQuery,
) -> Result<Made, WebError> {
    let db = &state.app.db;
    let start = letter.unwrap_or_default();
    let total = shelves::number(db, kind, start).await?;
    let pages = u32::try_from(total.div_ceil(u64::from(A_PAGE))).unwrap_or(u32::MAX).max(1);
    if query.number() > pages || (total == 0 && letter.is_some()) {
        return Err(WebError::NotFound);
    }
    let found = shelves::in_order(db, kind, start, A_PAGE, query.offset(A_PAGE)).await?;
    let page = IndexPage {
        index,
        letters: &shelves::letters(db, kind).await?,
        letter,
        shelves: &labelled(&found),
        total,
        page: query.number(),
        pages,
    };
    Ok(kept_page(state, state.pages.index(&page)?, None))
}
