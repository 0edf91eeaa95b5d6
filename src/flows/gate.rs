//! How much comes in at a time: requests, their bytes, and those that wait for a key. What finds no room is told to
//! come again, before anything grows.
//!
//! Whoever comes may have all the room there is while nobody else wants it. Once most of it is taken, the rest is for
//! those who hold little: one address, or one server, does not shut out the others. Addresses that sent many bad
//! signatures hold a few places at most; requests that are good are never counted, so that a large server's are not
//! too many.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::time::Timestamp;

/// Requests that are worked on at a time.
const REQUESTS: usize = 2048;

/// Bytes of their bodies.
const BYTES: usize = 32 * 1024 * 1024;

/// Requests that wait for somebody's key, in all and of one client.
const WAITING: usize = 1024;
const WAITING_OF_A_CLIENT: usize = 256;

/// Keys that are fetched at a time, in all and from one host.
const FETCHES: usize = 64;
const FETCHES_FROM_A_HOST: usize = 16;

/// Of a client with more bad signatures than this in a [`WINDOW`] so many requests are worked on at a time.
const BAD_SIGNATURES: u32 = 300;
const WINDOW: Duration = Duration::from_mins(1);
const FEW: usize = 64;

/// Clients whose bad signatures are remembered at a time.
const MOST_CLIENTS: usize = 10_000;

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Too much is under way.
    #[error("too much is coming in at once")]
    Busy,
    /// Too much that proved nothing came from this client lately.
    #[error("too many bad signatures")]
    TooManyBadSignatures,
}

/// Lets requests in.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    held: Mutex<Held>,
    /// A key was fetched: there may be room for the next one.
    fetched: Notify,
}

#[derive(Debug, Default)]
struct Held {
    all: Share,
    clients: HashMap<IpAddr, Share>,
    /// What is proven to come from a host.
    hosts: HashMap<String, usize>,
    fetches: HashMap<String, usize>,
    /// The bad signatures of each client since its minute began.
    bad: HashMap<IpAddr, (Timestamp, u32)>,
}

/// What is held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    requests: usize,
    bytes: usize,
    waiting: usize,
}

impl Held {
    /// Whether so little is free that the rest is for those who hold little.
    fn is_crowded(&self) -> bool {
        self.all.requests >= REQUESTS / 4 * 3 || self.all.bytes >= BYTES / 4 * 3
    }

    fn of(&self, client: Option<IpAddr>) -> Share {
        client.and_then(|client| self.clients.get(&client).copied()).unwrap_or_default()
    }

    fn change(&mut self, client: Option<IpAddr>, change: impl Fn(&mut Share)) {
        change(&mut self.all);
        let Some(client) = client else { return };
        let share = self.clients.entry(client).or_default();
        change(share);
        if *share == Share::default() {
            self.clients.remove(&client);
        }
    }

    fn is_bad(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let bad = client.and_then(|client| self.bad.get(&client));
        bad.is_some_and(|(began, count)| *count > BAD_SIGNATURES && now < *began + WINDOW)
    }
}

