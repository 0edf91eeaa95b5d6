//! The HTTP client of the tests, which resolves names in the test network and trusts its authority.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::ca::Ca;
use super::network::Names;

/// The `Accept` that servers of the fediverse send.
pub const AS2: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
/// The `Accept` that browsers send.
pub const HTML: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Response {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.body))
    }

    /// Whether the signature was rejected.
    pub fn is_unauthorized(&self) -> bool {
        self.status == 401
    }

    /// Whether the request was rejected at once, as a forged or malformed one must be.
    pub fn is_rejection(&self) -> bool {
        matches!(self.status, 400 | 401 | 403 | 413 | 421)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "the client of the tests is not Marquee's")]
    pub fn new(ca: &Ca, names: &Names) -> Self {
        let root = reqwest::Certificate::from_pem(ca.pem().as_bytes()).expect("a certificate");
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(names.clone())
            .tls_certs_only([root])
            .user_agent("Marquee-tests/1.0")
            .timeout(Duration::from_secs(20))
            // A connection that a killed server left behind must not be used again.
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        Self(client)
    }

    /// Sends a request with exactly these headers.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Response, reqwest::Error> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
        }
        let url = Url::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
        let request = self.0.request(method, url).headers(map).body(body);
        let response = request.send().await?;
        Ok(Response {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await?,
        })
    }

    /// Gets a URL in one representation, or returns an error if no server responds.
    pub async fn try_get(&self, url: &str, accept: &str) -> Result<Response, reqwest::Error> {
        self.send(Method::GET, url, &[("accept".into(), accept.into())], Vec::new()).await
    }

    pub async fn get(&self, url: &str, accept: &str) -> Response {
        self.try_get(url, accept).await.unwrap_or_else(|e| panic!("GET {url}: {e:?}"))
    }

    /// Gets an ActivityPub document whose media type and id other servers would accept.
    pub async fn document(&self, url: &str) -> Value {
        let response = self.get(url, AS2).await;
        assert_eq!(response.status, 200, "GET {url}: {}", response.body);
        let media_type = response.header("content-type");
        let is_as2 = media_type.starts_with("application/activity+json")
            || (media_type.starts_with("application/ld+json") && media_type.contains("activitystreams"));
        assert!(is_as2, "{url} is served as {media_type}");
        let document = response.json();
        let id = url.split('#').next().unwrap_or(url);
        assert_eq!(document["id"], id, "the document has the id that was requested");
        document
    }

    /// Looks up an actor by handle, like other servers.
    pub async fn look_up(&self, handle: &str) -> Value {
        let (_, host) = handle.split_once('@').expect("user@host");
        let url = format!("https://{host}/.well-known/webfinger?resource=acct:{handle}");
        let response = self.get(&url, "application/jrd+json").await;
        assert_eq!(response.status, 200, "{url}: {}", response.body);
        let jrd = response.json();
        let links = jrd["links"].as_array().expect("links");
        let link = links
            .iter()
            .find(|link| link["rel"] == "self" && link["type"] == "application/activity+json")
            .expect("a self link of the type that Mastodon looks for");
        assert_eq!(jrd["subject"], format!("acct:{handle}"));
        self.document(link["href"].as_str().expect("a URL")).await
    }
}
