//! Loads the sitemap (sitemaps.org): an index, and parts of limited size. The oldest pages come first and new pages go
//! into the last part, so that the other parts do not change.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::browse_index::BrowseKind;
use crate::store::browse_index::BrowseQuery;
use crate::store::{Db, Result as Stored, browse_index, critics, reviews};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::SitemapEntry;
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

const PATH: &str = "/sitemap.xml";

/// How many pages a part lists.
const PART_SIZE: u32 = 5_000;

/// Pages that every site has.
const LIST_PATHS: [&str; 6] = ["/", "/reviews", "/browse", "/films", "/people", "/tags"];

/// The query `?part=reviews-1`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct PartQuery {
    part: Option<String>,
}

/// Sections that can fill more than one part.
#[derive(Debug, Clone, Copy)]
enum PagedSection {
    Reviews,
    Films,
    People,
}

impl PagedSection {
    const ALL: [Self; 3] = [Self::Reviews, Self::Films, Self::People];

    const fn name(self) -> &'static str {
        match self {
            Self::Reviews => "reviews",
            Self::Films => "films",
            Self::People => "people",
        }
    }

    async fn count_parts(self, db: &Db) -> Stored<u32> {
        let total = match self {
            Self::Reviews => browse_index::count_reviews(db, &BrowseQuery::all()).await?,
            Self::Films => browse_index::count_terms(db, BrowseKind::Film, "").await?,
            Self::People => browse_index::count_terms(db, BrowseKind::Person, "").await?,
        };
        Ok(u32::try_from(total.div_ceil(u64::from(PART_SIZE))).unwrap_or(u32::MAX))
    }

    async fn entries(self, db: &Db, offset: u32) -> Stored<Vec<SitemapEntry>> {
        let (kind, folder) = match self {
            Self::Reviews => {
                let slugs = reviews::list_slugs(db, PART_SIZE, offset).await?.into_iter();
                let entry = |(slug, changed)| SitemapEntry {
                    path: format!("/reviews/{slug}"),
                    changed: Some(changed),
                };
                return Ok(slugs.map(entry).collect());
            }
            Self::Films => (BrowseKind::Film, "/films/"),
            Self::People => (BrowseKind::Person, "/people/"),
        };
        let terms = browse_index::list_terms(db, kind, "", PART_SIZE, offset).await?.into_iter();
        Ok(terms.map(|term| SitemapEntry { path: format!("{folder}{}", term.slug), changed: None }).collect())
    }
}

/// A part of the sitemap.
#[derive(Debug, Clone, Copy)]
enum SitemapPart {
    /// The pages that every site has, and those of the critics.
    Lists,
    /// Pages of one section, starting at an offset.
    Section(PagedSection, u32),
}

impl SitemapPart {
    /// The name in the query; one for each part.
    fn name(self) -> String {
        match self {
            Self::Lists => "lists".to_owned(),
            Self::Section(section, before) => format!("{}-{}", section.name(), before / PART_SIZE + 1),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        if name == "lists" {
            return Some(Self::Lists);
        }
        let (section, number) = name.rsplit_once('-')?;
        let section = PagedSection::ALL.into_iter().find(|known| known.name() == section)?;
        let before = number.parse::<u32>().ok()?.checked_sub(1)?.checked_mul(PART_SIZE)?;
        Some(Self::Section(section, before)).filter(|part| part.name() == name)
    }

    async fn entries(self, db: &Db) -> Stored<Vec<SitemapEntry>> {
        let Self::Section(section, before) = self else {
            let lists = LIST_PATHS.into_iter().map(str::to_owned);
            let critics = critics::list_all(db).await?.into_iter();
            let all = lists.chain(critics.map(|critic| format!("/@{}", critic.profile.handle)));
            return Ok(all.map(|path| SitemapEntry { path, changed: None }).collect());
        };
        section.entries(db, before).await
    }
}

/// The index of the sitemap, or a part of it.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Query(query): Query<PartQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Some(name) = query.part else {
        return state
            .cache
            .get_or_render(&state.app, CacheKind::Sitemap.key(""), &headers, || index(&state))
            .await;
    };
    let part = SitemapPart::parse(&name).ok_or(WebError::NotFound)?;
    let render = || async {
        let entries = part.entries(&state.app.db).await?;
        if entries.is_empty() {
            return Err(WebError::NotFound);
        }
        Ok(cacheable(&state, state.pages.sitemap(&entries)?))
    };
    state.cache.get_or_render(&state.app, CacheKind::Sitemap.key(&name), &headers, render).await
}

async fn index(state: &WebState) -> Result<Rendered, WebError> {
    let mut parts = vec![SitemapPart::Lists];
    for section in PagedSection::ALL {
        let last = section.count_parts(&state.app.db).await?;
        parts.extend((0..last).map(|number| SitemapPart::Section(section, number * PART_SIZE)));
    }
    let paths: Vec<String> = parts.into_iter().map(|part| format!("{PATH}?part={}", part.name())).collect();
    Ok(cacheable(state, state.pages.sitemap_index(&paths)?))
}

fn cacheable(state: &WebState, text: String) -> Rendered {
    let now = state.app.clock.now();
    Rendered::Cacheable(Arc::new(Rendering::new("application/xml; charset=utf-8", text, None, now)))
}