fn release(counts: &mut HashMap<String, usize>, host: &str) {
    if let Some(count) = counts.get_mut(host) {
        *count -= 1;
        if *count == 0 {
            counts.remove(host);
        }
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a request of that client.
    pub fn enter(&self, client: Option<IpAddr>, now: Timestamp) -> Result<InboxPermit, GateError> {
        let client = client.map(client_network);
        let mut held = self.lock();
        let mine = held.of(client);
        if held.is_bad(client, now) && mine.requests >= FEW {
            return Err(GateError::TooManyBadSignatures);
        }
        let has_much = mine.requests >= REQUESTS / 8 || mine.bytes >= BYTES / 8;
        if held.all.requests >= REQUESTS || (held.is_crowded() && has_much) {
            return Err(GateError::Busy);
        }
        held.change(client, |share| share.requests += 1);
        Ok(InboxPermit { gate: self.clone(), client, bytes: 0, host: OnceLock::new() })
    }

    /// Room to fetch a key from that host, once there is some: many strangers of one server may come at once. Those
    /// who wait are bounded by [`Gate::acquire_wait`].
    pub(in crate::flows) async fn acquire_fetch(&self, host: &str) -> FetchPermit {
        loop {
            let fetched = self.0.fetched.notified();
            if let Some(room) = self.try_fetch(host) {
                return room;
            }
            fetched.await;
        }
    }

    fn try_fetch(&self, host: &str) -> Option<FetchPermit> {
        let mut held = self.lock();
        let from_host = held.fetches.get(host).copied().unwrap_or_default();
        if from_host >= FETCHES_FROM_A_HOST || held.fetches.values().sum::<usize>() >= FETCHES {
            return None;
        }
        *held.fetches.entry(host.to_owned()).or_default() += 1;
        Some(FetchPermit { gate: self.clone(), host: host.to_owned() })
    }

    /// Room to wait for a key, for a request of that client.
    pub(in crate::flows) fn acquire_wait(&self, client: Option<IpAddr>) -> Result<WaitPermit, GateError> {
        let client = client.map(client_network);
        let mut held = self.lock();
        let mine = held.of(client).waiting;
        if held.all.waiting >= WAITING || mine >= WAITING_OF_A_CLIENT {
            return Err(GateError::Busy);
        }
        held.change(client, |share| share.waiting += 1);
        Ok(WaitPermit { gate: self.clone(), client })
    }

    /// A signature of that client's is bad. Whether to say so in the log: not of each where there are many.
    pub fn record_bad_signature(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(client) = client.map(client_network) else { return true };
        let bad = &mut self.lock().bad;
        if bad.len() >= MOST_CLIENTS && !bad.contains_key(&client) {
            bad.retain(|_, (began, _)| now < *began + WINDOW);
            let oldest = bad.iter().min_by_key(|(_, (began, _))| *began).map(|(oldest, _)| *oldest);
            if let Some(oldest) = oldest.filter(|_| bad.len() >= MOST_CLIENTS) {
                bad.remove(&oldest);
            }
        }
        let (began, count) = bad.entry(client).or_insert((now, 0));
        if now >= *began + WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= BAD_SIGNATURES
    }
}

/// A request's place; free again where it is dropped.
#[derive(Debug)]
pub struct InboxPermit {
    gate: Gate,
    client: Option<IpAddr>,
    bytes: usize,
    host: OnceLock<String>,
}

impl InboxPermit {
    /// Whose it is.
    pub const fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Room for more of its body.
    pub fn reserve_bytes(&mut self, bytes: usize) -> Result<(), GateError> {
        let mut held = self.gate.lock();
        let mine = held.of(self.client).bytes;
        let has_much = mine >= BYTES / 8;
        if held.all.bytes + bytes > BYTES || (held.is_crowded() && has_much) {
            return Err(GateError::Busy);
        }
        held.change(self.client, |share| share.bytes += bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// It is proven to come from that host.
    pub(in crate::flows) fn confirm_host(&self, host: &str) -> Result<(), GateError> {
        if self.host.get().is_some() {
            return Ok(());
        }
        let mut held = self.gate.lock();
        let mine = held.hosts.get(host).copied().unwrap_or_default();
        if held.is_crowded() && mine >= REQUESTS / 4 {
            return Err(GateError::Busy);
        }
        *held.hosts.entry(host.to_owned()).or_default() += 1;
        drop(held);
        // Whoever proves it does so in one place alone.
        let _ = self.host.set(host.to_owned());
        Ok(())
    }
}

impl Drop for InboxPermit {
    fn drop(&mut self) {
        let mut held = self.gate.lock();
        held.change(self.client, |share| {
            share.requests -= 1;
            share.bytes -= self.bytes;
        });
        if let Some(host) = self.host.get() {
            release(&mut held.hosts, host);
        }
    }
}

/// Room in which a key is fetched.
#[derive(Debug)]
pub(in crate::flows) struct FetchPermit {
    gate: Gate,
    host: String,
}

impl Drop for FetchPermit {
    fn drop(&mut self) {
        release(&mut self.gate.lock().fetches, &self.host);
        self.gate.0.fetched.notify_waiters();
    }
}

/// Room in which a request waits for a key.
#[derive(Debug)]
pub(in crate::flows) struct WaitPermit {
    gate: Gate,
    client: Option<IpAddr>,
}

impl Drop for WaitPermit {
    fn drop(&mut self) {
        self.gate.lock().change(self.client, |share| share.waiting -= 1);
    }
}

/// Whoever has one IPv6 address has its whole network.
pub fn client_network(address: IpAddr) -> IpAddr {
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

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn client(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    fn enter(gate: &Gate, number: u8, count: usize) -> Vec<InboxPermit> {
        (0..count).filter_map(|_| gate.enter(Some(client(number)), NOW).ok()).collect()
    }

    #[test]
    fn one_client_may_have_what_nobody_else_wants_and_no_more() {
        let gate = Gate::default();
        let many = enter(&gate, 1, REQUESTS);
        assert_eq!(many.len(), REQUESTS / 4 * 3);
        assert_eq!(enter(&gate, 2, 10).len(), 10, "others find room");
        drop(many);
        assert_eq!(enter(&gate, 1, 10).len(), 10);
        assert_eq!(gate.lock().all, Share::default());
        assert!(gate.lock().clients.is_empty());
    }

    #[test]
    fn there_is_an_end_to_all_room() {
        let gate = Gate::default();
        let held: Vec<InboxPermit> =
            (1..=100).flat_map(|number| enter(&gate, number, REQUESTS / 8)).collect();
        assert_eq!(held.len(), REQUESTS);
        assert_eq!(gate.enter(Some(client(200)), NOW).err(), Some(GateError::Busy));
    }

    #[test]
    fn bodies_have_an_end_too() {
        let gate = Gate::default();
        let mut large = enter(&gate, 1, 64);
        let grown = large.iter_mut().filter_map(|place| place.reserve_bytes(1024 * 1024).ok()).count();
        assert_eq!(grown, BYTES / 4 * 3 / (1024 * 1024));
        assert!(gate.enter(Some(client(1)), NOW).is_err(), "who holds much");
        let mut other = gate.enter(Some(client(2)), NOW).unwrap();
        assert!(other.reserve_bytes(1024 * 1024).is_ok() && other.reserve_bytes(BYTES).is_err());
        drop((large, other));
        assert_eq!(gate.lock().all, Share::default());
    }

    #[test]
    fn a_host_that_sends_much_leaves_room_for_others() {
        let gate = Gate::default();
        let prove = |number, host: &str, count| -> Vec<InboxPermit> {
            let enter = |_| gate.enter(Some(client(number)), NOW).ok();
            (0..count).filter_map(enter).filter(|place| place.confirm_host(host).is_ok()).collect()
        };
        let mut held: Vec<InboxPermit> =
            (1..=6).flat_map(|number| prove(number, "large.example", REQUESTS / 8)).collect();
        let all_that_nobody_wants = REQUESTS / 4 * 3 - 1;
        assert_eq!(held.len(), all_that_nobody_wants);
        assert!(prove(7, "large.example", 10).is_empty());
        held.extend(prove(8, "small.example", 10));
        assert_eq!(held.len(), all_that_nobody_wants + 10);
        drop(held);
        assert!(gate.lock().hosts.is_empty());
    }

    #[test]
    fn who_sends_bad_signatures_is_heard_a_little() {
        let gate = Gate::default();
        let told =
            (0..BAD_SIGNATURES * 2).filter(|_| gate.record_bad_signature(Some(client(1)), NOW)).count();
        assert_eq!(told, usize::try_from(BAD_SIGNATURES).unwrap(), "the log does not grow with them");
        let held = enter(&gate, 1, FEW);
        assert_eq!(held.len(), FEW);
        assert_eq!(gate.enter(Some(client(1)), NOW).err(), Some(GateError::TooManyBadSignatures));
        assert!(gate.enter(Some(client(2)), NOW).is_ok(), "others are heard");
        assert!(gate.enter(Some(client(1)), NOW + WINDOW).is_ok(), "for a minute");
    }

    #[test]
    fn many_clients_with_bad_signatures_are_not_all_remembered() {
        let gate = Gate::default();
        for number in 0..u32::try_from(MOST_CLIENTS).unwrap() + 10 {
            gate.record_bad_signature(Some(IpAddr::from(number.to_be_bytes())), NOW);
        }
        assert!(gate.lock().bad.len() <= MOST_CLIENTS);
    }

    #[test]
    fn hosts_that_never_answer_take_a_part_of_the_room() {
        let gate = Gate::default();
        let slow: Vec<FetchPermit> = (0..100).filter_map(|_| gate.try_fetch("slow.example")).collect();
        assert_eq!(slow.len(), FETCHES_FROM_A_HOST);
        let all: Vec<FetchPermit> =
            (0..100).filter_map(|n| gate.try_fetch(&format!("{n}.slow.example"))).collect();
        assert_eq!(slow.len() + all.len(), FETCHES);
        let waiting: Vec<WaitPermit> =
            (0..1000).filter_map(|_| gate.acquire_wait(Some(client(1))).ok()).collect();
        assert_eq!(waiting.len(), WAITING_OF_A_CLIENT);
        assert!(gate.acquire_wait(Some(client(2))).is_ok() && gate.acquire_wait(None).is_ok());
        drop((slow, all, waiting));
        assert!(gate.try_fetch("slow.example").is_some() && gate.acquire_wait(Some(client(1))).is_ok());
        assert!(gate.lock().clients.is_empty() && gate.lock().fetches.is_empty());
    }
}
