//! POSTs, over connections of our own that are kept for a while: a delivery is one small request, and what a
//! general client does around it costs more than the request. Every connection is to an address that has just
//! passed the [`guard`](super::guard); no redirect is followed; all that comes back is bounded.

use std::collections::VecDeque;
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::NetError;
use super::client::{MAX_HEADER_BYTES, PostResponse, RetryAfter, Timeouts};
use super::error::connection_error;
use super::guard::NetworkScope;
use super::resolver::HostResolver;

/// What is kept of the body of an answer.
const EXCERPT: usize = 1024;

/// What is read of it, so that the connection can be used again.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Connections that are kept though nothing is sent over them, to all hosts together. A fan-out to thousands of
/// hosts needs each of its connections once.
const MOST_IDLE: usize = 256;

/// Those among them to one host: as many as it is sent to at a time.
const MOST_IDLE_OF_A_HOST: usize = 4;

/// How long they are kept: the rest of a host's turn comes sooner, and the next review much later.
const IDLE: Duration = Duration::from_secs(10);

/// A kept connection that breaks in this time was closed before; what was sent over it is sent again.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the other side may send unasked over HTTP/2, a stream and in all: answers are short.
const WINDOW: u32 = 64 * 1024;
const WINDOW_OF_ALL: u32 = 256 * 1024;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// How long an address has for itself before the next one is tried beside it (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

type Body = Full<Bytes>;

/// A connection.
enum Wire {
    One(http1::SendRequest<Body>),
    /// Shared by all who post to its host at a time.
    Two(http2::SendRequest<Body>),
}

/// A connection that may be used, and to whom it leads: scheme, host and port. One of HTTP/2 may be in use.
struct Idle {
    place: String,
    wire: Wire,
    since: Instant,
}

/// Connections that are kept for whoever comes next, those first that were not used for longest.
#[derive(Default)]
struct Shelf(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    idle: VecDeque<Idle>,
    /// Whether somebody looks after those that are idle for too long.
    is_swept: bool,
}

/// Posts to everyone.
pub(super) struct DeliveryClient {
    directory: Arc<HostResolver>,
    tls: TlsConnector,
    user_agent: HeaderValue,
    limits: Timeouts,
    shelf: Arc<Shelf>,
}

impl DeliveryClient {
    pub(super) fn new(
        directory: Arc<HostResolver>,
        tls: TlsConnector,
        user_agent: HeaderValue,
        limits: Timeouts,
    ) -> Self {
        Self { directory, tls, user_agent, limits, shelf: Arc::default() }
    }

