//! Runs searches. A query consists of words and filters, all of which are validated. Results are not cached, and a
//! search costs more than any other page, so only a few run at the same time (`work_queue`).

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::review_list::ReviewList;
use crate::domain::browse_index::{BrowseKind, browse_slug};
use crate::domain::local_year::{local_year, year_bounds};
use crate::domain::rating::Rating;
use crate::domain::search::{self, MAX_QUERY_LENGTH, SearchTerm};
use crate::domain::time::Timestamp;
use crate::store::search::SearchCriteria;
use crate::store::{browse_index, critics, reviews, search as index};
use crate::web::error::WebError;
use crate::web::pages::{SearchFilters, SearchPage, SearchProblem};
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// How many results a page has.
const PAGE_SIZE: u32 = 20;

/// How many results are counted; beyond that the page says "more than".
const MAX_RESULTS: u32 = 1_000;

/// How many ratings the filter offers.
const MAX_RATINGS: u32 = 60;

/// The query parameters.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct SearchQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    year: String,
    #[serde(default)]
    rating: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    critic: String,
}

/// The query after validation.
struct ParsedSearch {
    words: Vec<SearchTerm>,
    tokens: Vec<String>,
    span: Option<(Timestamp, Timestamp)>,
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Query(query): Query<SearchQuery>,
    Query(page_query): Query<PageQuery>,
) -> Result<Response, WebError> {
    let SearchQuery { q, year, rating, tag, person, critic } = query;
    let filters = SearchFilters { q, year, rating, tag, person, critic };
    let is_long = |text: &str| text.chars().count() > MAX_QUERY_LENGTH;
    if [&filters.q, &filters.tag, &filters.person, &filters.critic].into_iter().any(|text| is_long(text)) {
        let page =
            render(&state, SearchFilters::default(), None, &page_query, Some(SearchProblem::TooLong)).await?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    }
    if filters.is_empty() {
        return Ok(render(&state, filters, None, &page_query, None).await?.into_response());
    }
    let request = parse_filters(&state, &filters).await?;
    let is_without_words = !filters.q.trim().is_empty() && request.words.is_empty();
    if is_without_words && request.tokens.is_empty() && request.span.is_none() {
        return Ok(render(&state, filters, None, &page_query, Some(SearchProblem::NoWord))
            .await?
            .into_response());
    }
    Ok(render(&state, filters, Some(request), &page_query, None).await?.into_response())
}

/// Validates the filters. An unknown year, rating or critic is a bad request; an unknown tag or person matches nothing.
async fn parse_filters(state: &WebState, filters: &SearchFilters) -> Result<ParsedSearch, WebError> {
    let unknown = |filter: &str| WebError::BadRequest(format!("unknown {filter}"));
    let mut tokens = Vec::new();
    let non_empty = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut span = None;
    if let Some(year) = non_empty(&filters.year) {
        let year = year.parse().ok().and_then(|year| year_bounds(year, &state.app.site.timezone));
        span = Some(year.ok_or_else(|| unknown("year"))?);
    }
    if let Some(key) = non_empty(&filters.rating) {
        let rating = Rating::from_slug(&key).ok_or_else(|| unknown("rating"))?;
        tokens.push(search::min_rating_filter(rating.rank()));
    }
    if let Some(tag) = non_empty(&filters.tag) {
        tokens.push(search::tag_filter(&browse_slug(tag.trim_start_matches('#'))));
    }
    let mut words = search::parse_query(&filters.q);
    if let Some(person) = non_empty(&filters.person) {
        let slug = browse_slug(&person);
        let parts = search::parse_query(&person);
        if parts.is_empty()
            || browse_index::find_term(&state.app.db, BrowseKind::Person, &slug).await?.is_some()
        {
            tokens.push(search::person_filter(&slug));
        } else {
            // Part of a name: its words are searched like any others.
            words.extend(parts);
            words.truncate(search::MAX_QUERY_WORDS);
        }
    }
    if let Some(handle) = non_empty(&filters.critic) {
        let critic = critics::find_by_handle(&state.app.db, handle.trim_start_matches('@')).await?;
        tokens.push(search::critic_filter(critic.ok_or_else(|| unknown("critic"))?.id));
    }
    Ok(ParsedSearch { words, tokens, span })
}

async fn render(
    state: &WebState,
    filters: SearchFilters,
    request: Option<ParsedSearch>,
    page_query: &PageQuery,
    problem: Option<SearchProblem>,
) -> Result<impl IntoResponse + use<>, WebError> {
    let db = &state.app.db;
    let permit = match request {
        Some(_) => Some(state.search_queue.0.acquire().await?),
        None => None,
    };
    let (mut found, mut total) = (Vec::new(), 0);
    if let Some(ParsedSearch { words, tokens, span }) = &request {
        let criteria = SearchCriteria { words, marks: tokens, span: *span };
        total = index::count_matches(db, &criteria, MAX_RESULTS + 1).await?;
        if page_query.number() > page_count(total) {
            return Err(WebError::NotFound);
        }
        let ids = index::find(db, &criteria, PAGE_SIZE, page_query.offset(PAGE_SIZE)).await?;
        found = reviews::list_by_ids(db, &ids).await?;
    }
    let shown = ReviewList::load(state, found).await?;
    let ratings = browse_index::list_terms(db, BrowseKind::Rating, "", MAX_RATINGS, 0).await?;
    let ratings: Vec<Rating> = ratings.iter().filter_map(|term| Rating::parse(&term.name)).collect();
    let years = browse_index::date_span(db).await?;
    let zone = &state.app.site.timezone;
    let years = years.map(|(first, last)| (local_year(first, zone), local_year(last, zone)));
    let (pages, page) = (Arc::clone(&state.pages), page_query.number());
    let render_page = move || {
        let listed = shown.listed();
        pages.search(&SearchPage {
            filters: &filters,
            words: request.as_ref().map_or(&[], |request| &request.words),
            found: request.as_ref().map(|_| &listed[..]),
            total,
            max_total: u64::from(MAX_RESULTS),
            problem,
            critics: &shown.critics,
            ratings: &ratings,
            years,
            page,
            pages: page_count(total),
        })
    };
    let page = match permit {
        Some(permit) => permit.run(render_page).await?,
        None => render_page()?,
    };
    Ok(([(header::CACHE_CONTROL, "no-cache")], Html(page)))
}

fn page_count(total: u64) -> u32 {
    u32::try_from(total).unwrap_or(MAX_RESULTS).min(MAX_RESULTS).div_ceil(PAGE_SIZE).max(1)
}
