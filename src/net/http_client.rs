//! The HTTP client for GET requests. It limits the time, size and redirects of every request, and connects only to
//! addresses that the [guard](super::ssrf_guard) permits.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use ipnet::IpNet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use url::Url;

use super::delivery_client::DeliveryClient;
use super::redirects::{MAX_REDIRECTS, redirect_target, retain_forwarded_headers};
use super::resolver::{DnsLookup, HostResolver, ScopedResolver, SystemDns};
use super::response::{GetResponse, MAX_HEADER_BYTES, PostResponse, read_body};
use super::signed_fetch::{SendAttempt, SharedFetchSigner, send_signed};
use super::ssrf_guard::{Guard, NetworkScope};
use super::timeouts::Timeouts;
use super::{NetError, request_budget, tls};

/// How long an idle connection is kept. Fetches contact many hosts, and each idle connection takes memory and a file
/// descriptor.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the operator configured for outgoing requests.
#[derive(Debug, Clone, Default)]
pub struct ClientPolicy {
    /// `Marquee/<version> (+<origin>)`.
    pub user_agent: String,
    /// Networks that may be contacted at any port although they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Addresses of host names that replace DNS. A port other than 0 is used if the URL has none. The guard applies to
    /// these addresses too: a private address must be in an allowed network.
    pub resolve: HashMap<String, SocketAddr>,
    /// Certificates in PEM that are trusted in addition to the system's.
    pub extra_ca: Option<Vec<u8>>,
    /// Whether plain HTTP is used towards allowed networks, for a trial on one machine.
    pub plain_http: bool,
}

/// The HTTP client. It is cheap to clone, and all clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    resolver: Arc<HostResolver>,
    public: reqwest::Client,
    allowed: reqwest::Client,
    deliveries: DeliveryClient,
    timeouts: Timeouts,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// A GET request.
#[derive(Clone)]
pub struct GetRequest<'a> {
    /// The URL to fetch.
    pub url: &'a Url,
    /// The `Accept` header.
    pub accept: &'a str,
    /// The maximum size of the body in bytes, after decompression.
    pub max_bytes: usize,
    /// Further headers. After a redirect to another origin, only conditional ones and the user agent are sent.
    pub headers: HeaderMap,
    /// Signs the request, and each redirect that is followed.
    pub signer: Option<&'a SharedFetchSigner>,
}

impl<'a> GetRequest<'a> {
    /// An unsigned request without further headers.
    pub fn new(url: &'a Url, accept: &'a str, max_bytes: usize) -> Self {
        Self { url, accept, max_bytes, headers: HeaderMap::new(), signer: None }
    }

    /// Adds further headers.
    #[must_use]
    pub fn headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }
}

impl Client {
    /// Creates a client.
    ///
    /// # Errors
    /// Fails if a certificate of the policy is invalid, or if the system has no trusted certificates.
    pub fn new(policy: ClientPolicy) -> anyhow::Result<Self> {
        Self::with_lookup(policy, Arc::new(SystemDns), Timeouts::DEFAULT)
    }

    pub(super) fn with_lookup(
        policy: ClientPolicy,
        dns: Arc<dyn DnsLookup>,
        timeouts: Timeouts,
    ) -> anyhow::Result<Self> {
        let guard = Guard::new(policy.allow_networks, policy.plain_http);
        let resolver = Arc::new(HostResolver::new(guard, policy.resolve, dns));
        let tls = tls::client_config(policy.extra_ca.as_deref())?;
        let build = |scope| {
            let resolver = ScopedResolver { resolver: Arc::clone(&resolver), scope };
            reqwest_client(resolver, &policy.user_agent, tls.clone(), timeouts)
        };
        let user_agent = HeaderValue::from_str(&policy.user_agent).context("invalid user agent")?;
        let connector = TlsConnector::from(Arc::new(tls.clone()));
        let deliveries = DeliveryClient::new(Arc::clone(&resolver), connector, user_agent, timeouts);
        Ok(Self(Arc::new(Inner {
            public: build(NetworkScope::Public)?,
            allowed: build(NetworkScope::AllowedOnly)?,
            deliveries,
            resolver,
            timeouts,
        })))
    }

