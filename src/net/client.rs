//! The HTTP client. Every request is bounded in time, size and redirects, and every address on its way
//! has passed the [`guard`](super::guard).

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use url::Url;

use super::NetError;
use super::delivery_client::DeliveryClient;
use super::guard::{Guard, NetworkScope};
use super::resolver::{DnsLookup, HostResolver, ScopedResolver, SystemDns};
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;

/// How long a connection is kept that nobody uses. A review goes to very many hosts, most of them at one inbox: what
/// is kept of them takes memory and files.
const KEPT: Duration = Duration::from_secs(10);

/// Redirects that one fetch follows.
const MOST_REDIRECTS: usize = 3;

/// Headers of an answer, together.
pub(super) const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Hosts whose TLS sessions are taken up again, which saves the verification of their certificates. rustls counts
/// eight sessions a host.
const REMEMBERED_HOSTS: usize = 1000;

/// Headers that a caller gave for one address and that are safe at another.
const CARRIED: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::ACCEPT_LANGUAGE];

/// Proves who we are in a fetch.
#[async_trait::async_trait]
pub trait FetchSigner: Send + Sync {
    /// The form that the server of this address is thought to take.
    async fn preferred_scheme(&self, url: &Url) -> SignatureScheme;

    /// The headers that sign a GET of this address.
    async fn sign(&self, url: &Url, form: SignatureScheme, knock: Knock) -> HeaderMap;

    /// The form that the server took, where that was the second one; none where it took neither.
    async fn record_scheme(&self, url: &Url, taken: Option<SignatureScheme>);
}

/// Whether a request is made again, signed in another way, since its signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    /// The first time.
    First,
    /// Again, which is the last time.
    Second,
}

/// Whoever signs our fetches.
pub type SharedFetchSigner = Arc<dyn FetchSigner>;

/// What the operator decided about requests to others.
#[derive(Debug, Clone, Default)]
pub struct ClientPolicy {
    /// `Marquee/<version> (+<origin>)`.
    pub user_agent: String,
    /// Networks that may be reached though they are not public, and at any port.
    pub allow_networks: Vec<IpNet>,
    /// Addresses of names, in place of DNS. A port other than 0 is used where the URL names none. They
    /// are judged as all others: a private one needs its network among the allowed.
    pub resolve: HashMap<String, SocketAddr>,
    /// Certificates in PEM to trust beside the system's own.
    pub extra_ca: Option<Vec<u8>>,
    /// Whether http is spoken to the allowed networks: in a trial on one machine.
    pub plain_http: bool,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    /// Between two pieces of an answer.
    pub(super) read: Duration,
    /// From the first look-up to the last byte, all redirects together.
    pub(super) total: Duration,
}

const LIMITS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(15),
    total: Duration::from_secs(40),
};

/// The client. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    directory: Arc<HostResolver>,
    public: reqwest::Client,
    allowed: reqwest::Client,
    posts: DeliveryClient,
    limits: Timeouts,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// A fetch.
#[derive(Clone)]
pub struct GetRequest<'a> {
    /// What to fetch.
    pub url: &'a Url,
    /// The `Accept` header.
    pub accept: &'a str,
    /// The most bytes that the body may have, after decompression.
    pub max_bytes: usize,
    /// Further headers. At another host than the first one only conditional ones are sent.
    pub headers: HeaderMap,
    /// Signs each hop anew.
    pub signer: Option<&'a SharedFetchSigner>,
}

impl<'a> GetRequest<'a> {
    /// A fetch without further headers, unsigned.
    pub fn new(url: &'a Url, accept: &'a str, limit: usize) -> Self {
        Self { url, accept, max_bytes: limit, headers: HeaderMap::new(), signer: None }
    }

    /// The same with further headers.
    #[must_use]
    pub fn headers(self, headers: HeaderMap) -> Self {
        Self { headers, ..self }
    }
}

