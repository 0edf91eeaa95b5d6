//! Happy Eyeballs (RFC 8305): connects to the first address of a host that accepts.
//!
//! The connector of hyper-util starts only two attempts in parallel, one for each address family, and within a family
//! an address that does not answer delays the next one until its attempt times out.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::NetError;
use super::error::connection_error;

/// How long to wait for a connection before the next address is tried in parallel (RFC 8305 section 5).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first address that accepts. Tries the next one whenever one fails or is slow.
pub(super) async fn connect_first(addresses: Vec<SocketAddr>) -> Result<TcpStream, NetError> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last_error = NetError::Dns;
    loop {
        match waiting.next() {
            Some(address) => attempts.push(TcpStream::connect(address)),
            None if attempts.is_empty() => return Err(last_error),
            None => {}
        }
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => last_error = connection_error(&error),
            },
            () = sleep(CONNECTION_ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}
