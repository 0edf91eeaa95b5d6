//! The front page.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Shown, form_policy, kept_page};
use crate::store::shelves::Shelf;
use crate::store::{critics, reviews, shelves};
use crate::web::cache::{Kind, Made};
use crate::web::error::WebError;
use crate::web::fedi::actor;
use crate::web::negotiate::{alternate, prefers_activity};
use crate::web::pages::HomePage;
use crate::web::state::WebState;

/// Reviews on the front page.
const NEWEST: u32 = 12;

/// The page; where the site is one critic's alone, that critic's actor for servers that ask.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    if prefers_activity(&headers)
        && let [critic] = &critics::all(&state.app.db).await?[..]
    {
        return actor::document(&state, critic).await;
    }
    let make = || page(&state);
    state.cache.answer(&state.app, (Kind::List, "/"), &headers, make).await
}

async fn page(state: &WebState) -> Result<Made, WebError> {
    let db = &state.app.db;
    let shown = Shown::of(state, reviews::on_shelf(db, &Shelf::all(), NEWEST, 0).await?).await?;
    let total = shelves::total(db, &Shelf::all()).await?;
    let page = HomePage { critics: &shown.critics, newest: &shown.listed(), total };
    let page = state.pages.home(&page)?;
    let alone = match &shown.critics[..] {
        [critic] => alternate(&state.app.origin.actor(critic.id)),
        _ => None,
    };
    Ok(kept_page(state, page, alone.into_iter().chain([form_policy()])))
}
