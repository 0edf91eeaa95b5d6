//! Loads the page of a review.

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;

use super::discussion::{ConversationQuery, LoadedDiscussion, redirect_if_moved};
use super::review_list::ReviewList;
use super::{NOINDEX, counted_review_page};
use crate::domain::browse_index::{BrowseKind, CreditRole, browse_slug, film_slug};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::review::Review;
use crate::flows::publish;
use crate::store::browse_index::BrowseQuery;
use crate::store::reviews;
use crate::web::activitypub::article;
use crate::web::content_negotiation::{alternate_link, prefers_activity};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pages::{AdjacentReview, RelatedReviews, ReviewPage, conversation_query};
use crate::web::state::WebState;

/// How many related reviews are shown: of the same film, and of other films by its director.
const MAX_RELATED: u32 = 4;

/// The key of the cached page or document, for the fast path. `None` if there is a query, which may ask for another
/// order.
pub(in crate::web) fn cache_key<'a>(slug: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    let kind = if prefers_activity(request.headers()) { CacheKind::ArticleOfPage } else { CacheKind::Page };
    request.uri().query().is_none().then_some(kind.key(slug))
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<ConversationQuery>,
    method: Method,
    mut headers: HeaderMap,
) -> Result<Response, WebError> {
    let load = async || reviews::find_by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound);
    if prefers_activity(&headers) {
        let render = || async { article::document(&state, &load().await?).await };
        return state
            .cache
            .get_or_render(&state.app, CacheKind::ArticleOfPage.key(&slug), &headers, render)
            .await;
    }
    // A HEAD request is not a view.
    if method == Method::HEAD {
        headers.remove(header::USER_AGENT);
    }
    let (order, number) = (query.order()?, query.page()?);
    let render = || async { page(&state, &load().await?, &slug, order, number).await };
    let query = conversation_query(order, number);
    if query.is_empty() {
        return state.cache.get_or_render(&state.app, CacheKind::Page.key(&slug), &headers, render).await;
    }
    let key = format!("{slug}{query}");
    state.cache.get_or_render(&state.app, CacheKind::SortedPage.key(&key), &headers, render).await
}

/// The page of a review with one page of its conversation.
async fn page(
    state: &WebState,
    review: &Review,
    slug: &str,
    order: ThreadOrder,
    number: u32,
) -> Result<Rendered, WebError> {
    let app = &state.app;
    if let Some(moved) = redirect_if_moved(state, review, slug, "")? {
        return Ok(Rendered::Uncacheable(moved));
    }
    let critic = publish::critic_for_review(app, review).await?;
    let loaded = LoadedDiscussion::load(state, review, order, number).await?;
    let (next, previous) = reviews::find_neighbours(&app.db, review).await?;
    let (same_film, by_director) = related_reviews(state, review).await?;
    let director = review.content.film.directors.first().map(String::as_str);
    let by_director = by_director.listed();
    let page = state.pages.review(&ReviewPage {
        critic: &critic,
        review,
        discussion: loaded.discussion(review),
        newer: next.as_ref().map(adjacent),
        older: previous.as_ref().map(adjacent),
        related: RelatedReviews {
            same_film: &same_film.listed(),
            by_director: director.map(|name| (name, &by_director[..])),
        },
    })?;
    let views = state.view_counts.counter_for(review.id);
    let robots = (number > 1).then_some(NOINDEX);
    let more = alternate_link(&app.origin.article(review.id)).into_iter().chain(robots);
    Ok(counted_review_page(state, page, more, views))
}

/// The newest reviews of the same film, and of other films by its first director.
async fn related_reviews(state: &WebState, review: &Review) -> Result<(ReviewList, ReviewList), WebError> {
    let film = &review.content.film;
    let director = film.directors.first().map(|name| browse_slug(name)).filter(|slug| !slug.is_empty());
    let queries = [
        film_slug(film).map(|slug| BrowseQuery::new(BrowseKind::Film, &slug)),
        director.map(|slug| BrowseQuery::new(BrowseKind::Person, &slug).in_role(Some(CreditRole::Director))),
    ];
    let mut found = [Vec::new(), Vec::new()];
    for (query, found) in queries.iter().zip(&mut found) {
        if let Some(query) = query {
            *found = reviews::list_matching(&state.app.db, query, 2 * MAX_RELATED + 1, 0).await?;
        }
    }
    let [mut same_film, mut by_director] = found;
    same_film.retain(|other| other.id != review.id);
    by_director.retain(|other| other.id != review.id && film_slug(&other.content.film) != film_slug(film));
    same_film.truncate(MAX_RELATED as usize);
    by_director.truncate(MAX_RELATED as usize);
    Ok((ReviewList::load(state, same_film).await?, ReviewList::load(state, by_director).await?))
}

fn adjacent(review: &Review) -> AdjacentReview<'_> {
    AdjacentReview { slug: &review.slug, title: &review.content.title }
}
