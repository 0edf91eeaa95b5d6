//! Serves the style sheet, the script, the icon and the files of a custom look.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::versioned_file::{VersionQuery, VersionedFile};
use crate::web::error::WebError;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let asset = state.pages.assets().find(&name).ok_or(WebError::NotFound)?;
    let versioned = VersionedFile { version: &asset.version, content_type: asset.content_type };
    let response_headers = versioned.headers(&query);
    if versioned.is_unmodified(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, response_headers).into_response());
    }
    Ok((response_headers, asset.bytes.clone()).into_response())
}
