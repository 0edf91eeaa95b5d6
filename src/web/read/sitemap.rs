//! All pages, for those who search the web.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::domain::shelf;
use crate::store::{critics, reviews, shelves};
use crate::web::cache::{Kind, Made};
use crate::web::error::WebError;
use crate::web::pages::Place;
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// What one map may name.
const MOST_PLACES: u32 = 50_000;

/// Reviews among them; the newest.
const MOST_REVIEWS: u32 = 40_000;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let make = || map(&state);
    state.cache.answer(&state.app, (Kind::List, "/sitemap.xml"), &headers, make).await
}

async fn map(state: &WebState) -> Result<Made, WebError> {
    let db = &state.app.db;
    let lists = ["/", "/reviews", "/browse", "/films", "/people", "/tags"].into_iter().map(str::to_owned);
    let critics = critics::all(db).await?.into_iter().map(|critic| format!("/@{}", critic.profile.handle));
    let mut places: Vec<Place> = lists.chain(critics).map(|path| Place { path, changed: None }).collect();
    let reviews = reviews::slugs(db, MOST_REVIEWS).await?.into_iter();
    places.extend(
        reviews.map(|(slug, changed)| Place { path: format!("/reviews/{slug}"), changed: Some(changed) }),
    );
    for (kind, folder) in [(shelf::Kind::Film, "/films/"), (shelf::Kind::Person, "/people/")] {
        let room = MOST_PLACES.saturating_sub(u32::try_from(places.len()).unwrap_or(u32::MAX));
        let shelves = shelves::fullest(db, kind, room).await?.into_iter();
        places.extend(shelves.map(|shelf| Place { path: format!("{folder}{}", shelf.slug), changed: None }));
    }
    let text = state.pages.sitemap(&places)?;
    Ok(Made::Kept(Arc::new(Rendering::new(
        "application/xml; charset=utf-8",
        text,
        None,
        state.app.clock.now(),
    ))))
}
