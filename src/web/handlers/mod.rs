//! Handlers of the pages for people. Each reads the store and passes what it read to `pages`.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

use super::error::WebError;
use super::page_cache::Rendered;
use super::pages::ReviewListItem;
use super::rendering::Rendering;
use super::response_headers::FORM_CONTENT_SECURITY_POLICY;
use super::state::WebState;
use crate::domain::critic::Critic;
use crate::domain::id::ReviewId;
use crate::domain::review::Review;
use crate::flows::view_counts::ViewCounter;
use crate::store::{critics, review_stats};

pub(super) mod browse;
pub(super) mod feed;
pub(super) mod home;
pub(super) mod interact;
pub(super) mod media;
pub(super) mod oembed;
pub(super) mod profile;
pub(super) mod review;
pub(super) mod review_lists;
pub(super) mod robots;
pub(super) mod search;
pub(super) mod security_txt;
pub(super) mod share_card;
pub(super) mod sitemap;

/// Reviews on one page of a list.
const PAGE_SIZE: u32 = 30;

/// A page that contains the remote interaction form.
fn html_with_form(page: String) -> Response {
    ([form_content_security_policy()], Html(page)).into_response()
}

/// The policy that lets that form lead to other sites.
fn form_content_security_policy() -> (HeaderName, HeaderValue) {
    (header::CONTENT_SECURITY_POLICY, FORM_CONTENT_SECURITY_POLICY)
}

/// A page that is cached until it changes, with additional header fields.
fn cacheable_page(
    state: &WebState,
    page: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Rendered {
    Rendered::Cacheable(Arc::new(render_html(state, page, more)))
}

/// A review's page: contains the form, and counts its views.
fn counted_review_page(
    state: &WebState,
    page: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    reads: ViewCounter,
) -> Rendered {
    let more = more.into_iter().chain([form_content_security_policy()]);
    Rendered::Cacheable(Arc::new(render_html(state, page, more).with_view_counter(reads)))
}

fn render_html(
    state: &WebState,
    page: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Rendering {
    Rendering::new("text/html; charset=utf-8", page, more, state.app.clock.now())
}

/// The number of pages for `total` reviews; at least one.
fn page_count(total: u64) -> u32 {
    u32::try_from(total.div_ceil(u64::from(PAGE_SIZE))).unwrap_or(u32::MAX).max(1)
}

/// Reviews with everything that a list shows of them.
struct ReviewList {
    reviews: Vec<Review>,
    critics: Vec<Critic>,
    comments: Vec<u64>,
}

impl ReviewList {
    async fn load(state: &WebState, reviews: Vec<Review>) -> Result<Self, WebError> {
        let critics = critics::list_all(&state.app.db).await?;
        let ids: Vec<ReviewId> = reviews.iter().map(|review| review.id).collect();
        let totals = review_stats::comment_counts(&state.app.db, &ids).await?;
        let counts = ids.iter().map(|id| totals.get(id).copied().unwrap_or(0)).collect();
        Ok(Self { reviews, critics, comments: counts })
    }

    fn listed(&self) -> Vec<ReviewListItem<'_>> {
        let critic_of = |review: &Review| self.critics.iter().find(|critic| critic.id == review.critic);
        let listed = self.reviews.iter().zip(&self.comments);
        listed
            .filter_map(|(review, comments)| {
                Some(ReviewListItem { critic: critic_of(review)?, review, comments: *comments })
            })
            .collect()
    }
}
