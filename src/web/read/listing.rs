//! The archive, and its shelves: by tag, by year, by rating, by film, by person.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::{A_PAGE, Shown, kept_page, pages_of};
use crate::domain::film::Film;
use crate::domain::rating::Rating;
use crate::domain::shelf::{Kind, Role};
use crate::store::shelves::{self, Label, Shelf};
use crate::store::{Result as Stored, reviews};
use crate::web::cache::{self, Made};
use crate::web::error::WebError;
use crate::web::page_query::PageQuery;
use crate::web::pages::{self, ArchivePage, FilmPage, PersonPage};
use crate::web::state::WebState;

/// One page of a shelf.
struct Leaf {
    shown: Shown,
    total: u64,
    page: u32,
    pages: u32,
}

impl Leaf {
    /// Reads it; there is none beyond the last one.
    async fn read(state: &WebState, shelf: &Shelf, query: &PageQuery) -> Result<Self, WebError> {
        let db = &state.app.db;
        let total = shelves::total(db, shelf).await?;
        let (page, pages) = (query.number(), pages_of(total));
        if page > pages {
            return Err(WebError::NotFound);
        }
        let found = reviews::on_shelf(db, shelf, A_PAGE, query.offset(A_PAGE)).await?;
        Ok(Self { shown: Shown::of(state, found).await?, total, page, pages })
    }

    fn several_critics(&self) -> bool {
        self.shown.critics.len() > 1
    }

    fn archive(&self, state: &WebState, of: pages::Shelf<'_>) -> Result<Made, WebError> {
        let page = ArchivePage {
            shelf: of,
            reviews: &self.shown.listed(),
            total: self.total,
            several_critics: self.several_critics(),
            page: self.page,
            pages: self.pages,
        };
        Ok(kept_page(state, state.pages.archive(&page)?, None))
    }
}

/// Answers with a page of a list that is kept until a list changes, by the list's address as it reads without escapes:
/// one list has many spellings.
async fn kept<M>(
    state: &WebState,
    list: &str,
    query: &PageQuery,
    headers: &HeaderMap,
    make: impl FnOnce() -> M,
) -> Result<Response, WebError>
where
    M: Future<Output = Result<Made, WebError>>,
{
    let named = format!("{list}?page={}", query.number());
    state.cache.answer(&state.app, (cache::Kind::List, &named), headers, make).await
}

async fn label(state: &WebState, kind: Kind, slug: &str) -> Result<Label, WebError> {
    shelves::label(&state.app.db, kind, slug).await?.ok_or(WebError::NotFound)
}

/// All reviews.
pub(in crate::web) async fn archive(
    State(state): State<WebState>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make =
        || async { Leaf::read(&state, &Shelf::all(), &query).await?.archive(&state, pages::Shelf::All) };
    kept(&state, "/reviews", &query, &headers, make).await
}

/// Those with a tag.
pub(in crate::web) async fn tag(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make = || async {
        let label = label(&state, Kind::Tag, &slug).await?;
        let leaf = Leaf::read(&state, &Shelf::new(Kind::Tag, &slug), &query).await?;
        leaf.archive(&state, pages::Shelf::Tag(&label.name))
    };
    kept(&state, &format!("/tags/{slug}"), &query, &headers, make).await
}

/// Those with a rating.
pub(in crate::web) async fn rating(
    State(state): State<WebState>,
    Path(key): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make = || async {
        label(&state, Kind::Rating, &key).await?;
        let rating = Rating::from_key(&key).ok_or(WebError::NotFound)?;
        let leaf = Leaf::read(&state, &Shelf::new(Kind::Rating, &key), &query).await?;
        leaf.archive(&state, pages::Shelf::Rating(&rating))
    };
    kept(&state, &format!("/ratings/{key}"), &query, &headers, make).await
}

