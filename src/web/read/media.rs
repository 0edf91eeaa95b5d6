//! Pictures, the style sheet, the script and the icon.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use object_store::ObjectStoreExt;

use crate::store::media;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// What has its content's hash in its address never changes.
pub(super) const FOREVER: &str = "public, max-age=31536000, immutable";

pub(in crate::web) async fn picture(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    // Only names that we gave are names of files.
    let media_type = media::type_of(&state.app.db, &name).await?.ok_or(WebError::NotFound)?;
    let place = object_store::path::Path::from(name.as_str());
    let file = state.app.media.get(&place).await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => WebError::NotFound,
        error => WebError::Internal(error.into()),
    })?;
    let bytes = file.bytes().await.map_err(|error| WebError::Internal(error.into()))?;
    let headers = [(header::CONTENT_TYPE, media_type.as_str()), (header::CACHE_CONTROL, FOREVER)];
    Ok((headers, Body::from(bytes)).into_response())
}

pub(in crate::web) async fn asset(
    State(state): State<WebState>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let asset = state.pages.assets().find(&name).ok_or(WebError::NotFound)?;
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|etag| etag.as_bytes() == asset.etag.as_bytes());
    let head = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, FOREVER),
        (header::ETAG, asset.etag.as_str()),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, asset.bytes.clone()).into_response())
}