/// What was fetched, whatever its status.
#[derive(Debug, Clone)]
pub struct GetResponse {
    /// Where it was found after all redirects.
    pub url: Url,
    /// Its status; never a redirect that could have been followed.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, complete.
    pub body: Bytes,
}

/// The answer to a POST.
#[derive(Debug, Clone)]
pub struct PostResponse {
    /// Its status.
    pub status: StatusCode,
    /// When to come back, where it says so. Not bounded: a peer may say ten years.
    pub retry_after: Option<RetryAfter>,
    /// The start of its body, at most 1 KiB on one line, to show to the operator. It is the peer's text.
    pub excerpt: String,
}

/// A `Retry-After` header (RFC 9110 section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so long.
    Delay(Duration),
    /// At that moment.
    Date(Timestamp),
}

impl RetryAfter {
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = text.parse().unwrap_or(u64::MAX);
            return Some(Self::Delay(Duration::from_secs(seconds)));
        }
        Timestamp::parse_http_date(text).map(Self::Date)
    }

    /// How long that is from now.
    pub fn delay(self, now: Timestamp) -> Duration {
        match self {
            Self::Delay(duration) => duration,
            Self::Date(moment) => moment.duration_since(now),
        }
    }
}

impl Client {
    /// A client under this policy. Fails if a certificate cannot be read or the system has none.
    pub fn new(policy: ClientPolicy) -> anyhow::Result<Self> {
        Self::with_lookup(policy, Arc::new(SystemDns), LIMITS)
    }

    pub(super) fn with_lookup(
        policy: ClientPolicy,
        names: Arc<dyn DnsLookup>,
        limits: Timeouts,
    ) -> anyhow::Result<Self> {
        let guard = Guard::new(policy.allow_networks, policy.plain_http);
        let directory = Arc::new(HostResolver::new(guard, policy.resolve, names));
        let tls = tls(policy.extra_ca.as_deref())?;
        let build = |door| {
            let resolver = ScopedResolver { resolver: Arc::clone(&directory), scope: door };
            inner(resolver, &policy.user_agent, tls.clone(), limits)
        };
        let user_agent = HeaderValue::from_str(&policy.user_agent).context("the user agent")?;
        let connector = TlsConnector::from(Arc::new(tls.clone()));
        let posts = DeliveryClient::new(Arc::clone(&directory), connector, user_agent, limits);
        Ok(Self(Arc::new(Inner {
            public: build(NetworkScope::Public)?,
            allowed: build(NetworkScope::AllowedOnly)?,
            posts,
            directory,
            limits,
        })))
    }

    /// The client that [`super::apub_adapter`] hands to those who insist on one of their own.
    pub(super) fn reqwest_client(&self) -> reqwest::Client {
        self.0.public.clone()
    }

    /// Fetches, and follows up to three redirects. Any status is an answer.
    pub async fn get(&self, request: GetRequest<'_>) -> Result<GetResponse, NetError> {
        tokio::time::timeout(self.0.limits.total, self.follow(request))
            .await
            .map_err(|_| NetError::Timeout)?
    }

    async fn follow(&self, mut request: GetRequest<'_>) -> Result<GetResponse, NetError> {
        let mut url = request.url.clone();
        let mut seen: Vec<Url> = Vec::new();
        let accept = HeaderValue::from_str(request.accept).map_err(|_| NetError::InvalidRequest)?;
        request.headers.insert(header::ACCEPT, accept);
        loop {
            let response = self.knock(&request, &url).await?;
            let Some(next) = redirect(&response, &url)? else {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = read_body(response, request.max_bytes).await?;
                return Ok(GetResponse { url, status, headers, body });
            };
            let mut visited = url.clone();
            visited.set_fragment(None);
            seen.push(visited);
            let mut arriving = next.clone();
            arriving.set_fragment(None);
            if seen.len() > MOST_REDIRECTS || seen.contains(&arriving) {
                return Err(NetError::InvalidRedirect);
            }
            if next.origin() != url.origin() {
                keep_only_carried(&mut request.headers);
            }
            url = next;
        }
    }

