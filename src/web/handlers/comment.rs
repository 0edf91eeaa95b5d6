//! Loads a comment for a page of its own.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::discussion::{load_layout, redirect_if_moved};
use super::{NOINDEX, cacheable_page};
use crate::domain::comment::CommentVisibility;
use crate::domain::comment_thread::ThreadOrder;
use crate::domain::id::CommentId;
use crate::sources::html::MAX_SANITIZED_COMMENT_BYTES;
use crate::store::{comments, reviews};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::CommentPage;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path((slug, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let id: CommentId = id.parse().map_err(|_| WebError::NotFound)?;
    let key = format!("{slug}/{id}");
    let render = || async { Box::pin(page(&state, &slug, id)).await };
    state.cache.get_or_render(&state.app, CacheKind::Comment.key(&key), &headers, render).await
}

async fn page(state: &WebState, slug: &str, id: CommentId) -> Result<Rendered, WebError> {
    let db = &state.app.db;
    let review = reviews::find_by_slug(db, slug).await?.ok_or(WebError::NotFound)?;
    if let Some(moved) = redirect_if_moved(state, &review, slug, &format!("/comments/{id}"))? {
        return Ok(Rendered::Uncacheable(moved));
    }
    // Older versions stored longer comments. One character more shows that there are more.
    let characters = u32::try_from(MAX_SANITIZED_COMMENT_BYTES + 1).unwrap_or(u32::MAX);
    let comment = comments::list_by_ids(db, review.id, &[id], characters).await?.pop();
    let comment = comment.ok_or(WebError::NotFound)?;
    match comment.visibility {
        CommentVisibility::Shown => {}
        CommentVisibility::Deleted | CommentVisibility::Removed => return Err(WebError::Gone),
        CommentVisibility::Hidden | CommentVisibility::Withheld => return Err(WebError::NotFound),
    }
    let layout = load_layout(&state.app, &review, ThreadOrder::Oldest).await?;
    let place = layout.page_of.get(&id).copied();
    let html = state.pages.comment(&CommentPage { review: &review, comment: &comment, page: place })?;
    Ok(cacheable_page(state, html, [NOINDEX]))
}
