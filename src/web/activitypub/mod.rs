//! Endpoints for other servers: ActivityPub documents, inboxes and discovery.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::net::media_type::ACTIVITY_JSON;

pub(super) mod activity;
pub(super) mod actor;
pub(super) mod article;
pub(super) mod authorized_fetch;
pub(super) mod collections;
pub(super) mod host_meta;
pub(super) mod inbox;
pub(super) mod nodeinfo;
pub(super) mod note;
pub(super) mod quote_authorization;
pub(super) mod webfinger;

/// Responds with an ActivityStreams document.
fn activity_json(document: &Value) -> Response {
    activity_json_text(document.to_string())
}

/// Like [`activity_json`], from text that is already serialized.
fn activity_json_text(document: String) -> Response {
    ([(header::CONTENT_TYPE, ACTIVITY_JSON)], document).into_response()
}

/// Responds with a document that scripts of any site may read.
fn cross_origin_response(content_type: &str, body: String) -> Response {
    let content_type =
        HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/json"));
    let any_origin = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    ([any_origin, (header::CONTENT_TYPE, content_type)], body).into_response()
}
