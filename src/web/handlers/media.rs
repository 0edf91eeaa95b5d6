//! Media files and assets, and the caching of versioned files.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use object_store::ObjectStoreExt;
use serde::Deserialize;

use crate::store::media;
use crate::web::error::WebError;
use crate::web::rendering::if_none_match_contains;
use crate::web::state::WebState;

/// `Cache-Control` of files whose path contains a hash of their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(in crate::web) async fn media_file(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    // A name that is not in the store is not a file that this site has saved.
    let media_type = media::find_media_type(&state.app.db, &name).await?.ok_or(WebError::NotFound)?;
    let place = object_store::path::Path::from(name.as_str());
    let file = state.app.media_store.get(&place).await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => WebError::NotFound,
        error => WebError::Internal(error.into()),
    })?;
    let bytes = file.bytes().await.map_err(|error| WebError::Internal(error.into()))?;
    let headers = [(header::CONTENT_TYPE, media_type.as_str()), (header::CACHE_CONTROL, IMMUTABLE)];
    Ok((headers, Body::from(bytes)).into_response())
}

/// `?v=VERSION`.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct VersionQuery {
    #[serde(default)]
    v: String,
}

/// A file with a version. At the URL with that version it never changes; at any other URL it is the current file and
/// must be revalidated, because two processes of different versions may serve one site during an upgrade.
#[derive(Debug)]
pub(super) struct VersionedFile<'a> {
    pub(super) version: &'a str,
    pub(super) content_type: &'static str,
}

impl VersionedFile<'_> {
    /// The header fields of a response with this file.
    pub(super) fn headers(&self, query: &VersionQuery) -> [(HeaderName, String); 3] {
        let caching = if query.v == self.version { IMMUTABLE } else { "no-cache" };
        [
            (header::CONTENT_TYPE, self.content_type.to_owned()),
            (header::CACHE_CONTROL, caching.to_owned()),
            (header::ETAG, self.etag()),
        ]
    }

    /// Whether the client already has this version.
    pub(super) fn is_unmodified(&self, headers: &HeaderMap) -> bool {
        if_none_match_contains(headers, self.etag().as_bytes())
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

pub(in crate::web) async fn asset(
    State(state): State<WebState>,
    Path(name): Path<String>,
    Query(query): Query<VersionQuery>,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let asset = state.pages.assets().find(&name).ok_or(WebError::NotFound)?;
    let versioned = VersionedFile { version: &asset.version, content_type: asset.content_type };
    let head = versioned.headers(&query);
    if versioned.is_unmodified(&headers) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, asset.bytes.clone()).into_response())
}
