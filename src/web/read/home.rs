//! The front page.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};

use super::Shown;
use crate::store::reviews;
use crate::web::error::WebError;
use crate::web::pages::HomePage;
use crate::web::state::WebState;

/// Reviews on the front page.
const NEWEST: u32 = 12;

pub(in crate::web) async fn show(State(state): State<WebState>) -> Result<Response, WebError> {
    let db = &state.app.db;
    let shown = Shown::of(&state, reviews::newest(db, None, NEWEST, 0).await?).await?;
    let total = reviews::count_public(db, None).await?;
    let page = HomePage { critics: &shown.critics, newest: &shown.listed(), total };
    Ok(Html(state.pages.home(&page)?).into_response())
}
