//! Handlers of the pages for people. Each reads the store and passes what it read to `pages`.

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
