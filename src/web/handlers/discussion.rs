//! Loads the discussion of a review: comments, reactions and numbers.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::comment::{Comment, CommentVisibility};
use crate::domain::comment_thread::{ThreadNode, ThreadOrder, build_thread, sort_threads};
use crate::domain::facepile::Facepile;
use crate::domain::review::{Review, ReviewState};
use crate::flows::facepile;
use crate::store::{comments, review_stats, reviews, view_counts};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pages::{Discussion, ReviewCounts};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// How many comments a page shows: the oldest, or the newest if those come first. The page says how many it leaves out;
/// the `replies` collection has all of them.
const MAX_COMMENTS: u32 = 2_000;

/// The query `?sort=newest`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct SortQuery {
    sort: Option<String>,
}

impl SortQuery {
    pub(super) fn order(&self) -> Result<ThreadOrder, WebError> {
        let unknown = || WebError::BadRequest("unknown sort order".to_owned());
        self.sort.as_deref().map_or(Ok(ThreadOrder::Oldest), |sort| sort.parse().map_err(|_| unknown()))
    }
}

/// The key of the cached discussion, for the fast path.
pub(in crate::web) fn cache_key<'a>(slug: &'a str, request: &'a Request) -> Option<CacheKey<'a>> {
    request.uri().query().is_none().then_some(CacheKind::Discussion.key(slug))
}

/// The discussion without its page, which open pages poll.
pub(in crate::web) async fn show(
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
    // The key is the slug, with the order if it is not the default.
    let key = match order {
        ThreadOrder::Oldest => slug.clone(),
        _ => format!("{slug}?sort={}", order.as_str()),
    };
    state.cache.get_or_render(&state.app, CacheKind::Discussion.key(&key), &headers, render).await
}

/// The comments on a review, the reactions to it, and its numbers.
pub(super) struct LoadedDiscussion {
    threads: Vec<ThreadNode>,
    left_out: u64,
    faces: Facepile,
    counts: ReviewCounts,
    order: ThreadOrder,
}

impl LoadedDiscussion {
    pub(super) async fn load(
        state: &WebState,
        review: &Review,
        order: ThreadOrder,
    ) -> Result<Self, WebError> {
        let app = &state.app;
        let review_stats = review_stats::for_review(&app.db, review.id).await?;
        let views = view_counts::for_review(&app.db, review.id).await?;
        let comments = comments::list_for_review(&app.db, review.id, order, MAX_COMMENTS).await?;
        let left_out = count_left_out(&comments, review_stats.comments);
        let mut threads = build_thread(comments);
        sort_threads(&mut threads, order);
        let counts = ReviewCounts {
            views: views.views,
            likes: review_stats.likes,
            boosts: review_stats.boosts,
            comments: review_stats.comments,
            hosts: views.hosts,
        };
        Ok(Self {
            threads,
            left_out,
            faces: facepile::for_review(app, review, review_stats).await?,
            counts,
            order,
        })
    }

    pub(super) fn discussion<'a>(&'a self, review: &'a Review) -> Discussion<'a> {
        let Self { threads, left_out, faces, counts, order } = self;
        Discussion { review, threads, left_out: *left_out, order: *order, counts: *counts, faces }
    }
}

/// How many of `total` comments were not loaded. Zero if fewer than the limit were loaded: a comment that arrived
/// between the two queries is not left out.
fn count_left_out(loaded: &[Comment], total: u64) -> u64 {
    if loaded.len() < MAX_COMMENTS as usize {
        return 0;
    }
    let shown = loaded.iter().filter(|comment| comment.visibility == CommentVisibility::Shown).count();
    total.saturating_sub(shown as u64)
}

/// Returns a redirect to the current slug if the review was renamed.
pub(super) fn redirect_if_moved(
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
