//! A review and its conversation.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::kept_page;
use crate::domain::comment::thread;
use crate::domain::review::{Review, State as Stands};
use crate::flows::publish;
use crate::store::{comments, reviews};
use crate::web::cache::{Kind, Made};
use crate::web::error::WebError;
use crate::web::fedi::article;
use crate::web::negotiate::{alternate, prefers_activity};
use crate::web::pages::{Counts, Neighbour, ReviewPage};
use crate::web::state::WebState;

/// Comments on one page. What goes beyond is in the `replies` of the Article.
const MOST_COMMENTS: u32 = 2_000;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let load = async || reviews::by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound);
    if prefers_activity(&headers) {
        let make = || async { article::document(&state, &load().await?).await };
        return state.cache.answer(&state.app, (Kind::ArticleOfPage, &slug), &headers, make).await;
    }
    let make = || async { page(&state, &load().await?, &slug).await };
    state.cache.answer(&state.app, (Kind::Page, &slug), &headers, make).await
}

async fn page(state: &WebState, review: &Review, slug: &str) -> Result<Made, WebError> {
    let app = &state.app;
    match review.state {
        Stands::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    if review.slug != slug {
        let page = app.origin.review_page(review);
        return Ok(Made::Once(Redirect::permanent(page.as_str()).into_response()));
    }
    let critic = publish::critic_of(app, review).await?;
    let counts = publish::counts(app, review.id).await?;
    let branches = thread(comments::of_review(&app.db, review.id, MOST_COMMENTS).await?);
    let (newer, older) = reviews::neighbours(&app.db, review).await?;
    let page = state.pages.review(&ReviewPage {
        critic: &critic,
        review,
        comments: &branches,
        counts: Counts { likes: counts.likes, boosts: counts.shares, comments: counts.replies },
        newer: newer.as_ref().map(neighbour),
        older: older.as_ref().map(neighbour),
    })?;
    Ok(kept_page(state, page, alternate(&app.origin.article(review.id))))
}

fn neighbour(review: &Review) -> Neighbour<'_> {
    Neighbour { slug: &review.slug, title: &review.draft.title }
}
