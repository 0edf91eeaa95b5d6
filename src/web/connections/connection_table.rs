//! All open connections: how many there may be, in all and of each address, and which one makes room for a new one.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;

use super::client_connection::{AddressUsage, ClientConnection, CoarseClock, Ending, Waits};
use super::limits::ConnectionLimits;
use super::unnamed_proxies::UnnamedProxies;
use crate::domain::owner::Owner;
use crate::domain::untrusted::Untrusted;

/// All connections.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    limits: ConnectionLimits,
    trusted_proxies: Arc<[IpNet]>,
    pub(super) unnamed_proxies: UnnamedProxies,
    clock: Arc<CoarseClock>,
    requests: AtomicUsize,
    open: Mutex<OpenConnections>,
    is_full_logged: AtomicBool,
    is_address_logged: AtomicBool,
    is_busy_logged: AtomicBool,
}

#[derive(Debug, Default)]
struct OpenConnections {
    last_id: u64,
    all: HashMap<u64, Arc<ClientConnection>>,
    addresses: HashMap<IpAddr, OpenAddress>,
    /// Idle connections, in the order in which they make room. Found together, since finding one is as expensive.
    idle: VecDeque<Arc<ClientConnection>>,
}

#[derive(Debug, Default)]
struct OpenAddress {
    connections: usize,
    usage: Arc<AddressUsage>,
}

/// A request that is being handled. Dropping it ends it.
#[derive(Debug)]
pub(super) struct RequestPlace {
    table: Arc<ConnectionTable>,
    usage: Arc<AddressUsage>,
}

impl Drop for RequestPlace {
    fn drop(&mut self) {
        self.table.requests.fetch_sub(1, Relaxed);
        self.usage.requests.fetch_sub(1, Relaxed);
    }
}

