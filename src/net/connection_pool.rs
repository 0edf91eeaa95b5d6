//! Idle connections of the delivery client. Their number is limited, in total and for each host. None is kept longer than
//! [`IDLE_TIMEOUT`] after its last use.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connection::Connection;

/// The maximum number of idle connections in total. A fan-out to thousands of hosts uses most connections only once.
const MAX_IDLE: usize = 256;

/// The maximum number of idle connections to one host, which is the number of concurrent deliveries to it.
pub(super) const MAX_IDLE_PER_HOST: usize = 4;

/// How long a connection may be idle. The rest of a host's batch follows sooner, and the next review much later.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle connections, least recently used first.
#[derive(Default)]
pub(super) struct ConnectionPool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connections: VecDeque<IdleConnection>,
    /// Whether a task is running that closes expired connections.
    has_reaper: bool,
}

/// An idle connection. An HTTP/2 connection may be in use at the same time.
struct IdleConnection {
    /// Scheme, host and port.
    origin: String,
    connection: Connection,
    last_used: Instant,
}

impl ConnectionPool {
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the most recently used connection to an origin.
    pub(super) fn take(&self, origin: &str) -> Option<Connection> {
        let idle = &mut self.lock().connections;
        loop {
            let position = idle.iter().rposition(|idle| idle.origin == origin)?;
            let taken = idle.remove(position)?;
            if taken.connection.is_closed() {
                continue;
            }
            let Some(shared) = taken.connection.share() else { return Some(taken.connection) };
            idle.push_back(IdleConnection { last_used: Instant::now(), ..taken });
            return Some(shared);
        }
    }

    /// Keeps a connection for the next request to its origin, unless the origin has enough of them.
    pub(super) fn put(self: &Arc<Self>, origin: &str, connection: Connection) {
        let mut idle = self.lock();
        let limit = if connection.share().is_some() { 1 } else { MAX_IDLE_PER_HOST };
        let kept = idle.connections.iter().filter(|idle| idle.origin == origin).count();
        if kept >= limit || connection.is_closed() {
            return;
        }
        if !std::mem::replace(&mut idle.has_reaper, true) {
            tokio::spawn(reap(Arc::downgrade(self)));
        }
        if idle.connections.len() >= MAX_IDLE {
            idle.connections.pop_front();
        }
        let origin = origin.to_owned();
        idle.connections.push_back(IdleConnection { origin, connection, last_used: Instant::now() });
    }

    /// Closes all idle connections to an origin.
    pub(super) fn remove(&self, origin: &str) {
        self.lock().connections.retain(|idle| idle.origin != origin);
    }

    /// Closes expired connections. Returns when the next one expires, or `None` if none is left.
    fn close_expired(&self) -> Option<Instant> {
        let mut idle = self.lock();
        let now = Instant::now();
        while let Some(oldest) = idle.connections.front() {
            let end = oldest.last_used + IDLE_TIMEOUT;
            if end > now {
                return Some(end);
            }
            idle.connections.pop_front();
        }
        idle.has_reaper = false;
        None
    }
}

/// Closes expired connections until the pool is empty or dropped.
async fn reap(pool: Weak<ConnectionPool>) {
    let mut next = Instant::now() + IDLE_TIMEOUT;
    loop {
        sleep_until(next).await;
        let Some(end) = pool.upgrade().and_then(|pool| pool.close_expired()) else { return };
        next = end;
    }
}
