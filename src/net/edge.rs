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
use super::client::{Client, Fetched, Get, Signer};
use super::media_type::{ACTIVITY_JSON, is_activity};

/// The same limit that `activitypub_federation` has itself.
const LONGEST_DOCUMENT: usize = 1024 * 1024;

/// Both types, for servers that know only one of them.
pub(super) const ACCEPT_ACTIVITY: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;

impl Client {
    /// A client for `activitypub_federation`, which signs its fetches if there is someone to sign them.
    pub fn middleware(&self, sign: Option<Signer>) -> ClientWithMiddleware {
        let edge = Edge { client: self.clone(), sign };
        ClientBuilder::new(self.bare()).with_arc(Arc::new(edge)).build()
    }
}

impl Fetched {
    /// Whether this is served as ActivityPub: under exactly one content type, and that is ActivityPub's.
    pub fn is_activity(&self) -> bool {
        let mut all = self.headers.get_all(header::CONTENT_TYPE).iter();
        match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
            (Some(only), None) => is_activity(only),
            _ => false,
        }
    }
}

struct Edge {
    client: Client,
    sign: Option<Signer>,
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
            return Err(NetError::Request);
        }
        let fetching = self.client.get(Get {
            url: request.url(),
            accept: ACCEPT_ACTIVITY,
            limit: LONGEST_DOCUMENT,
            headers: HeaderMap::new(),
            sign: self.sign.as_ref(),
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
fn answer(fetched: Fetched) -> Result<Response, NetError> {
    // It takes 410 for what it is, and any other status for success.
    let gone = fetched.status == StatusCode::GONE;
    if !gone && !fetched.status.is_success() {
        return Err(NetError::Status(fetched.status));
    }
    if !gone && !fetched.is_activity() {
        return Err(NetError::ContentType);
    }
    let response = http::Response::builder()
        .status(fetched.status)
        .header(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON))
        .url(fetched.url)
        .body(fetched.body)
        .map_err(|_| NetError::Request)?;
    Ok(response.into())
}
