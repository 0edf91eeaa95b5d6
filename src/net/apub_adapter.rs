//! What `activitypub_federation` gets to fetch with.
//!
//! Its own fetch accepts three exact spellings of the content type, fails on relative redirects and takes
//! an error page for an object. Here its requests run through our client, and what it gets back is what
//! it expects: a document of a known type under its final URL, or an error.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Extensions, Method, StatusCode};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

use super::NetError;
use super::client::{Client, GetRequest, GetResponse, SharedFetchSigner};
use super::media_type::{ACTIVITY_JSON, is_activitypub};

/// The same limit that `activitypub_federation` has itself.
const LONGEST_DOCUMENT: usize = 1024 * 1024;

/// Both types, for servers that know only one of them.
pub(super) const ACCEPT_ACTIVITY: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;

impl Client {
    /// A client for `activitypub_federation`, which signs its fetches if there is someone to sign them.
    pub fn activitypub_client(&self, sign: Option<SharedFetchSigner>) -> ClientWithMiddleware {
        let edge = Edge { client: self.clone(), sign };
        ClientBuilder::new(self.reqwest_client()).with_arc(Arc::new(edge)).build()
    }
}

impl GetResponse {
    /// Whether this is served as ActivityPub: under exactly one content type, and that is ActivityPub's.
    pub fn is_activitypub(&self) -> bool {
        let mut all = self.headers.get_all(header::CONTENT_TYPE).iter();
        match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
            (Some(only), None) => is_activitypub(only),
            _ => false,
        }
    }
}

struct Edge {
    client: Client,
    sign: Option<SharedFetchSigner>,
}

#[async_trait::async_trait]
impl Middleware for Edge {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response, Error> {
        self.fetch(&request).await.map_err(Error::middleware)
    }
}

impl Edge {
    async fn fetch(&self, request: &Request) -> Result<Response, NetError> {
        if *request.method() != Method::GET {
            return Err(NetError::InvalidRequest);
        }
        let fetching = self.client.get(GetRequest {
            url: request.url(),
            accept: ACCEPT_ACTIVITY,
            max_bytes: LONGEST_DOCUMENT,
            headers: HeaderMap::new(),
            signer: self.sign.as_ref(),
        });
        let fetched = match request.timeout() {
            Some(limit) => tokio::time::timeout(*limit, fetching).await.map_err(|_| NetError::Timeout)??,
            None => fetching.await?,
        };
        answer(fetched)
    }
}

/// What `activitypub_federation` makes of an answer depends on its status, content type, URL and body, so
/// it gets those four.
fn answer(fetched: GetResponse) -> Result<Response, NetError> {
    // It takes 410 for what it is, and any other status for success.
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
