//! Handlers of pages, feeds and files. The file of a page has the same name here and in `pages`: the handler loads what
//! the page shows from `store`, and `pages` renders it.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

use super::page_cache::Rendered;
use super::rendering::Rendering;
use super::response_headers::FORM_CONTENT_SECURITY_POLICY;
use super::state::WebState;
use crate::flows::view_counts::ViewCounter;

pub(super) mod archive;
pub(super) mod assets;
pub(super) mod browse;
pub(super) mod comment;
pub(super) mod discussion;
pub(super) mod feed;
pub(super) mod film;
pub(super) mod home;
pub(super) mod interact;
pub(super) mod media;
pub(super) mod oembed;
pub(super) mod opensearch;
pub(super) mod person;
pub(super) mod profile;
pub(super) mod review;
pub(super) mod robots;
pub(super) mod search;
pub(super) mod security_txt;
pub(super) mod share_card;
pub(super) mod sitemap;

mod review_list;
mod versioned_file;

/// Keeps a page out of search results.
const NOINDEX: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));

/// Responds with a page that contains the remote interaction form.
fn html_with_form(page: String) -> Response {
    ([form_content_security_policy()], Html(page)).into_response()
}

/// The policy that allows the form to redirect to other sites.
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

/// The page of a review, which contains the form and counts its views.
fn counted_review_page(
    state: &WebState,
    page: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    views: ViewCounter,
) -> Rendered {
    let more = more.into_iter().chain([form_content_security_policy()]);
    Rendered::Cacheable(Arc::new(render_html(state, page, more).with_view_counter(views)))
}

fn render_html(
    state: &WebState,
    page: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Rendering {
    Rendering::new("text/html; charset=utf-8", page, more, state.app.clock.now())
}
