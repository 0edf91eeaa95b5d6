//! Loads the discussion of a review: comments, reactions and numbers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::NOINDEX;
use crate::domain::comment::Comment;
use crate::domain::comment_layout::{ConversationLayout, LayoutLimits, lay_out};
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::facepile::Facepile;
use crate::domain::id::CommentId;
use crate::domain::review::{Review, ReviewState};
use crate::flows::{App, facepile};
use crate::store::{comment_outlines, comments, review_stats, reviews, view_counts};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKey, CacheKind, Rendered};
use crate::web::pages::{Conversation, Discussion, ReviewCounts, conversation_query};
use crate::web::rendering::Rendering;
use crate::web::state::WebState;

/// How many comments the pages of a conversation show: the oldest, or the newest if those come first. The page says how
/// many are left out; the `replies` collection has all of them.
const MAX_COMMENTS: usize = 2_000;
/// How many comments are looked at to choose those.
const MAX_OUTLINES: u32 = 8_000;

/// The query `?sort=newest&comments=2`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct ConversationQuery {
    sort: Option<String>,
    comments: Option<String>,
}

impl ConversationQuery {
    /// The page of the conversation, counted from one.
    pub(super) fn page(&self) -> Result<u32, WebError> {
        let unknown = || WebError::BadRequest("comments must be a positive number".to_owned());
        let Some(page) = &self.comments else { return Ok(1) };
        page.parse().ok().filter(|page| *page >= 1).ok_or_else(unknown)
    }

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
    Query(query): Query<ConversationQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let (order, page) = (query.order()?, query.page()?);
    let render = || async {
        let review = reviews::find_by_slug(&state.app.db, &slug).await?.ok_or(WebError::NotFound)?;
        if let Some(moved) = redirect_if_moved(&state, &review, &slug, "/comments")? {
            return Ok(Rendered::Uncacheable(moved));
        }
        let loaded = LoadedDiscussion::load(&state, &review, order, page).await?;
        let (text, tag) = state.pages.discussion(&loaded.discussion(&review))?;
        let tag = HeaderValue::from_str(&tag).map_err(anyhow::Error::from)?;
        let head = [(header::ETAG, tag), NOINDEX];
        let now = state.app.clock.now();
        Ok(Rendered::Cacheable(Arc::new(Rendering::new("text/html; charset=utf-8", text, head, now))))
    };
    // The key is the slug, with what differs from the default.
    let key = format!("{slug}{}", conversation_query(order, page));
    state.cache.get_or_render(&state.app, CacheKind::Discussion.key(&key), &headers, render).await
}

/// The comments on a review, the reactions to it, and its numbers.
pub(super) struct LoadedDiscussion {
    layout: ConversationLayout,
    page: u32,
    comments: HashMap<CommentId, Comment>,
    comment_bytes: usize,
    left_out: u64,
    faces: Facepile,
    counts: ReviewCounts,
    order: ThreadOrder,
}

impl LoadedDiscussion {
    /// Loads a page of the conversation. There is no page without comments except the first.
    pub(super) async fn load(
        state: &WebState,
        review: &Review,
        order: ThreadOrder,
        page: u32,
    ) -> Result<Self, WebError> {
        let app = &state.app;
        let review_stats = review_stats::for_review(&app.db, review.id).await?;
        let views = view_counts::for_review(&app.db, review.id).await?;
        let layout = load_layout(app, review, order).await?;
        if page > 1 && layout.page(page).is_empty() {
            return Err(WebError::NotFound);
        }
        let placed = layout.page(page);
        let ids: BTreeSet<CommentId> =
            placed.iter().flat_map(|placed| [Some(placed.id), placed.parent]).flatten().collect();
        let ids: Vec<CommentId> = ids.into_iter().collect();
        let limit = app.budgets.limits.comment_bytes_shown;
        // One character more shows that there are more.
        let comments = comments::list_by_ids(&app.db, review.id, &ids, limit.saturating_add(1)).await?;
        let counts = ReviewCounts {
            views: views.views,
            likes: review_stats.likes,
            boosts: review_stats.boosts,
            comments: review_stats.comments,
            hosts: views.hosts,
        };
        Ok(Self {
            left_out: count_left_out(&layout, review_stats.comments),
            layout,
            page,
            comments: comments.into_iter().map(|comment| (comment.id, comment)).collect(),
            comment_bytes: usize::try_from(limit).unwrap_or(usize::MAX),
            faces: facepile::for_review(app, review, review_stats).await?,
            counts,
            order,
        })
    }

    pub(super) fn discussion<'a>(&'a self, review: &'a Review) -> Discussion<'a> {
        let Self { layout, page, comments, comment_bytes, left_out, faces, counts, order } = self;
        let conversation = Conversation {
            review,
            order: *order,
            layout,
            page: *page,
            comments,
            comment_bytes: *comment_bytes,
        };
        Discussion { conversation, left_out: *left_out, counts: *counts, faces }
    }
}

/// Decides which comments of a review are on which page.
pub(super) async fn load_layout(
    app: &App,
    review: &Review,
    order: ThreadOrder,
) -> Result<ConversationLayout, WebError> {
    let budgets = &app.budgets.limits;
    let bytes = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    let content_limit = bytes(budgets.comment_bytes_shown);
    let outlines =
        comment_outlines::list_for_review(&app.db, review.id, order, MAX_OUTLINES, content_limit).await?;
    let limits =
        LayoutLimits { comments: MAX_COMMENTS, bytes_per_page: bytes(budgets.comments_bytes_per_page) };
    Ok(lay_out(outlines, order, limits))
}

/// How many of `total` comments are on no page. Zero if fewer than the limit are shown: a comment that arrived between the
/// two queries is not left out.
fn count_left_out(layout: &ConversationLayout, total: u64) -> u64 {
    if layout.shown < MAX_COMMENTS {
        return 0;
    }
    total.saturating_sub(layout.shown as u64)
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
