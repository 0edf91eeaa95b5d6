//! Serves stored media: posters, images in reviews, avatars.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use object_store::ObjectStoreExt;

use super::versioned_file::IMMUTABLE;
use crate::store::media;
use crate::web::error::WebError;
use crate::web::state::WebState;

pub(in crate::web) async fn show(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    // Only names in the database are looked up in the media store.
    let media_type = media::find_media_type(&state.app.db, &name).await?.ok_or(WebError::NotFound)?;
    let path = object_store::path::Path::from(name.as_str());
    let file = state.app.media_store.get(&path).await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => {
            state.missing_files.report(&name);
            WebError::NotFound
        }
        error => WebError::Internal(error.into()),
    })?;
    let bytes = file.bytes().await.map_err(|error| WebError::Internal(error.into()))?;
    let headers = [(header::CONTENT_TYPE, media_type.as_str()), (header::CACHE_CONTROL, IMMUTABLE)];
    Ok((headers, Body::from(bytes)).into_response())
}
