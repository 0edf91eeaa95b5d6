//! All pages, for those who search the web (sitemaps.org): a list of parts, and the parts, each of a bounded size. What
//! stands in a part stays there, since the oldest come first: what is new comes into the last one.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::shelf::Kind as Shelves;
use crate::store::shelves::Shelf;
use crate::store::{Db, Result as Stored, critics, reviews, shelves};
use crate::web::cache::{Kind, Made};
use crate::web::error::WebError;
use crate::web::pages::Place;
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

const PATH: &str = "/sitemap.xml";

/// Pages in one part.
const A_PART: u32 = 5_000;

/// Lists that stand for themselves.
const LISTS: [&str; 6] = ["/", "/reviews", "/browse", "/films", "/people", "/tags"];

/// `?part=reviews-1`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Asked {
    part: Option<String>,
}

/// Of what there can be more than one part has room for.
#[derive(Debug, Clone, Copy)]
enum Many {
    Reviews,
    Films,
    People,
}

impl Many {
    const ALL: [Self; 3] = [Self::Reviews, Self::Films, Self::People];

    const fn name(self) -> &'static str {
        match self {
            Self::Reviews => "reviews",
            Self::Films => "films",
            Self::People => "people",
        }
    }

    async fn parts(self, db: &Db) -> Stored<u32> {
        let total = match self {
            Self::Reviews => shelves::total(db, &Shelf::all()).await?,
            Self::Films => shelves::number(db, Shelves::Film, "").await?,
            Self::People => shelves::number(db, Shelves::Person, "").await?,
        };
        Ok(u32::try_from(total.div_ceil(u64::from(A_PART))).unwrap_or(u32::MAX))
    }

    async fn places(self, db: &Db, offset: u32) -> Stored<Vec<Place>> {
        let (kind, folder) = match self {
            Self::Reviews => {
                let slugs = reviews::slugs(db, A_PART, offset).await?.into_iter();
                let place =
                    |(slug, changed)| Place { path: format!("/reviews/{slug}"), changed: Some(changed) };
                return Ok(slugs.map(place).collect());
            }
            Self::Films => (Shelves::Film, "/films/"),
            Self::People => (Shelves::Person, "/people/"),
        };
        let labels = shelves::in_order(db, kind, "", A_PART, offset).await?.into_iter();
        Ok(labels.map(|label| Place { path: format!("{folder}{}", label.slug), changed: None }).collect())
    }
}

/// A part of the map.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// The lists, and the critics.
    Lists,
    /// That many of them were named in the parts before.
    Of(Many, u32),
}

impl Part {
    /// The name in its address; each part has one.
    fn name(self) -> String {
        match self {
            Self::Lists => "lists".to_owned(),
            Self::Of(many, before) => format!("{}-{}", many.name(), before / A_PART + 1),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        if name == "lists" {
            return Some(Self::Lists);
        }
        let (many, number) = name.rsplit_once('-')?;
        let many = Many::ALL.into_iter().find(|known| known.name() == many)?;
        let before = number.parse::<u32>().ok()?.checked_sub(1)?.checked_mul(A_PART)?;
        Some(Self::Of(many, before)).filter(|part| part.name() == name)
    }

    async fn places(self, db: &Db) -> Stored<Vec<Place>> {
        let Self::Of(many, before) = self else {
            let lists = LISTS.into_iter().map(str::to_owned);
            let critics = critics::all(db).await?.into_iter();
            let all = lists.chain(critics.map(|critic| format!("/@{}", critic.profile.handle)));
            return Ok(all.map(|path| Place { path, changed: None }).collect());
        };
        many.places(db, before).await
    }
}

/// The list of the parts, or one of them.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let Some(name) = asked.part else {
        return state.cache.answer(&state.app, (Kind::Map, ""), &headers, || index(&state)).await;
    };
    let part = Part::parse(&name).ok_or(WebError::NotFound)?;
    let make = || async {
        let places = part.places(&state.app.db).await?;
        if places.is_empty() {
            return Err(WebError::NotFound);
        }
        Ok(kept(&state, state.pages.sitemap(&places)?))
    };
    state.cache.answer(&state.app, (Kind::Map, &name), &headers, make).await
}

async fn index(state: &WebState) -> Result<Made, WebError> {
    let mut parts = vec![Part::Lists];
    for many in Many::ALL {
        let last = many.parts(&state.app.db).await?;
        parts.extend((0..last).map(|number| Part::Of(many, number * A_PART)));
    }
    let paths: Vec<String> = parts.into_iter().map(|part| format!("{PATH}?part={}", part.name())).collect();
    Ok(kept(state, state.pages.sitemap_index(&paths)?))
}

fn kept(state: &WebState, text: String) -> Made {
    let made = state.app.clock.now();
    Made::Kept(Arc::new(Rendering::new("application/xml; charset=utf-8", text, None, made)))
}
