//! Serves the OpenSearch description, by which browsers add the site as a search engine.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::web::error::WebError;
use crate::web::state::WebState;

pub(in crate::web) async fn show(State(state): State<WebState>) -> Result<Response, WebError> {
    let mut headers = HeaderMap::new();
    let content_type = HeaderValue::from_static("application/opensearchdescription+xml; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=86400"));
    Ok((headers, state.pages.opensearch()?).into_response())
}
