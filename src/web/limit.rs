//! How often one client may have us ask others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::time::Timestamp;

/// So often in a [`WINDOW`].
const MOST: u32 = 12;
const WINDOW: Duration = Duration::from_mins(1);

/// Clients that are remembered at a time.
const MOST_CLIENTS: usize = 10_000;

/// Requests to others that wait at a time, whoever caused them.
const AT_A_TIME: usize = 8;

/// Counts the requests of each client, and those that are under way.
#[derive(Debug)]
pub struct Limit {
    recent: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
    places: Semaphore,
}

impl Default for Limit {
    fn default() -> Self {
        Self { recent: Mutex::default(), places: Semaphore::new(AT_A_TIME) }
    }
}

impl Limit {
    /// A place for a request of that client; none where it had too many lately, or too many are under way.
    pub(super) fn enter(&self, client: Option<IpAddr>, now: Timestamp) -> Option<SemaphorePermit<'_>> {
        if let Some(client) = client
            && !self.counts(network(client), now)
        {
            return None;
        }
        self.places.try_acquire().ok()
    }

    fn counts(&self, client: IpAddr, now: Timestamp) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= MOST_CLIENTS {
            recent.retain(|_, (began, _)| now < *began + WINDOW);
            if recent.len() >= MOST_CLIENTS {
                return false;
            }
        }
        let (began, count) = recent.entry(client).or_insert((now, 0));
        if now >= *began + WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

/// Whoever has one IPv6 address has its whole network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_heard_so_often_and_then_again_later() {
        let limit = Limit::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let asks = |client: &str, seconds| limit.enter(Some(client.parse().unwrap()), at(seconds)).is_some();
        assert!((0..MOST).all(|_| asks("2001:db8::1", 0)));
        assert!(!asks("2001:db8::2", 1), "the same network");
        assert!(asks("2001:db8:0:1::1", 1) && asks("203.0.113.9", 1), "others are heard");
        assert!(asks("2001:db8::1", 60));
    }

    #[test]
    fn only_so_many_are_under_way() {
        let limit = Limit::default();
        let now = Timestamp::from_millis(0);
        let held: Vec<_> = (0..AT_A_TIME).map(|_| limit.enter(None, now)).collect();
        assert!(held.iter().all(Option::is_some) && limit.enter(None, now).is_none());
        drop(held);
        assert!(limit.enter(None, now).is_some());
    }
}
