//! A review and its conversation.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use super::{Shown, kept_page};
use crate::domain::comment::thread;
use crate::domain::review::{Review, State as Stands};
use crate::domain::shelf::{Kind, Role, film_slug, slug_of};
use crate::flows::publish;
use crate::store::shelves::Shelf;
use crate::store::{comments, reviews};
use crate::web::cache::{self, Made};
use crate::web::error::WebError;
use crate::web::fedi::article;
use crate::web::negotiate::{alternate, prefers_activity};
use crate::web::pages::{Counts, More, Neighbour, ReviewPage};
use crate::web::state::WebState;

/// Other reviews of the film, or by its director.
const MOST_MORE: u32 = 4;

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
        return state.cache.answer(&state.app, (cache::Kind::ArticleOfPage, &slug), &headers, make).await;
    }
    let make = || async { page(&state, &load().await?, &slug).await };
    state.cache.answer(&state.app, (cache::Kind::Page, &slug), &headers, make).await
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
    let (of_film, by_director) = more(state, review).await?;
    let director = review.draft.film.directors.first().map(String::as_str);
    let by_director = by_director.listed();
    let page = state.pages.review(&ReviewPage {
        critic: &critic,
        review,
        comments: &branches,
        counts: Counts { likes: counts.likes, boosts: counts.shares, comments: counts.replies },
        newer: newer.as_ref().map(neighbour),
        older: older.as_ref().map(neighbour),
        more: More { of_film: &of_film.listed(), by_director: director.map(|name| (name, &by_director[..])) },
    })?;
    Ok(kept_page(state, page, alternate(&app.origin.article(review.id))))
}

/// Other reviews of the film, and of other films by the first of its directors; the newest of each.
async fn more(state: &WebState, review: &Review) -> Result<(Shown, Shown), WebError> {
    let film = &review.draft.film;
    let director = film.directors.first().map(|name| slug_of(name)).filter(|slug| !slug.is_empty());
    let shelves = [
        film_slug(film).map(|slug| Shelf::new(Kind::Film, &slug)),
        director.map(|slug| Shelf::new(Kind::Person, &slug).in_role(Some(Role::Director))),
    ];
    let mut found = [Vec::new(), Vec::new()];
    for (shelf, found) in shelves.iter().zip(&mut found) {
        if let Some(shelf) = shelf {
            *found = reviews::on_shelf(&state.app.db, shelf, 2 * MOST_MORE + 1, 0).await?;
        }
    }
    let [mut of_film, mut by_director] = found;
    of_film.retain(|other| other.id != review.id);
    by_director.retain(|other| other.id != review.id && film_slug(&other.draft.film) != film_slug(film));
    of_film.truncate(MOST_MORE as usize);
    by_director.truncate(MOST_MORE as usize);
    Ok((Shown::of(state, of_film).await?, Shown::of(state, by_director).await?))
}

fn neighbour(review: &Review) -> Neighbour<'_> {
    Neighbour { slug: &review.slug, title: &review.draft.title }
}
