//! The HTTP client that `activitypub_federation` fetches with.
//!
//! The library's own fetch accepts three exact spellings of the content type, fails on relative redirects and mistakes
//! error pages for objects. This adapter sends its requests through our client instead, and returns either a document of
//! a known type with its final URL, or an error.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Extensions, Method, StatusCode};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

use super::NetError;
use super::http_client::{Client, GetRequest};
use super::media_type::{ACTIVITY_JSON, is_activitypub};
use super::response::GetResponse;
use super::signed_fetch::SharedFetchSigner;

/// The maximum size of a document in bytes. `activitypub_federation` has the same limit.
const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// The `Accept` header of fetches. It lists both media types, since some servers know only one of them.
pub(super) const ACCEPT_ACTIVITY: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;

impl Client {
    /// Returns a client for `activitypub_federation`, which signs its fetches if there is a signer.
    pub fn activitypub_client(&self, signer: Option<SharedFetchSigner>) -> ClientWithMiddleware {
        let adapter = ApubAdapter { client: self.clone(), signer };
        ClientBuilder::new(self.reqwest_client()).with_arc(Arc::new(adapter)).build()
    }
}

impl GetResponse {
    /// Whether the response has exactly one `Content-Type`, and that is a media type of ActivityPub.
    pub fn is_activitypub(&self) -> bool {
        let mut all = self.headers.get_all(header::CONTENT_TYPE).iter();
        match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
            (Some(only), None) => is_activitypub(only),
            _ => false,
        }
    }
}

/// Whether a fetch failed because the server has no such document.
pub fn is_not_found(error: &activitypub_federation::error::Error) -> bool {
    let activitypub_federation::error::Error::ReqwestMiddleware(Error::Middleware(error)) = error else {
        return false;
    };
    matches!(error.downcast_ref(), Some(NetError::UnexpectedStatus(StatusCode::NOT_FOUND)))
}

struct ApubAdapter {
    client: Client,
    signer: Option<SharedFetchSigner>,
}

#[async_trait::async_trait]
impl Middleware for ApubAdapter {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response, Error> {
        self.fetch(&request).await.map_err(Error::middleware)
    }
}

impl ApubAdapter {
    async fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        if *request.method() != Method::GET {
            return Err(NetError::InvalidRequest);
        }
        let fetching = self.client.get(GetRequest {
            url: request.url(),
            accept: ACCEPT_ACTIVITY,
            max_bytes: MAX_DOCUMENT_BYTES,
            headers: HeaderMap::new(),
            signer: self.signer.as_ref(),
        });
        let fetched = match request.timeout() {
            Some(limit) => tokio::time::timeout(*limit, fetching).await.map_err(|_| NetError::Timeout)??,
            None => fetching.await?,
        };
        into_reqwest_response(fetched)
    }
}

/// `activitypub_federation` reads the status, the content type, the URL and the body, so these four are passed on.
fn into_reqwest_response(fetched: GetResponse) -> Result<Response, NetError> {
    // The library recognizes 410 and treats any other status as success.
    let gone = fetched.status == StatusCode::GONE;
    if !gone && !fetched.status.is_success() {
        return Err(NetError::UnexpectedStatus(fetched.status));
    }
    if !gone && !fetched.is_activitypub() {
        return Err(NetError::UnexpectedContentType);
    }
    let response = http::Response::builder()
        .status(fetched.status)
        .header(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON))
        .url(fetched.url)
        .body(fetched.body)
        .map_err(|_| NetError::InvalidRequest)?;
    Ok(response.into())
}