    /// Asks once, and once more, signed in the other way, where the signature was not good enough.
    async fn knock(&self, request: &GetRequest<'_>, url: &Url) -> Result<reqwest::Response, NetError> {
        let Some(sign) = request.signer else {
            return self.ask(url, request.headers.clone()).await;
        };
        let ask = async |form, knock| {
            let mut headers = request.headers.clone();
            let mut proof = sign.sign(url, form, knock).await;
            // The connection knows its host better, and HTTP/2 has another name for it.
            proof.remove(header::HOST);
            headers.extend(proof);
            self.ask(url, headers).await
        };
        let form = sign.preferred_scheme(url).await;
        let first = ask(form, Knock::First).await?;
        if !may_reject_signature(first.status()) {
            return Ok(first);
        }
        let second = ask(form.alternative(), Knock::Second).await?;
        if second.status().is_success() {
            sign.record_scheme(url, Some(form.alternative())).await;
        } else if may_reject_signature(second.status()) && form != SignatureScheme::default() {
            sign.record_scheme(url, None).await;
        }
        Ok(second)
    }

    /// Posts. A redirect is an answer like any other: a signature fits one address only.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<PostResponse, NetError> {
        self.0.posts.post(url, headers, body).await
    }

    async fn ask(&self, url: &Url, headers: HeaderMap) -> Result<reqwest::Response, NetError> {
        let client = match self.0.directory.guard().check(url)? {
            NetworkScope::Public => &self.0.public,
            NetworkScope::AllowedOnly => &self.0.allowed,
        };
        Ok(client.get(url.clone()).headers(headers).send().await?)
    }
}

/// How everyone is spoken to who has a certificate: one that the system trusts, or these authorities.
fn tls(extra_ca: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(extra_ca.unwrap_or_default()).collect();
    let provider = Arc::new(default_provider());
    let verifier =
        Verifier::new_with_extra_roots(extra.context("the extra certificates")?, Arc::clone(&provider))
            .context("the certificates to trust")?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(REMEMBERED_HOSTS * 8);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
fn inner(
    resolver: ScopedResolver,
    user_agent: &str,
    tls: ClientConfig,
    limits: Timeouts,
) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .https_only(resolver.scope == NetworkScope::Public)
        .dns_resolver(resolver)
        .user_agent(user_agent)
        // A proxy from the environment would connect in our place, past the guard.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .gzip(true)
        .tls_backend_preconfigured(tls)
        .connect_timeout(limits.connect)
        .read_timeout(limits.read)
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(KEPT)
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    builder.build().context("the HTTP client")
}

/// Whether a status may mean that the signature is in a form that the other side does not read.
pub fn may_reject_signature(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST)
}

/// Where an answer redirects to; none if it does not.
fn redirect(response: &reqwest::Response, from: &Url) -> Result<Option<Url>, NetError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION);
    let target = location
        .and_then(|value| value.to_str().ok())
        .and_then(|text| from.join(text).ok())
        .ok_or(NetError::InvalidRedirect)?;
    if from.scheme() == "https" && target.scheme() == "http" {
        return Err(NetError::InvalidRedirect);
    }
    Ok(Some(target))
}

fn keep_only_carried(headers: &mut HeaderMap) {
    let mut kept = HeaderMap::new();
    for name in CARRIED.into_iter().chain([header::ACCEPT]) {
        if let Some(value) = headers.remove(&name) {
            kept.insert(name, value);
        }
    }
    *headers = kept;
}

/// The whole body, unless it has over `limit` bytes after decompression.
async fn read_body(mut response: reqwest::Response, limit: usize) -> Result<Bytes, NetError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(NetError::TooLarge(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(NetError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