/// Those written in a year.
pub(in crate::web) async fn year(
    State(state): State<WebState>,
    Path(text): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (db, site) = (&state.app.db, &state.app.site);
    let make = || async {
        // One address a year: `02024` is none.
        let year = text.parse::<i16>().ok().filter(|year| year.to_string() == text);
        let year = year.ok_or(WebError::NotFound)?;
        let (first, last) = site.year(year).ok_or(WebError::NotFound)?;
        let leaf = Leaf::read(&state, &Shelf::all().between(first, last), &query).await?;
        if leaf.total == 0 {
            return Err(WebError::NotFound);
        }
        let before = shelves::last_before(db, first).await?.map(|moment| site.year_of(moment));
        let after = shelves::first_after(db, last).await?.map(|moment| site.year_of(moment));
        leaf.archive(&state, pages::Shelf::Year(year, before, after))
    };
    kept(&state, &format!("/years/{text}"), &query, &headers, make).await
}

/// Those of a film.
pub(in crate::web) async fn film(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make = || async {
        label(&state, Kind::Film, &slug).await?;
        let shelf = Shelf::new(Kind::Film, &slug);
        let leaf = Leaf::read(&state, &shelf, &query).await?;
        // It is told alike on all pages: by the reviews of the first.
        let first = match leaf.page {
            1 => Vec::new(),
            _ => reviews::on_shelf(&state.app.db, &shelf, A_PAGE, 0).await?,
        };
        let newest = if leaf.page == 1 { &leaf.shown.reviews } else { &first };
        let told = |film: &&Film| film.directors.len() + film.writers.len() + film.stars.len();
        let film = newest.iter().rev().map(|review| &review.draft.film).max_by_key(told);
        let page = FilmPage {
            slug: &slug,
            film: film.ok_or(WebError::NotFound)?,
            newest: newest.first().ok_or(WebError::NotFound)?,
            reviews: &leaf.shown.listed(),
            total: leaf.total,
            several_critics: leaf.several_critics(),
            page: leaf.page,
            pages: leaf.pages,
        };
        Ok(kept_page(&state, state.pages.film(&page)?, None))
    };
    kept(&state, &format!("/films/{slug}"), &query, &headers, make).await
}

/// Which of a person's films.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct RoleQuery {
    #[serde(default, rename = "as")]
    role: Option<String>,
}

/// Those of films by or with somebody.
pub(in crate::web) async fn person(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<PageQuery>,
    Query(asked): Query<RoleQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let role = match asked.role.as_deref() {
        None => None,
        Some(name) => Some(Role::parse(name).ok_or(WebError::NotFound)?),
    };
    let make = || async {
        let label = label(&state, Kind::Person, &slug).await?;
        let roles = shelves::roles(&state.app.db, &slug).await?;
        let leaf = Leaf::read(&state, &Shelf::new(Kind::Person, &slug).in_role(role), &query).await?;
        if leaf.total == 0 {
            return Err(WebError::NotFound);
        }
        let page = PersonPage {
            slug: &slug,
            name: &label.name,
            roles,
            role,
            reviews: &leaf.shown.listed(),
            total: leaf.total,
            of_all: label.total,
            several_critics: leaf.several_critics(),
            page: leaf.page,
            pages: leaf.pages,
        };
        Ok(kept_page(&state, state.pages.person(&page)?, None))
    };
    let role = role.map_or("", Role::as_str);
    let named = format!("/people/{slug}?as={role}&page={}", query.number());
    state.cache.answer(&state.app, (cache::Kind::List, &named), &headers, make).await
}

/// The years in which reviews were written, the newest first, and how many in each.
pub(super) async fn years(state: &WebState) -> Stored<Vec<(i16, u64)>> {
    let (db, site) = (&state.app.db, &state.app.site);
    let mut years = Vec::new();
    let mut next = shelves::span(db).await?.map(|(_, last)| last);
    // From one year that has any to the next: dates may be odd, and years between them empty.
    while let Some(moment) = next
        && years.len() < MOST_YEARS
    {
        let year = site.year_of(moment);
        let Some((first, last)) = site.year(year) else { break };
        years.push((year, shelves::total(db, &Shelf::all().between(first, last)).await?));
        next = shelves::last_before(db, first).await?;
    }
    Ok(years)
}

/// Films are younger than that.
const MOST_YEARS: usize = 150;
