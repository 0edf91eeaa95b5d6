//! Lists of reviews: the archive, and those by tag, year, rating, film and person.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::{PAGE_SIZE, ReviewList, cacheable_page, page_count};
use crate::domain::browse_index::{BrowseKind, CreditRole};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::store::browse_index::{self, BrowseQuery, BrowseTerm};
use crate::store::{Result as Stored, reviews};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::{self, ArchivePage, FilmPage, PersonPage};
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// One page of a list.
struct ReviewListPage {
    list: ReviewList,
    total: u64,
    page: u32,
    pages: u32,
}

impl ReviewListPage {
    /// Loads a page of the list.
    ///
    /// # Errors
    /// [`WebError::NotFound`] beyond the last page.
    async fn load(state: &WebState, filter: &BrowseQuery, query: &PageQuery) -> Result<Self, WebError> {
        let db = &state.app.db;
        let total = browse_index::count_reviews(db, filter).await?;
        let (page, pages) = (query.number(), page_count(total));
        if page > pages {
            return Err(WebError::NotFound);
        }
        let found = reviews::list_matching(db, filter, PAGE_SIZE, query.offset(PAGE_SIZE)).await?;
        Ok(Self { list: ReviewList::load(state, found).await?, total, page, pages })
    }

    fn several_critics(&self) -> bool {
        self.list.critics.len() > 1
    }

    fn archive(&self, state: &WebState, filter: pages::ArchiveFilter<'_>) -> Result<Rendered, WebError> {
        let page = ArchivePage {
            filter,
            reviews: &self.list.listed(),
            total: self.total,
            several_critics: self.several_critics(),
            page: self.page,
            pages: self.pages,
        };
        Ok(cacheable_page(state, state.pages.archive(&page)?, None))
    }
}

/// Serves a page of a list from the cache. The key is the decoded path, since one list can be spelled in several ways.
async fn cached_list<M>(
    state: &WebState,
    list: &str,
    query: &PageQuery,
    headers: &HeaderMap,
    render: impl FnOnce() -> M,
) -> Result<Response, WebError>
where
    M: Future<Output = Result<Rendered, WebError>>,
{
    let key = format!("{list}?page={}", query.number());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), headers, render).await
}

async fn label(state: &WebState, kind: BrowseKind, slug: &str) -> Result<BrowseTerm, WebError> {
    browse_index::find_term(&state.app.db, kind, slug).await?.ok_or(WebError::NotFound)
}

/// All reviews.
pub(in crate::web) async fn archive(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || async {
        ReviewListPage::load(&state, &BrowseQuery::all(), &query)
            .await?
            .archive(&state, pages::ArchiveFilter::All)
    };
    cached_list(&state, "/reviews", &query, &headers, render).await
}

/// Reviews with a tag.
pub(in crate::web) async fn tag(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || async {
        let label = label(&state, BrowseKind::Tag, &slug).await?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Tag, &slug), &query).await?;
        list_page.archive(&state, pages::ArchiveFilter::Tag(&label.name))
    };
    cached_list(&state, &format!("/tags/{slug}"), &query, &headers, render).await
}

/// Reviews with a rating.
pub(in crate::web) async fn rating(
    State(state): State<WebState>,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || async {
        label(&state, BrowseKind::Rating, &key).await?;
        let rating = Rating::from_slug(&key).ok_or(WebError::NotFound)?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Rating, &key), &query).await?;
        list_page.archive(&state, pages::ArchiveFilter::Rating(&rating))
    };
    cached_list(&state, &format!("/ratings/{key}"), &query, &headers, render).await
}

/// Reviews of a year.
pub(in crate::web) async fn year(
    State(state): State<WebState>,
    Path(text): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (db, site) = (&state.app.db, &state.app.site);
    let render = || async {
        // Each year has one path: `02024` is not found.
        let year = text.parse::<i16>().ok().filter(|year| year.to_string() == text);
        let year = year.ok_or(WebError::NotFound)?;
        let (first, last) = site.year_bounds(year).ok_or(WebError::NotFound)?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::all().between(first, last), &query).await?;
        if list_page.total == 0 {
            return Err(WebError::NotFound);
        }
        let before = browse_index::previous_date(db, first).await?.map(|moment| site.local_year(moment));
        let after = browse_index::next_date(db, last).await?.map(|moment| site.local_year(moment));
        list_page.archive(&state, pages::ArchiveFilter::Year(year, before, after))
    };
    cached_list(&state, &format!("/years/{text}"), &query, &headers, render).await
}

/// Reviews of a film.
pub(in crate::web) async fn film(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let render = || async {
        label(&state, BrowseKind::Film, &slug).await?;
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

/// `?as=ROLE`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct RoleQuery {
    #[serde(default, rename = "as")]
    role: Option<String>,
}

/// Reviews of films by or with a person.
pub(in crate::web) async fn person(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    Query(role_query): Query<RoleQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let role = match role_query.role.as_deref() {
        None => None,
        Some(name) => Some(name.parse::<CreditRole>().map_err(|_| WebError::NotFound)?),
    };
    let render = || async {
        let label = label(&state, BrowseKind::Person, &slug).await?;
        let roles = browse_index::count_roles(&state.app.db, &slug).await?;
        let list_page =
            ReviewListPage::load(&state, &BrowseQuery::new(BrowseKind::Person, &slug).in_role(role), &query)
                .await?;
        if list_page.total == 0 {
            return Err(WebError::NotFound);
        }
        let page = PersonPage {
            slug: &slug,
            name: &label.name,
            roles,
            role,
            reviews: &list_page.list.listed(),
            total: list_page.total,
            of_all: label.total,
            several_critics: list_page.several_critics(),
            page: list_page.page,
            pages: list_page.pages,
        };
        Ok(cacheable_page(&state, state.pages.person(&page)?, None))
    };
    let role = role.map_or("", CreditRole::as_str);
    let key = format!("/people/{slug}?as={role}&page={}", query.number());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), &headers, render).await
}

/// The years with reviews, newest first, and the number of reviews in each.
pub(super) async fn years(state: &WebState) -> Stored<Vec<(i16, u64)>> {
    let (db, site) = (&state.app.db, &state.app.site);
    let mut years = Vec::new();
    let mut next = browse_index::date_span(db).await?.map(|(_, last)| last);
    // Jumps from one year with reviews to the next, since the years between may be empty.
    while let Some(moment) = next
        && years.len() < MAX_YEARS
    {
        let year = site.local_year(moment);
        let Some((first, last)) = site.year_bounds(year) else { break };
        years.push((year, browse_index::count_reviews(db, &BrowseQuery::all().between(first, last)).await?));
        next = browse_index::previous_date(db, first).await?;
    }
    Ok(years)
}

/// Most years that are listed; film is not much older.
const MAX_YEARS: usize = 150;
