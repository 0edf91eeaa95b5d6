//! Rate limit for the requests to other servers that readers can trigger.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::client_network::client_network;
use crate::domain::time::Timestamp;

/// How many lookups a client may start in a [`WINDOW`].
const MAX_LOOKUPS_PER_WINDOW: u32 = 12;
const WINDOW: Duration = Duration::from_mins(1);

/// How many clients are tracked.
const MAX_TRACKED_CLIENTS: usize = 10_000;

/// How many lookups may be in flight: for each client, to each host, and in total. A host that never responds affects
/// only lookups to that host.
const MAX_CONCURRENT_PER_CLIENT: usize = 2;
const MAX_CONCURRENT_PER_HOST: usize = 2;
const MAX_CONCURRENT: usize = 32;

/// Counts recent lookups for each client, and those in flight.
#[derive(Debug, Default)]
pub struct LookupLimiter(Mutex<LookupCounts>);

#[derive(Debug, Default)]
struct LookupCounts {
    recent: HashMap<IpAddr, (Timestamp, u32)>,
    in_flight: Vec<(Option<IpAddr>, String)>,
}

/// Permission for one lookup. Dropping it ends the lookup.
#[derive(Debug)]
pub(super) struct LookupPermit<'a> {
    limit: &'a LookupLimiter,
    client: Option<IpAddr>,
    host: String,
}

impl Drop for LookupPermit<'_> {
    fn drop(&mut self) {
        let in_flight = &mut self.limit.lock().in_flight;
        let own = in_flight.iter().position(|(client, host)| *client == self.client && *host == self.host);
        if let Some(own) = own {
            in_flight.swap_remove(own);
        }
    }
}

impl LookupLimiter {
    /// Permits a lookup by a client at a host. Returns `None` if the client has started too many recently, or if too
    /// many are in flight.
    pub(super) fn try_acquire(
        &self,
        client: Option<IpAddr>,
        host: &str,
        now: Timestamp,
    ) -> Option<LookupPermit<'_>> {
        let client = client.map(client_network);
        let mut counts = self.lock();
        if client.is_some_and(|client| !counts.count_lookup(client, now))
            || !counts.has_capacity(client, host)
        {
            return None;
        }
        counts.in_flight.push((client, host.to_owned()));
        Some(LookupPermit { limit: self, client, host: host.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, LookupCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LookupCounts {
    fn has_capacity(&self, client: Option<IpAddr>, host: &str) -> bool {
        let from_client = self.in_flight.iter().filter(|(other, _)| *other == client).count();
        let to_host = self.in_flight.iter().filter(|(_, other)| other == host).count();
        self.in_flight.len() < MAX_CONCURRENT
            && to_host < MAX_CONCURRENT_PER_HOST
            && (client.is_none() || from_client < MAX_CONCURRENT_PER_CLIENT)
    }

    fn count_lookup(&mut self, client: IpAddr, now: Timestamp) -> bool {
        let recent = &mut self.recent;
        if recent.len() >= MAX_TRACKED_CLIENTS && !recent.contains_key(&client) {
            recent.retain(|_, (began, _)| now < *began + WINDOW);
            let oldest = recent.iter().min_by_key(|(_, (began, _))| *began).map(|(oldest, _)| *oldest);
            if let Some(oldest) = oldest.filter(|_| recent.len() >= MAX_TRACKED_CLIENTS) {
                recent.remove(&oldest);
            }
        }
        let (began, count) = recent.entry(client).or_insert((now, 0));
        if now >= *began + WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_LOOKUPS_PER_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_reaches_the_limit_can_try_again_later() {
        let limit = LookupLimiter::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let is_permitted = |client: &str, seconds| {
            limit.try_acquire(Some(client.parse().unwrap()), "m.example", at(seconds)).is_some()
        };
        assert!((0..MAX_LOOKUPS_PER_WINDOW).all(|_| is_permitted("2001:db8::1", 0)));
        assert!(!is_permitted("2001:db8::2", 1), "the same network");
        assert!(
            is_permitted("2001:db8:0:1::1", 1) && is_permitted("203.0.113.9", 1),
            "other networks have limits of their own"
        );
        assert!(is_permitted("2001:db8::1", 60));
    }

    #[test]
    fn hosts_that_never_respond_do_not_block_lookups_at_others() {
        let limit = LookupLimiter::default();
        let now = Timestamp::from_millis(0);
        let try_acquire =
            |client: &str, host: &str| limit.try_acquire(Some(client.parse().unwrap()), host, now);
        let mut held: Vec<_> = (0..8)
            .filter_map(|number| try_acquire("192.0.2.1", &format!("{number}.tarpit.example")))
            .collect();
        assert_eq!(held.len(), MAX_CONCURRENT_PER_CLIENT);
        for client in 2..8 {
            held.extend(try_acquire(&format!("192.0.2.{client}"), "tarpit.example"));
        }
        assert_eq!(held.len(), MAX_CONCURRENT_PER_CLIENT + MAX_CONCURRENT_PER_HOST);
        assert!(try_acquire("192.0.2.9", "m.example").is_some());
        drop(held);
        assert!(try_acquire("192.0.2.1", "tarpit.example").is_some());
    }

    #[test]
    fn the_number_of_lookups_in_flight_is_limited() {
        let limit = LookupLimiter::default();
        let now = Timestamp::from_millis(0);
        let try_acquire = |host: usize| limit.try_acquire(None, &format!("{host}.example"), now);
        let held: Vec<_> = (0..MAX_CONCURRENT).map(try_acquire).collect();
        assert!(held.iter().all(Option::is_some) && try_acquire(MAX_CONCURRENT).is_none());
        drop(held);
        assert!(try_acquire(0).is_some());
    }

    #[test]
    fn lookups_from_many_networks_do_not_exhaust_the_tracked_clients() {
        let limit = LookupLimiter::default();
        let client = |number: usize| {
            let number = u32::try_from(number).unwrap();
            Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number)))
        };
        let mut is_permitted = |number: usize| {
            let now = Timestamp::from_millis(i64::try_from(number / 1000).unwrap());
            limit.try_acquire(client(number), "m.example", now).is_some()
        };
        assert!((0..MAX_TRACKED_CLIENTS + 10).all(&mut is_permitted));
        assert!(limit.lock().recent.len() <= MAX_TRACKED_CLIENTS);
    }
}
