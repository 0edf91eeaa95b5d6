//! Accepts connections and serves the site on them.
//!
//! Every wait for a client has an end: for the head of a request, for the next request, and for the client to read a
//! response. (Handlers bound the wait for a body.) Connections are bounded in all and for each address; the oldest idle one
//! makes room for a new one. Peers that forward the requests of others are not bounded as one address.
//!
//! A check of all connections, a few times within the shortest wait, takes the place of timers: no request costs more.

mod client_connection;
mod connection_service;
mod connection_table;
mod limits;
mod unnamed_proxies;
mod watched_stream;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::client_connection::{ClientConnection, Ending};
use self::connection_service::ConnectionService;
use self::connection_table::ConnectionTable;
use self::watched_stream::WatchedStream;
use super::client_address::is_private;
use super::fast_path::FastPath;

use crate::domain::untrusted::Untrusted;

pub use self::limits::ConnectionLimits;

/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Requests that one connection of HTTP/2 may have in flight: from strangers, and from this machine and its networks.
const MAX_STREAMS_OF_STRANGER: u32 = 16;
const MAX_STREAMS: u32 = 100;

/// Bytes that a client may send before we take them, on one stream and on a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// The size of all header fields of a request over HTTP/2.
const MAX_HEADER_LIST_BYTES: u32 = 32 * 1024;

/// Bytes of responses that wait to be sent on a stream.
const MAX_SEND_BUFFER: usize = 128 * 1024;

/// Streams that a client opens and resets at once, before its connection is closed.
const MAX_RESETS: usize = 20;

/// The pause after the system refused to accept a connection, for want of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the site until `stop` resolves, then finishes the requests in flight.
pub async fn serve(
    listener: TcpListener,
    site: FastPath,
    trusted_proxies: Arc<[IpNet]>,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) {
    let check_interval = limits.check_interval();
    let table = Arc::new(ConnectionTable::new(limits, trusted_proxies));
    let server = Server {
        near: Arc::new(builder(MAX_STREAMS)),
        stranger: Arc::new(builder(MAX_STREAMS_OF_STRANGER)),
        site,
        table,
    };
    let checking = tokio::spawn(check_regularly(Arc::clone(&server.table), check_interval));
    let (ends, ended) = watch::channel(());
    let mut stop = pin!(stop);
    let mut is_short_logged = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => server.serve_stream(stream, peer, &ended),
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_short_logged, true) {
                    tracing::error!(error = ?Untrusted::chain(&error), "could not accept a connection; idle ones are closed");
                }
                server.table.make_room();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, ended));
    server.table.end_all();
    ends.closed().await;
    checking.abort();
}

/// Whether the error concerns only a connection that the client gave up.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn check_regularly(table: Arc<ConnectionTable>, every: Duration) {
    let start = Instant::now();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        table.check(start.elapsed());
    }
}

fn builder(max_streams: u32) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The table ends connections whose head does not arrive: this wait would end idle ones as well.
    builder.http1().header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .max_concurrent_streams(max_streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS);
    builder
}

/// What all connections share.
struct Server {
    site: FastPath,
    table: Arc<ConnectionTable>,
    near: Arc<Builder<TokioExecutor>>,
    stranger: Arc<Builder<TokioExecutor>>,
}

impl Server {
    fn serve_stream(&self, stream: TcpStream, peer: SocketAddr, running: &watch::Receiver<()>) {
        // Without a place, the connection is closed.
        let Some(connection) = self.table.open(peer) else { return };
        // It only makes responses faster.
        let _ = stream.set_nodelay(true);
        let is_near = connection.usage.is_proxy.load(Relaxed) || is_private(peer.ip().to_canonical());
        let builder = Arc::clone(if is_near { &self.near } else { &self.stranger });
        let open = OpenConnection { table: Arc::clone(&self.table), connection };
        let service = ConnectionService {
            site: self.site.clone(),
            table: Arc::clone(&self.table),
            connection: Arc::clone(&open.connection),
        };
        let running = running.clone();
        tokio::spawn(async move {
            let stream = WatchedStream::new(stream, Arc::clone(&open.connection));
            let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
            loop {
                tokio::select! {
                    // An error is the client's.
                    _ended = serving.as_mut() => break,
                    ending = open.connection.asked_to_end() => match ending {
                        Ending::None => {}
                        Ending::Graceful => serving.as_mut().graceful_shutdown(),
                        Ending::Abrupt => break,
                    },
                }
            }
            drop(running);
        });
    }
}

/// A connection in the table. Dropping it removes it.
struct OpenConnection {
    table: Arc<ConnectionTable>,
    connection: Arc<ClientConnection>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.table.close(&self.connection);
    }
}