    /// Posts, and reads the start of the answer.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<PostResponse, NetError> {
        let door = self.directory.guard().check(url)?;
        let place = &url[..Position::BeforePath];
        let end = Instant::now() + self.limits.total;
        let posting = async {
            for _ in 0..MOST_IDLE_OF_A_HOST {
                let Some(wire) = self.shelf.take(place) else { break };
                let request = self.request(&wire, url, headers.clone(), body.clone())?;
                let began = Instant::now();
                match self.send(place, wire, request, end).await {
                    // It was closed while it was idle. An activity that arrives twice is taken once; who thought
                    // about it for long and hung up is not asked again at once.
                    Err(Broken::Unheard) if began.elapsed() < AT_ONCE => {}
                    answered => return answered.map_err(NetError::from),
                }
            }
            let connecting = timeout(self.limits.connect, self.connect(url, door));
            let wire = connecting.await.map_err(|_| NetError::Timeout)??;
            let request = self.request(&wire, url, headers, body)?;
            Ok(self.send(place, wire, request, end).await?)
        };
        let posted = timeout_at(end, posting).await.map_err(|_| NetError::Timeout).flatten();
        if posted.is_err() {
            self.shelf.drop_all(place);
        }
        posted
    }

    fn request(
        &self,
        wire: &Wire,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request<Body>, NetError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::USER_AGENT, self.user_agent.clone());
        // The names of the host and of what is asked for, as each protocol spells them.
        let (host, target) = match wire {
            Wire::One(_) => {
                let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
                (
                    Some(host.map_err(|_| NetError::InvalidRequest)?),
                    &url[Position::BeforePath..Position::AfterQuery],
                )
            }
            Wire::Two(_) => (None, &url[..Position::AfterQuery]),
        };
        request.headers_mut().remove(header::HOST);
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
        *request.uri_mut() = target.parse::<Uri>().map_err(|_| NetError::InvalidRequest)?;
        Ok(request)
    }

    async fn send(
        &self,
        place: &str,
        mut wire: Wire,
        request: Request<Body>,
        end: Instant,
    ) -> Result<PostResponse, Broken> {
        let sent = timeout(self.limits.read, wire.send(request));
        let response = sent.await.map_err(|_| Broken::Final(NetError::Timeout))??;
        let (head, body) = response.into_parts();
        let retry_after = RetryAfter::from_headers(&head.headers);
        let mut start = Vec::new();
        // The status says it all; a body that breaks off or drips takes nothing from it, and not the time to tell.
        let left = end.saturating_duration_since(Instant::now()).mul_f64(0.9);
        let reading = timeout(self.limits.read.min(left), read_start(body, &mut start));
        if reading.await.is_ok_and(|whole| whole) {
            self.shelf.put(place, wire);
        }
        Ok(PostResponse { status: head.status, retry_after, excerpt: excerpt(&start) })
    }

    async fn connect(&self, url: &Url, door: NetworkScope) -> Result<Wire, NetError> {
        let host = url.host().ok_or(NetError::InvalidRequest)?;
        let addresses = match &host {
            Host::Domain(name) => self.directory.resolve_permitted(name, door).await?,
            // Judged with the URL.
            Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), 0)],
            Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), 0)],
        };
        let port = url.port_or_known_default().ok_or(NetError::InvalidRequest)?;
        let is_explicit = url.port().is_some();
        let with_port = |mut address: SocketAddr| {
            if is_explicit || address.port() == 0 {
                address.set_port(port);
            }
            address
        };
        let addresses: Vec<_> = addresses.into_iter().take(MOST_ADDRESSES).map(with_port).collect();
        let stream = reach(addresses).await?;
        let _ = stream.set_nodelay(true);
        if url.scheme() != "https" {
            return one(stream).await;
        }
        let name = match host {
            Host::Domain(name) => {
                ServerName::try_from(name.to_owned()).map_err(|_| NetError::InvalidRequest)?
            }
            Host::Ipv4(address) => IpAddr::V4(address).into(),
            Host::Ipv6(address) => IpAddr::V6(address).into(),
        };
        let stream = self.tls.connect(name, stream).await.map_err(|error| connection_error(&error))?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") { two(stream).await } else { one(stream).await }
    }
}

/// Why there is no answer.
enum Broken {
    /// The other side closed the connection before it answered anything.
    Unheard,
    /// Anything else.
    Final(NetError),
}

impl From<Broken> for NetError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Unheard => Self::InvalidResponse,
            Broken::Final(error) => error,
        }
    }
}

/// Whether the other side closed the connection, in whatever way.
fn is_hang_up(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};

    let kind =
        error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let is_closed = error.is_canceled() || error.is_closed() || error.is_incomplete_message();
    is_closed || matches!(kind, Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        if is_hang_up(&error) {
            Self::Unheard
        } else if error.is_user() {
            Self::Final(NetError::InvalidRequest)
        } else {
            Self::Final(NetError::InvalidResponse)
        }
    }
}

impl Wire {
    async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Broken> {
        match self {
            Self::One(wire) => {
                wire.ready().await?;
                Ok(wire.send_request(request).await?)
            }
            Self::Two(wire) => {
                wire.ready().await?;
                Ok(wire.send_request(request).await?)
            }
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::One(wire) => wire.is_closed(),
            Self::Two(wire) => wire.is_closed(),
        }
    }
}

