//! Endpoints for other servers: ActivityPub documents, inboxes and discovery.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::net::media_type::ACTIVITY_JSON;

pub(super) mod actor;
pub(super) mod article;
pub(super) mod discovery;
pub(super) mod inbox;
pub(super) mod note;
pub(super) mod quote_authorization;
pub(super) mod secure_mode;

/// Responds with an ActivityStreams document.
fn activity_json(document: &Value) -> Response {
    activity_json_text(document.to_string())
}

/// Like [`activity_json`], from text that is already serialised.
fn activity_json_text(document: String) -> Response {
    ([(header::CONTENT_TYPE, ACTIVITY_JSON)], document).into_response()
}