    /// The client that `reqwest_middleware` needs for its construction. No request is sent with it.
    pub(super) fn reqwest_client(&self) -> reqwest::Client {
        self.0.public.clone()
    }

    /// Fetches a URL and follows up to three redirects. A response with any status counts as success.
    pub async fn get(&self, request: GetRequest<'_>) -> Result<GetResponse, NetError> {
        tokio::time::timeout(self.0.timeouts.total, self.get_following_redirects(request))
            .await
            .map_err(|_| NetError::Timeout)?
    }

    async fn get_following_redirects(&self, mut request: GetRequest<'_>) -> Result<GetResponse, NetError> {
        let mut url = request.url.clone();
        let mut seen: Vec<Url> = Vec::new();
        let (mut moved_to, mut is_permanent) = (None, true);
        let accept = HeaderValue::from_str(request.accept).map_err(|_| NetError::InvalidRequest)?;
        request.headers.insert(header::ACCEPT, accept);
        loop {
            let response = match request.signer {
                Some(signer) => send_signed(self, signer.as_ref(), &url, &request.headers).await?,
                None => self.send(&url, request.headers.clone()).await?,
            };
            let Some(next) = redirect_target(&response, &url)? else {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = read_body(response, request.max_bytes).await?;
                return Ok(GetResponse { url, moved_to, status, headers, body });
            };
            is_permanent &= matches!(response.status().as_u16(), 301 | 308);
            if is_permanent {
                moved_to = Some(next.clone());
            }
            let mut visited = url.clone();
            visited.set_fragment(None);
            seen.push(visited);
            let mut target = next.clone();
            target.set_fragment(None);
            if seen.len() > MAX_REDIRECTS || seen.contains(&target) {
                return Err(NetError::InvalidRedirect);
            }
            if next.origin() != url.origin() {
                retain_forwarded_headers(&mut request.headers);
            }
            url = next;
        }
    }

    /// Sends a POST request. A redirect is returned and not followed, since a signature is valid for one URL only.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<PostResponse, NetError> {
        #[cfg(feature = "failpoints")]
        if fail::eval("post-through-reqwest", |_| ()).is_some() {
            return self.post_through_reqwest(url, headers, body).await;
        }
        self.0.deliveries.post(url, headers, body).await
    }

    /// Sends a POST request without the delivery client, so that a benchmark can measure what that client saves.
    #[cfg(feature = "failpoints")]
    async fn post_through_reqwest(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<PostResponse, NetError> {
        let posting = async {
            let request = self.reqwest_client_for(url)?.post(url.clone()).headers(headers).body(body);
            let response = request.send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            read_body(response, MAX_HEADER_BYTES as usize).await?;
            let retry_after = super::retry_after::RetryAfter::from_headers(&headers);
            Ok(PostResponse { status, retry_after, excerpt: String::new() })
        };
        tokio::time::timeout(self.0.timeouts.total, posting).await.map_err(|_| NetError::Timeout)?
    }

    fn reqwest_client_for(&self, url: &Url) -> Result<&reqwest::Client, NetError> {
        Ok(match self.0.resolver.guard().check(url)? {
            NetworkScope::Public => &self.0.public,
            NetworkScope::AllowedOnly => &self.0.allowed,
        })
    }
}

impl SendAttempt for Client {
    async fn send(&self, url: &Url, headers: HeaderMap) -> Result<reqwest::Response, NetError> {
        let client = self.reqwest_client_for(url)?;
        request_budget::charge(url).await?;
        Ok(client.get(url.clone()).headers(headers).send().await?)
    }
}

#[expect(clippy::disallowed_methods, reason = "all clients are created here")]
fn reqwest_client(
    resolver: ScopedResolver,
    user_agent: &str,
    tls: ClientConfig,
    timeouts: Timeouts,
) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .https_only(resolver.scope == NetworkScope::Public)
        .dns_resolver(resolver)
        .user_agent(user_agent)
        // A proxy from the environment would bypass the guard.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .gzip(true)
        .tls_backend_preconfigured(tls)
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.read)
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    builder.build().context("could not create the HTTP client")
}