impl Shelf {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to this place, the one that was used last.
    fn take(&self, place: &str) -> Option<Wire> {
        let idle = &mut self.lock().idle;
        loop {
            let found = idle.iter().rposition(|idle| idle.place == place)?;
            let taken = idle.remove(found)?;
            if taken.wire.is_closed() {
                continue;
            }
            if let Wire::Two(wire) = &taken.wire {
                let shared = Wire::Two(wire.clone());
                idle.push_back(Idle { since: Instant::now(), ..taken });
                return Some(shared);
            }
            return Some(taken.wire);
        }
    }

    /// Keeps a connection for whoever comes next.
    fn put(self: &Arc<Self>, place: &str, wire: Wire) {
        let mut kept = self.lock();
        let of_host = kept.idle.iter().filter(|idle| idle.place == place);
        let is_enough = match wire {
            Wire::One(_) => of_host.count() >= MOST_IDLE_OF_A_HOST,
            Wire::Two(_) => of_host.into_iter().next().is_some(),
        };
        if is_enough || wire.is_closed() {
            return;
        }
        if !std::mem::replace(&mut kept.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
        if kept.idle.len() >= MOST_IDLE {
            kept.idle.pop_front();
        }
        kept.idle.push_back(Idle { place: place.to_owned(), wire, since: Instant::now() });
    }

    /// Keeps nothing to this place: what is sent there gets no answer.
    fn drop_all(&self, place: &str) {
        self.lock().idle.retain(|idle| idle.place != place);
    }

    /// Closes what has been idle for too long; gives when to come back, none where nothing is left.
    fn sweep(&self) -> Option<Instant> {
        let mut kept = self.lock();
        let now = Instant::now();
        while let Some(oldest) = kept.idle.front() {
            if oldest.since + IDLE > now {
                return Some(oldest.since + IDLE);
            }
            kept.idle.pop_front();
        }
        kept.is_swept = false;
        None
    }
}

/// Closes connections that nobody wants any more, until there are none.
async fn sweep(shelf: Weak<Shelf>) {
    let mut next = Instant::now() + IDLE;
    loop {
        sleep_until(next).await;
        let Some(shelf) = shelf.upgrade() else { return };
        match shelf.sweep() {
            Some(moment) => next = moment,
            None => return,
        }
    }
}

/// A connection to the first of these addresses that takes one.
async fn reach(addresses: Vec<SocketAddr>) -> Result<TcpStream, NetError> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = NetError::Dns;
    loop {
        match waiting.next() {
            Some(address) => trying.push(TcpStream::connect(address)),
            None if trying.is_empty() => return Err(last),
            None => {}
        }
        tokio::select! {
            Some(tried) = trying.next() => match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => last = connection_error(&error),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// Speaks HTTP/1.1.
async fn one(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Wire, NetError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEADER_BYTES as usize);
    let (wire, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|_| NetError::InvalidResponse)?;
    // What breaks it off, whoever sends over it is told, too.
    tokio::spawn(connection);
    Ok(Wire::One(wire))
}

/// Speaks HTTP/2.
async fn two(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Wire, NetError> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.max_header_list_size(MAX_HEADER_BYTES);
    builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW_OF_ALL);
    let (wire, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|_| NetError::InvalidResponse)?;
    tokio::spawn(connection);
    Ok(Wire::Two(wire))
}

/// The start of a body, or what there is of it; whether it was read to its end.
async fn read_start(mut body: Incoming, start: &mut Vec<u8>) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let Some(chunk) = frame.data_ref() else { continue };
        read += chunk.len();
        let room = EXCERPT - start.len();
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read > LONGEST_ANSWER {
            return false;
        }
    }
    true
}

/// Text on one line, of at most [`EXCERPT`] bytes.
fn excerpt(start: &[u8]) -> String {
    let text = String::from_utf8_lossy(start);
    let mut line = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if line.len() + c.len_utf8() > EXCERPT {
            break;
        }
        line.push(c);
    }
    line.trim().to_owned()
}
