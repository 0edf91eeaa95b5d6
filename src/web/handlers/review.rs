//! The page of a review, and its discussion on its own.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::counted_review_page;
use super::review_list::ReviewList;
use crate::domain::browse_index::{BrowseKind, CreditRole, browse_slug, film_slug};
use crate::domain::comment::{Comment, CommentVisibility};
use crate::domain::comment_thread::{ThreadNode, ThreadOrder, build_thread, sort_threads};
use crate::domain::facepile::Facepile;
use crate::domain::review::{Review, ReviewState};
use crate::flows::{facepile, publish};
use crate::store::browse_index::BrowseQuery;
use crate::store::{comments, review_stats, reviews, view_counts};
use crate::web::activitypub::article;
use crate::web::content_negotiation::{alternate_link, prefers_activity};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pages::{AdjacentReview, Discussion, RelatedReviews, ReviewCounts, ReviewPage};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// Reviews shown as related: of the same film, or by the same director.
const MAX_RELATED: u32 = 4;

/// Comments on one page: the oldest, or the newest if sorted that way. The page says how many it leaves out; the
/// Article's `replies` has all of them.
const MAX_COMMENTS: u32 = 2_000;

/// `?sort=newest`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct SortQuery {
    sort: Option<String>,
}

impl SortQuery {
    fn order(&self) -> Result<ThreadOrder, WebError> {
        let wrong = || WebError::BadRequest("unknown sort order".to_owned());
        self.sort.as_deref().map_or(Ok(ThreadOrder::Oldest), |sort| sort.parse().map_err(|_| wrong()))
    }
}

/// The shortcut to the cached page or document. A query may ask for another order.
pub(in crate::web) fn cache_key<'a>(slug: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    let kind = if prefers_activity(request.headers()) { CacheKind::ArticleOfPage } else { CacheKind::Page };
    request.uri().query().is_none().then_some(kind.key(slug))
}

/// The shortcut to the cached discussion.
pub(in crate::web) fn discussion_cache_key<'a>(slug: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    request.uri().query().is_none().then_some(CacheKind::Discussion.key(slug))
}

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<SortQuery>,
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
    let order = query.order()?;
    let render = || async { page(&state, &load().await?, &slug, order).await };
    if order == ThreadOrder::Oldest {
        return state.cache.get_or_render(&state.app, CacheKind::Page.key(&slug), &headers, render).await;
    }
    let key = format!("{slug}?sort={}", order.as_str());
    state.cache.get_or_render(&state.app, CacheKind::SortedPage.key(&key), &headers, render).await
}

/// The discussion on its own, which open pages poll.
pub(in crate::web) async fn discussion(
    State(state): State<WebState>,
    Path(slug): Path<String>,
    Query(query): Query<SortQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let order = query.order()?;
    let render = || async {
        let review = reviews::find_by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound)?;
        if let Some(moved) = redirect_if_moved(&state, &review, &slug, "/comments")? {
            return Ok(Rendered::Uncacheable(moved));
        }
        let loaded = LoadedDiscussion::load(&state, &review, order).await?;
        let (text, tag) = state.pages.discussion(&loaded.discussion(&review))?;
        let tag = HeaderValue::from_str(&tag).map_err(anyhow::Error::from)?;
        let robots = (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
        let head = [(header::ETAG, tag), robots];
        let now = state.app.clock.now();
        Ok(Rendered::Cacheable(Arc::new(Rendering::new("text/html; charset=utf-8", text, head, now))))
    };
    // The cache key is the slug, with the order if it is not the default.
    let key = match order {
        ThreadOrder::Oldest => slug.clone(),
        _ => format!("{slug}?sort={}", order.as_str()),
    };
    state.cache.get_or_render(&state.app, CacheKind::Discussion.key(&key), &headers, render).await
}

/// A redirect to the current slug, if the review was renamed.
fn redirect_if_moved(
    state: &WebState,
    review: &Review,
    slug: &str,
    part: &str,
) -> Result<Option<Response>, WebError> {
    match review.state {
        ReviewState::Retracted => return Err(WebError::Gone),
        state if !state.is_public() => return Err(WebError::NotFound),
        _ => {}
    }
    let page = state.app.origin.review_page(review);
    Ok((review.slug != slug).then(|| Redirect::permanent(&format!("{page}{part}")).into_response()))
}

