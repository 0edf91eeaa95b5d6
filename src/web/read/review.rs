//! A review and its conversation.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::with_form;
use crate::domain::comment::thread;
use crate::domain::review::{Review, State as Stands};
use crate::flows::publish;
use crate::store::{comments, reviews};
use crate::web::error::WebError;
use crate::web::fedi::article;
use crate::web::negotiate::{prefers_activity, with_alternate};
use crate::web::pages::{Counts, Neighbour, ReviewPage};
use crate::web::state::WebState;

/// Comments on one page. What goes beyond is in the `replies` of the Article.
const MOST_COMMENTS: u32 = 2_000;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let app = &state.app;
    let review = reviews::by_slug(&app.db, &slug).await?.ok_or(WebError::NotFound)?;
    if prefers_activity(&headers) {
        return article::document(&state, &review).await;
    }
    match review.state {
        Stands::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    if review.slug != slug {
        return Ok(Redirect::permanent(app.origin.review_page(&review).as_str()).into_response());
    }
    let critic = publish::critic_of(app, &review).await?;
    let counts = publish::counts(app, review.id).await?;
    let branches = thread(comments::of_review(&app.db, review.id, MOST_COMMENTS).await?);
    let (newer, older) = reviews::neighbours(&app.db, &review).await?;
    let page = ReviewPage {
        critic: &critic,
        review: &review,
        comments: &branches,
        counts: Counts { likes: counts.likes, boosts: counts.shares, comments: counts.replies },
        newer: newer.as_ref().map(neighbour),
        older: older.as_ref().map(neighbour),
    };
    let page = with_form(state.pages.review(&page)?);
    Ok(with_alternate(page, &app.origin.article(review.id)))
}

fn neighbour(review: &Review) -> Neighbour<'_> {
    Neighbour { slug: &review.slug, title: &review.draft.title }
}
