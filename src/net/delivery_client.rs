//! The HTTP client for deliveries (POST requests). Every connection is opened to an address that the
//! [guard](super::ssrf_guard) permits, redirects are not followed, and responses are limited in size.
//!
//! It exists because a fan-out contacts thousands of hosts once each: reqwest limits idle connections only for each host, so
//! it keeps one for every host that was contacted within the idle timeout. After 1,000 hosts it held 1,033 file descriptors
//! and 74 MB, this client 370 and 56 MB. CPU time is no reason for it: both cost the same over kept connections, and over new
//! ones this client saves a twentieth (see "The delivery client" in `benches/README.md`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::NetError;
use super::connection::{Connection, SendError};
use super::connection_pool::{ConnectionPool, MAX_IDLE_PER_HOST};
use super::error::connection_error;
use super::happy_eyeballs::connect_first;
use super::resolver::HostResolver;
use super::response::PostResponse;
use super::retry_after::RetryAfter;
use super::ssrf_guard::NetworkScope;
use super::timeouts::Timeouts;

/// The maximum number of bytes of a response body that are shown to the operator.
const MAX_EXCERPT_BYTES: usize = 1024;

/// The maximum number of bytes of a response body that are read to make the connection reusable.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// A pooled connection that fails within this time is assumed to have been closed before, so the request is sent again
/// over another one.
const STALE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// The client for deliveries.
pub(super) struct DeliveryClient {
    resolver: Arc<HostResolver>,
    tls: TlsConnector,
    user_agent: HeaderValue,
    timeouts: Timeouts,
    pool: Arc<ConnectionPool>,
}

impl DeliveryClient {
    pub(super) fn new(
        resolver: Arc<HostResolver>,
        tls: TlsConnector,
        user_agent: HeaderValue,
        timeouts: Timeouts,
    ) -> Self {
        Self { resolver, tls, user_agent, timeouts, pool: Arc::default() }
    }

    /// Sends a POST request, and reads the start of the response.
    pub(super) async fn post(
        &self,
        url: &Url,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<PostResponse, NetError> {
        let scope = self.resolver.guard().check(url)?;
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        let deadline = Instant::now() + self.timeouts.total;
        let sending = self.send(url, scope, headers, body, deadline);
        let sent = timeout_at(deadline, sending).await.map_err(|_| NetError::Timeout).flatten();
        if sent.is_err() {
            self.pool.remove(origin(url));
        }
        sent
    }

    async fn send(
        &self,
        url: &Url,
        scope: NetworkScope,
        headers: HeaderMap,
        body: Bytes,
        deadline: Instant,
    ) -> Result<PostResponse, NetError> {
        for _ in 0..MAX_IDLE_PER_HOST {
            let Some(connection) = self.pool.take(origin(url)) else { break };
            let started = Instant::now();
            match self.send_over(connection, url, headers.clone(), body.clone(), deadline).await {
                // The peer closed the connection while it was idle. (An activity that arrives twice is applied once.) A
                // peer that closes it later may have processed the request, so it is not sent again immediately.
                Err(SendError::Closed) if started.elapsed() < STALE_CONNECTION_TIMEOUT => {}
                sent => return sent.map_err(NetError::from),
            }
        }
        let connecting = timeout(self.timeouts.connect, self.connect(url, scope));
        let connection = connecting.await.map_err(|_| NetError::Timeout)??;
        Ok(self.send_over(connection, url, headers, body, deadline).await?)
    }

    async fn send_over(
        &self,
        mut connection: Connection,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
        deadline: Instant,
    ) -> Result<PostResponse, SendError> {
        let posting = timeout(self.timeouts.read, connection.post(url, headers, body));
        let response = posting.await.map_err(|_| SendError::Failed(NetError::Timeout))??;
        let (head, body) = response.into_parts();
        let mut start = Vec::new();
        // Only the status matters: a body that is slow or incomplete must not use up the time until the deadline.
        let remaining = deadline.saturating_duration_since(Instant::now()).mul_f64(0.9);
        let reading = timeout(self.timeouts.read.min(remaining), read_start(body, &mut start));
        if reading.await.is_ok_and(|is_complete| is_complete) {
            self.pool.put(origin(url), connection);
        }
        let retry_after = RetryAfter::from_headers(&head.headers);
        Ok(PostResponse { status: head.status, retry_after, excerpt: excerpt(&start) })
    }

    async fn connect(&self, url: &Url, scope: NetworkScope) -> Result<Connection, NetError> {
        let host = url.host().ok_or(NetError::InvalidRequest)?;
        let mut addresses = match &host {
            Host::Domain(name) => self.resolver.resolve_permitted(name, scope).await?,
            // The guard has checked these with the URL.
            Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), 0)],
            Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), 0)],
        };
        addresses.truncate(MAX_ADDRESSES);
        let port = url.port_or_known_default().ok_or(NetError::InvalidRequest)?;
        for address in &mut addresses {
            if url.port().is_some() || address.port() == 0 {
                address.set_port(port);
            }
        }
        let stream = connect_first(addresses).await?;
        let _ = stream.set_nodelay(true);
        if url.scheme() != "https" {
            return Connection::http1(stream).await;
        }
        let name = match host {
            Host::Domain(name) => {
                ServerName::try_from(name.to_owned()).map_err(|_| NetError::InvalidRequest)?
            }
            Host::Ipv4(address) => IpAddr::V4(address).into(),
            Host::Ipv6(address) => IpAddr::V6(address).into(),
        };
        let stream = self.tls.connect(name, stream).await.map_err(|error| connection_error(&error))?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Connection::http2(stream).await
        } else {
            Connection::http1(stream).await
        }
    }
}

/// Returns the scheme, host and port of a URL.
fn origin(url: &Url) -> &str {
    &url[..Position::BeforePath]
}

/// Reads the start of a body. Returns whether the body was read to its end.
async fn read_start(mut body: Incoming, start: &mut Vec<u8>) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let Some(chunk) = frame.data_ref() else { continue };
        read += chunk.len();
        let remaining = MAX_EXCERPT_BYTES - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(remaining)]);
        if read > MAX_BODY_BYTES {
            return false;
        }
    }
    true
}

/// Returns the text on one line, with at most [`MAX_EXCERPT_BYTES`].
fn excerpt(start: &[u8]) -> String {
    let text = String::from_utf8_lossy(start).replace(char::is_control, " ");
    // Each byte that is not UTF-8 has become three.
    text[..text.floor_char_boundary(MAX_EXCERPT_BYTES)].trim().to_owned()
}