/// The network that a client can use all addresses of.
fn network_of(address: IpAddr) -> IpAddr {
    match Owner::address(address) {
        Owner::Address(network) => network,
        _ => address,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl ConnectionTable {
    pub(super) fn new(limits: ConnectionLimits, trusted_proxies: Arc<[IpNet]>) -> Self {
        Self {
            unnamed_proxies: UnnamedProxies::new(Arc::clone(&trusted_proxies)),
            limits,
            trusted_proxies,
            clock: Arc::default(),
            requests: AtomicUsize::new(0),
            open: Mutex::default(),
            is_full_logged: AtomicBool::new(false),
            is_address_logged: AtomicBool::new(false),
            is_busy_logged: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection. If there is no room, the oldest idle connection goes: one of the same address if that has too
    /// many, otherwise one of the address that has most. Returns `None` if none is idle.
    pub(super) fn open(&self, peer: SocketAddr) -> Option<Arc<ClientConnection>> {
        let address = peer.ip().to_canonical();
        let is_trusted = self.trusted_proxies.iter().any(|network| network.contains(&address));
        let is_proxy = is_trusted || self.unnamed_proxies.contains(address);
        // A proxy is one machine, so that its network does not matter.
        let network = if is_proxy { address } else { network_of(address) };
        let mut open = self.lock();
        let known = open.addresses.get(&network).map(|known| (known.connections, Arc::clone(&known.usage)));
        let (held, usage) = known.unwrap_or_default();
        if is_proxy {
            usage.is_proxy.store(true, Relaxed);
        } else if !usage.is_proxy.load(Relaxed) && held >= self.limits.connections_per_address {
            self.log_full_address(network);
            open.oldest_idle_of(network)?.give_way();
        }
        if open.all.len() >= self.limits.connections {
            self.log_full();
            open.make_room()?;
        }
        open.last_id += 1;
        let id = open.last_id;
        let connection =
            Arc::new(ClientConnection::new(id, peer, network, Arc::clone(&usage), Arc::clone(&self.clock)));
        open.all.insert(id, Arc::clone(&connection));
        open.addresses.entry(network).or_insert(OpenAddress { connections: 0, usage }).connections += 1;
        Some(connection)
    }

    /// Lets an idle connection end, so that there is a free file again.
    pub(super) fn make_room(&self) {
        self.lock().make_room();
    }

    /// Removes a connection that ended.
    pub(super) fn close(&self, connection: &ClientConnection) {
        self.lock().remove(connection);
    }

    /// Takes a place for a request of a connection. Returns `None` if there is none: when most of them are taken, an
    /// address that has many gets no more.
    pub(super) fn begin_request(self: &Arc<Self>, connection: &ClientConnection) -> Option<RequestPlace> {
        let usage = &connection.usage;
        let (all, own) = (self.requests.fetch_add(1, Relaxed), usage.requests.fetch_add(1, Relaxed));
        let place = RequestPlace { table: Arc::clone(self), usage: Arc::clone(usage) };
        let most = self.limits.requests;
        let has_many = own >= (most / 8).max(1) && !usage.is_proxy.load(Relaxed);
        if all >= most || (all >= most / 4 * 3 && has_many) {
            if !self.is_busy_logged.swap(true, Relaxed) {
                tracing::warn!(requests = all, "too many requests at a time; some are rejected");
            }
            return None;
        }
        Some(place)
    }

    /// Advances the clock, and ends the connections that have waited too long.
    pub(super) fn check(&self, now: Duration) {
        self.clock.advance(millis(now));
        let limits = &self.limits;
        let waits = |idle| Waits { head: millis(limits.head_wait), idle, write: millis(limits.write_wait) };
        let (stranger, proxy) = (waits(millis(limits.idle_wait)), waits(millis(limits.proxy_idle_wait)));
        for connection in self.lock().all.values() {
            let is_proxy = connection.usage.is_proxy.load(Relaxed);
            connection.end_if_overdue(if is_proxy { proxy } else { stranger });
        }
    }

    /// Lets all connections end after the requests that they already sent.
    pub(super) fn end_all(&self) {
        for connection in self.lock().all.values() {
            connection.end(Ending::Graceful);
        }
    }

    fn log_full_address(&self, network: IpAddr) {
        if !self.is_address_logged.swap(true, Relaxed) {
            let limit = self.limits.connections_per_address;
            tracing::warn!(
                network = %Untrusted::new(&network),
                limit,
                "too many connections from one address: its oldest idle ones are closed. If it is a proxy, \
                 add it to server.trusted_proxies; the limit is budgets.connections_per_address"
            );
        }
    }

    fn log_full(&self) {
        if !self.is_full_logged.swap(true, Relaxed) {
            let limit = self.limits.connections;
            tracing::warn!(limit, "too many connections: the oldest idle ones are closed");
        }
    }
}

impl OpenConnections {
    fn remove(&mut self, connection: &ClientConnection) {
        if self.all.remove(&connection.id).is_none() {
            return;
        }
        let Some(address) = self.addresses.get_mut(&connection.network) else { return };
        address.connections -= 1;
        if address.connections == 0 {
            self.addresses.remove(&connection.network);
        }
    }

    fn oldest_idle_of(&self, network: IpAddr) -> Option<&Arc<ClientConnection>> {
        let own = self.all.values().filter(|connection| connection.network == network);
        let idle = own.filter(|connection| !connection.is_ending());
        let idle = idle.filter_map(|connection| Some((connection.idle_since()?, connection.id, connection)));
        idle.min_by_key(|(since, id, _)| (*since, *id)).map(|(_, _, connection)| connection)
    }

    /// Lets the oldest idle connection of the address that has most end; `None` if none is idle. Until its task has
    /// closed it, there is one more than there should be.
    fn make_room(&mut self) -> Option<()> {
        let idle =
            |connection: &Arc<ClientConnection>| !connection.is_ending() && connection.idle_since().is_some();
        let mut next = std::iter::from_fn(|| self.idle.pop_front()).find(idle);
        if next.is_none() {
            self.idle = self.find_idle();
            next = self.idle.pop_front();
        }
        next?.give_way();
        Some(())
    }

    /// Some idle connections, in the order in which they should go. A connection of an address goes when the address has
    /// as many as any other; proxies go last, since many clients share their connections.
    fn find_idle(&self) -> VecDeque<Arc<ClientConnection>> {
        let mut idle: Vec<(u64, u64, &Arc<ClientConnection>)> = self
            .all
            .values()
            .filter(|connection| !connection.is_ending())
            .filter_map(|connection| Some((connection.idle_since()?, connection.id, connection)))
            .collect();
        idle.sort_unstable_by_key(|(since, id, _)| (*since, *id));
        let mut gone: HashMap<IpAddr, usize> = HashMap::new();
        let mut ranked: Vec<_> = idle
            .into_iter()
            .map(|(since, id, connection)| {
                let gone = gone.entry(connection.network).or_default();
                let held = self.addresses.get(&connection.network).map_or(0, |address| address.connections);
                let left = held.saturating_sub(*gone);
                *gone += 1;
                (connection.usage.is_proxy.load(Relaxed), Reverse(left), since, id, connection)
            })
            .collect();
        ranked.sort_unstable_by_key(|(is_proxy, left, since, id, _)| (*is_proxy, *left, *since, *id));
        let some = (self.all.len() / 64).max(1);
        ranked.into_iter().take(some).map(|(.., connection)| Arc::clone(connection)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::budget_limits::BudgetLimits;

    fn table(connections: usize, connections_per_address: usize, requests: usize) -> Arc<ConnectionTable> {
        let limits = ConnectionLimits {
            connections,
            connections_per_address,
            requests,
            ..ConnectionLimits::from(&BudgetLimits::default())
        };
        let trusted = ["10.0.0.1/32".parse().unwrap()];
        Arc::new(ConnectionTable::new(limits, Arc::from(trusted)))
    }

    fn open(table: &ConnectionTable, address: &str) -> Option<Arc<ClientConnection>> {
        table.open(SocketAddr::new(address.parse().unwrap(), 1))
    }

    /// Removes the connections that were asked to end, as their tasks do, and returns their numbers.
    fn ended(table: &ConnectionTable) -> Vec<u64> {
        let mut ended: Vec<Arc<ClientConnection>> =
            table.lock().all.values().filter(|connection| connection.is_ending()).cloned().collect();
        ended.sort_by_key(|connection| connection.id);
        for connection in &ended {
            table.close(connection);
        }
        ended.iter().map(|connection| connection.id).collect()
    }

    #[test]
    fn an_address_with_too_many_connections_loses_its_oldest_idle_one() {
        let table = table(100, 3, 100);
        let first = open(&table, "192.0.2.1").unwrap();
        first.begin_request();
        for _ in 0..2 {
            open(&table, "192.0.2.1").unwrap();
        }
        let other = open(&table, "192.0.2.2").unwrap();
        assert!(open(&table, "192.0.2.1").is_some());
        assert_eq!(ended(&table), [2], "the first one has a request in flight");
        first.begin_response();
        first.end_response();
        assert!(open(&table, "192.0.2.1").is_some());
        assert_eq!(ended(&table), [1], "it is idle now");
        assert!(!other.is_ending());
    }

    #[test]
    fn an_address_whose_connections_are_all_busy_gets_no_more() {
        let table = table(100, 3, 100);
        for _ in 0..3 {
            open(&table, "192.0.2.1").unwrap().begin_request();
        }
        assert!(open(&table, "192.0.2.1").is_none());
        assert!(open(&table, "192.0.2.2").is_some());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let table = table(100, 3, 100);
        for host in 1..=10 {
            open(&table, &format!("2001:db8::{host}")).unwrap();
        }
        assert_eq!(ended(&table).len(), 7);
        assert!(open(&table, "2001:db8:0:1::1").is_some());
        assert_eq!(ended(&table).len(), 0);
    }

    #[test]
    fn connections_of_proxies_are_bounded_only_together() {
        let table = table(100, 3, 100);
        for _ in 0..50 {
            open(&table, "10.0.0.1").unwrap();
            open(&table, "::ffff:10.0.0.1").unwrap();
        }
        assert_eq!(ended(&table).len(), 0);
        assert!(table.unnamed_proxies.record("10.9.9.9".parse().unwrap()));
        for _ in 0..50 {
            open(&table, "10.9.9.9").unwrap();
        }
        assert_eq!(ended(&table).len(), 50);
    }

    #[test]
    fn when_all_are_taken_the_address_with_most_gives_way() {
        let table = table(20, 100, 100);
        let honest = open(&table, "192.0.2.1").unwrap();
        let proxy: Vec<_> = (0..4).map(|_| open(&table, "10.0.0.1").unwrap()).collect();
        for _ in 0..15 {
            open(&table, "192.0.2.66").unwrap();
        }
        for _ in 0..50 {
            open(&table, "192.0.2.66").unwrap();
        }
        for newcomer in 2..=6 {
            open(&table, &format!("192.0.2.{newcomer}")).unwrap();
        }
        assert_eq!(ended(&table).len(), 55);
        assert!(!honest.is_ending() && proxy.iter().all(|connection| !connection.is_ending()));
        assert_eq!(table.lock().addresses[&"192.0.2.66".parse::<IpAddr>().unwrap()].connections, 10);
    }

    #[test]
    fn of_addresses_with_equally_many_the_oldest_idle_connection_goes() {
        let table = table(200, 100, 100);
        for number in 0..200 {
            open(&table, &format!("198.51.{}.{}", number / 100, number % 100)).unwrap();
        }
        for number in 0..50 {
            open(&table, &format!("203.0.113.{number}")).unwrap();
            assert_eq!(ended(&table), [number + 1]);
        }
    }

    #[test]
    fn if_no_connection_is_idle_a_new_one_is_refused() {
        let table = table(5, 100, 100);
        for number in 1..=5 {
            open(&table, &format!("192.0.2.{number}")).unwrap().begin_request();
        }
        assert!(open(&table, "192.0.2.9").is_none());
        assert_eq!(ended(&table).len(), 0);
    }

    #[test]
    fn requests_are_bounded_and_one_address_leaves_some_to_others() {
        let table = table(100, 100, 16);
        let many = open(&table, "192.0.2.1").unwrap();
        let held: Vec<_> = (0..100).filter_map(|_| table.begin_request(&many)).collect();
        assert_eq!(held.len(), 12);
        let other = open(&table, "192.0.2.2").unwrap();
        let others: Vec<_> = (0..100).filter_map(|_| table.begin_request(&other)).collect();
        assert_eq!(others.len(), 2);
        let proxy = open(&table, "10.0.0.1").unwrap();
        let rest: Vec<_> = (0..100).filter_map(|_| table.begin_request(&proxy)).collect();
        assert_eq!(rest.len(), 2);
        drop((held, others, rest));
        assert!(table.begin_request(&many).is_some());
        assert_eq!(table.requests.load(Relaxed), 0);
    }

    #[test]
    fn nothing_is_left_of_closed_connections() {
        let table = table(100, 100, 100);
        let all: Vec<_> =
            (0..50).map(|number| open(&table, &format!("192.0.2.{}", number / 2)).unwrap()).collect();
        for connection in all.iter().chain(&all) {
            table.close(connection);
        }
        assert!(table.lock().all.is_empty() && table.lock().addresses.is_empty());
    }
}
