//! What servers ask and send.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::net::media_type::ACTIVITY_JSON;

pub(super) mod actor;
pub(super) mod article;
pub(super) mod discovery;
pub(super) mod inbox;
pub(super) mod note;
pub(super) mod secure;
pub(super) mod stamp;

/// An ActivityStreams document.
fn activity_json(document: &Value) -> Response {
    text(document.to_string())
}

/// The same, from its exact text.
fn text(document: String) -> Response {
    ([(header::CONTENT_TYPE, ACTIVITY_JSON)], document).into_response()
}
