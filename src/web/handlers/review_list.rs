//! What the handlers of pages and feeds that list reviews have in common.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::browse_index::BrowseKind;
use crate::domain::critic::Critic;
use crate::domain::id::ReviewId;
use crate::domain::review::Review;
use crate::domain::slug::slug;
use crate::store::browse_index::{self, BrowseQuery, BrowseTerm};
use crate::store::{critics, review_stats, reviews};
use crate::web::error::WebError;
use crate::web::page_cache::{CacheKind, Rendered};
use crate::web::pages::ReviewListItem;
use crate::web::pagination::PageQuery;
use crate::web::state::WebState;

/// How many reviews a page of a list has.
pub(super) const PAGE_SIZE: u32 = 30;

/// Reviews, with their critics and their numbers of comments.
pub(super) struct ReviewList {
    pub(super) reviews: Vec<Review>,
    pub(super) critics: Vec<Critic>,
    comments: Vec<u64>,
}

impl ReviewList {
    pub(super) async fn load(state: &WebState, reviews: Vec<Review>) -> Result<Self, WebError> {
        let critics = critics::list_all(&state.app.db).await?;
        let ids: Vec<ReviewId> = reviews.iter().map(|review| review.id).collect();
        let totals = review_stats::comment_counts(&state.app.db, &ids).await?;
        let counts = ids.iter().map(|id| totals.get(id).copied().unwrap_or(0)).collect();
        Ok(Self { reviews, critics, comments: counts })
    }

    pub(super) fn listed(&self) -> Vec<ReviewListItem<'_>> {
        let find_critic = |review: &Review| self.critics.iter().find(|critic| critic.id == review.critic);
        let listed = self.reviews.iter().zip(&self.comments);
        listed
            .filter_map(|(review, comments)| {
                Some(ReviewListItem { critic: find_critic(review)?, review, comments: *comments })
            })
            .collect()
    }
}

/// One page of a list of reviews.
pub(super) struct ReviewListPage {
    pub(super) list: ReviewList,
    pub(super) total: u64,
    pub(super) page: u32,
    pub(super) pages: u32,
}

impl ReviewListPage {
    /// Loads a page of the list.
    ///
    /// # Errors
    /// [`WebError::NotFound`] beyond the last page.
    pub(super) async fn load(
        state: &WebState,
        filter: &BrowseQuery,
        query: &PageQuery,
    ) -> Result<Self, WebError> {
        let db = &state.app.db;
        let total = browse_index::count_reviews(db, filter).await?;
        let (page, pages) = (query.number(), page_count(total));
        if page > pages {
            return Err(WebError::NotFound);
        }
        let found = reviews::list_matching(db, filter, PAGE_SIZE, query.offset(PAGE_SIZE)).await?;
        Ok(Self { list: ReviewList::load(state, found).await?, total, page, pages })
    }

    pub(super) fn several_critics(&self) -> bool {
        self.list.critics.len() > 1
    }
}

/// Serves a page of a list from the cache. `list` is the decoded path, since one path can be spelled in several ways.
pub(super) async fn cached_list<M>(
    state: &WebState,
    list: &str,
    query: &PageQuery,
    headers: &HeaderMap,
    render: impl FnOnce() -> M,
) -> Result<Response, WebError>
where
    M: Future<Output = Result<Rendered, WebError>>,
{
    let key = format!("{list}?page={}", query.number());
    state.cache.get_or_render(&state.app, CacheKind::List.key(&key), headers, render).await
}

/// The name of an index entry, and the number of its reviews.
///
/// # Errors
/// [`WebError::NotFound`] if there is none.
pub(super) async fn find_term(
    state: &WebState,
    kind: BrowseKind,
    slug: &str,
) -> Result<BrowseTerm, WebError> {
    browse_index::find_term(&state.app.db, kind, slug).await?.ok_or(WebError::NotFound)
}

/// Redirects to the page of a tag if its slug is spelled otherwise, as in `/tags/Reviews`; `rest` is what follows it in the URL.
pub(super) async fn redirect_to_tag(
    state: &WebState,
    spelled: &str,
    rest: &str,
) -> Result<Option<Response>, WebError> {
    let slug = slug(spelled);
    if slug == spelled || slug.is_empty() {
        return Ok(None);
    }
    let known = browse_index::find_term(&state.app.db, BrowseKind::Tag, &slug).await?;
    let page = known.map(|_| state.app.origin.url(&format!("/tags/{slug}{rest}")));
    Ok(page.map(|page| Redirect::permanent(page.as_str()).into_response()))
}

/// The number of pages for `total` reviews; at least one.
pub(super) fn page_count(total: u64) -> u32 {
    u32::try_from(total.div_ceil(u64::from(PAGE_SIZE))).unwrap_or(u32::MAX).max(1)
}
