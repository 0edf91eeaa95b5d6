//! The front page.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Shown, with_form};
use crate::store::{critics, reviews};
use crate::web::error::WebError;
use crate::web::fedi::actor;
use crate::web::negotiate::{prefers_activity, with_alternate};
use crate::web::pages::HomePage;
use crate::web::state::WebState;

/// Reviews on the front page.
const NEWEST: u32 = 12;

/// The page; where the site is one critic's alone, that critic's actor for servers that ask.
pub(in crate::web) async fn show(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let db = &state.app.db;
    if prefers_activity(&headers)
        && let [critic] = &critics::all(db).await?[..]
    {
        return actor::document(&state, critic).await;
    }
    let shown = Shown::of(&state, reviews::newest(db, None, NEWEST, 0).await?).await?;
    let total = reviews::count_public(db, None).await?;
    let page = HomePage { critics: &shown.critics, newest: &shown.listed(), total };
    let page = with_form(state.pages.home(&page)?);
    Ok(match &shown.critics[..] {
        [critic] => with_alternate(page, &state.app.origin.actor(critic.id)),
        _ => page,
    })
}