/// Everything that others said and did about a review.
struct LoadedDiscussion {
    branches: Vec<ThreadNode>,
    left_out: u64,
    faces: Facepile,
    counts: ReviewCounts,
    order: ThreadOrder,
}

impl LoadedDiscussion {
    async fn load(state: &WebState, review: &Review, order: ThreadOrder) -> Result<Self, WebError> {
        let app = &state.app;
        let tally = review_stats::for_review(&app.db, review.id).await?;
        let reach = view_counts::for_review(&app.db, review.id).await?;
        let comments = comments::list_for_review(&app.db, review.id, order, MAX_COMMENTS).await?;
        let left_out = left_out(&comments, tally.comments);
        let mut branches = build_thread(comments);
        sort_threads(&mut branches, order);
        let counts = ReviewCounts {
            reads: reach.reads,
            likes: tally.likes,
            boosts: tally.boosts,
            comments: tally.comments,
            hosts: reach.hosts,
        };
        Ok(Self { branches, left_out, faces: facepile::for_review(app, review, tally).await?, counts, order })
    }

    fn discussion<'a>(&'a self, review: &'a Review) -> Discussion<'a> {
        let Self { branches, left_out, faces, counts, order } = self;
        Discussion { review, comments: branches, left_out: *left_out, order: *order, counts: *counts, faces }
    }
}

/// How many of `all` comments were not loaded. Zero if fewer than the limit were loaded: a comment that arrived between
/// the two queries is not left out.
fn left_out(read: &[Comment], all: u64) -> u64 {
    if read.len() < MAX_COMMENTS as usize {
        return 0;
    }
    let shown = read.iter().filter(|comment| comment.visibility == CommentVisibility::Shown).count();
    all.saturating_sub(shown as u64)
}

async fn page(
    state: &WebState,
    review: &Review,
    slug: &str,
    sorted: ThreadOrder,
) -> Result<Rendered, WebError> {
    let app = &state.app;
    if let Some(moved) = redirect_if_moved(state, review, slug, "")? {
        return Ok(Rendered::Uncacheable(moved));
    }
    let critic = publish::critic_for_review(app, review).await?;
    let loaded = LoadedDiscussion::load(state, review, sorted).await?;
    let (newer, older) = reviews::find_neighbours(&app.db, review).await?;
    let (of_film, by_director) = related_reviews(state, review).await?;
    let director = review.content.film.directors.first().map(String::as_str);
    let by_director = by_director.listed();
    let page = state.pages.review(&ReviewPage {
        critic: &critic,
        review,
        discussion: loaded.discussion(review),
        newer: newer.as_ref().map(adjacent),
        older: older.as_ref().map(adjacent),
        related: RelatedReviews {
            of_film: &of_film.listed(),
            by_director: director.map(|name| (name, &by_director[..])),
        },
    })?;
    let reads = state.view_counts.counter_for(review.id);
    Ok(counted_review_page(state, page, alternate_link(&app.origin.article(review.id)), reads))
}

/// The newest reviews of the same film, and of other films by its first director.
async fn related_reviews(state: &WebState, review: &Review) -> Result<(ReviewList, ReviewList), WebError> {
    let film = &review.content.film;
    let director = film.directors.first().map(|name| browse_slug(name)).filter(|slug| !slug.is_empty());
    let shelves = [
        film_slug(film).map(|slug| BrowseQuery::new(BrowseKind::Film, &slug)),
        director.map(|slug| BrowseQuery::new(BrowseKind::Person, &slug).in_role(Some(CreditRole::Director))),
    ];
    let mut found = [Vec::new(), Vec::new()];
    for (shelf, found) in shelves.iter().zip(&mut found) {
        if let Some(shelf) = shelf {
            *found = reviews::list_matching(&state.app.db, shelf, 2 * MAX_RELATED + 1, 0).await?;
        }
    }
    let [mut of_film, mut by_director] = found;
    of_film.retain(|other| other.id != review.id);
    by_director.retain(|other| other.id != review.id && film_slug(&other.content.film) != film_slug(film));
    of_film.truncate(MAX_RELATED as usize);
    by_director.truncate(MAX_RELATED as usize);
    Ok((ReviewList::load(state, of_film).await?, ReviewList::load(state, by_director).await?))
}

fn adjacent(review: &Review) -> AdjacentReview<'_> {
    AdjacentReview { slug: &review.slug, title: &review.content.title }
}
