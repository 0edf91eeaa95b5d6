//! Admission control of the inbox: it bounds the requests that are handled at a time, the bytes of their bodies, and the
//! requests that wait for a key. A request beyond the limits is rejected at once, and its sender retries.
//!
//! One client may use all spare capacity. Once most of it is used, the rest is reserved for
//! clients and hosts that hold little, so that one address or one server cannot shut out the others. Clients that sent
//! many bad signatures may hold only a few permits. Good requests are never counted against their client, so that a
//! large server is not taken for an attacker.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::client_network::client_network;
use crate::domain::time::Timestamp;

/// Requests that are handled at a time.
const MAX_REQUESTS: usize = 2048;

/// Bytes of their bodies together.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Requests that wait for a key at a time, in total and for each client.
const MAX_WAITING: usize = 1024;
const MAX_WAITING_PER_CLIENT: usize = 256;

/// Keys that are fetched at a time, in total and for each host.
const MAX_FETCHES: usize = 64;
const MAX_FETCHES_PER_HOST: usize = 16;

/// Bad signatures of a client in a [`BAD_SIGNATURE_WINDOW`]; with more, it may hold [`MAX_REQUESTS_OF_SUSPECT`] permits.
const MAX_BAD_SIGNATURES: u32 = 300;
const BAD_SIGNATURE_WINDOW: Duration = Duration::from_mins(1);
const MAX_REQUESTS_OF_SUSPECT: usize = 64;

/// Clients whose bad signatures are counted at a time.
const MAX_SUSPECTS: usize = 10_000;

/// Why a request is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The server is at capacity.
    #[error("too many concurrent requests")]
    Busy,
    /// The client recently sent too many bad signatures.
    #[error("too many invalid signatures")]
    TooManyBadSignatures,
}

/// Admits requests to the inbox.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    held: Mutex<Usage>,
    /// A fetch of a key ended: another one may begin.
    fetched: Notify,
}

#[derive(Debug, Default)]
struct Usage {
    all: ClientUsage,
    clients: HashMap<IpAddr, ClientUsage>,
    /// Requests that are proven to come from a host.
    hosts: HashMap<String, usize>,
    fetches: HashMap<String, usize>,
    /// The bad signatures of each client, and when its window began.
    bad: HashMap<IpAddr, (Timestamp, u32)>,
}

/// The capacity that a client holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct ClientUsage {
    requests: usize,
    bytes: usize,
    waiting: usize,
}

impl Usage {
    /// Whether so little is free that the rest is reserved for those that hold little.
    fn is_crowded(&self) -> bool {
        self.all.requests >= MAX_REQUESTS / 4 * 3 || self.all.bytes >= MAX_BYTES / 4 * 3
    }

    fn client_usage(&self, client: Option<IpAddr>) -> ClientUsage {
        client.and_then(|client| self.clients.get(&client).copied()).unwrap_or_default()
    }

    fn change(&mut self, client: Option<IpAddr>, change: impl Fn(&mut ClientUsage)) {
        change(&mut self.all);
        let Some(client) = client else { return };
        let share = self.clients.entry(client).or_default();
        change(share);
        if *share == ClientUsage::default() {
            self.clients.remove(&client);
        }
    }

    fn is_bad(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let bad = client.and_then(|client| self.bad.get(&client));
        bad.is_some_and(|(began, count)| *count > MAX_BAD_SIGNATURES && now < *began + BAD_SIGNATURE_WINDOW)
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
    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a request of that client.
    pub fn enter(&self, client: Option<IpAddr>, now: Timestamp) -> Result<InboxPermit, GateError> {
        let client = client.map(client_network);
        let mut held = self.lock();
        let mine = held.client_usage(client);
        if held.is_bad(client, now) && mine.requests >= MAX_REQUESTS_OF_SUSPECT {
            return Err(GateError::TooManyBadSignatures);
        }
        let has_much = mine.requests >= MAX_REQUESTS / 8 || mine.bytes >= MAX_BYTES / 8;
        if held.all.requests >= MAX_REQUESTS || (held.is_crowded() && has_much) {
            return Err(GateError::Busy);
        }
        held.change(client, |share| share.requests += 1);
        Ok(InboxPermit { gate: self.clone(), client, bytes: 0, host: OnceLock::new() })
    }

    /// Waits for a permit to fetch a key from that host: many actors of one server may send at once. The number of
    /// waiting requests is bounded by [`Gate::acquire_wait`].
    pub(in crate::flows) async fn acquire_fetch(&self, host: &str) -> FetchPermit {
        loop {
            let fetched = self.0.fetched.notified();
            if let Some(permit) = self.try_fetch(host) {
                return permit;
            }
            fetched.await;
        }
    }

    fn try_fetch(&self, host: &str) -> Option<FetchPermit> {
        let mut held = self.lock();
        let from_host = held.fetches.get(host).copied().unwrap_or_default();
        if from_host >= MAX_FETCHES_PER_HOST || held.fetches.values().sum::<usize>() >= MAX_FETCHES {
            return None;
        }
        *held.fetches.entry(host.to_owned()).or_default() += 1;
        Some(FetchPermit { gate: self.clone(), host: host.to_owned() })
    }

    /// Returns a permit to wait for a key, for a request of that client.
    pub(in crate::flows) fn acquire_wait(&self, client: Option<IpAddr>) -> Result<WaitPermit, GateError> {
        let client = client.map(client_network);
        let mut held = self.lock();
        let mine = held.client_usage(client).waiting;
        if held.all.waiting >= MAX_WAITING || mine >= MAX_WAITING_PER_CLIENT {
            return Err(GateError::Busy);
        }
        held.change(client, |share| share.waiting += 1);
        Ok(WaitPermit { gate: self.clone(), client })
    }

    /// Counts a bad signature of that client. Returns whether it should be logged: those beyond the limit are not.
    pub fn record_bad_signature(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(client) = client.map(client_network) else { return true };
        let bad = &mut self.lock().bad;
        if bad.len() >= MAX_SUSPECTS && !bad.contains_key(&client) {
            bad.retain(|_, (began, _)| now < *began + BAD_SIGNATURE_WINDOW);
            let oldest = bad.iter().min_by_key(|(_, (began, _))| *began).map(|(oldest, _)| *oldest);
            if let Some(oldest) = oldest.filter(|_| bad.len() >= MAX_SUSPECTS) {
                bad.remove(&oldest);
            }
        }
        let (began, count) = bad.entry(client).or_insert((now, 0));
        if now >= *began + BAD_SIGNATURE_WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_BAD_SIGNATURES
    }
}

/// The permit of an admitted request; dropping it frees its capacity.
#[derive(Debug)]
pub struct InboxPermit {
    gate: Gate,
    client: Option<IpAddr>,
    bytes: usize,
    host: OnceLock<String>,
}

impl InboxPermit {
    /// The client that sent the request.
    pub const fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Reserves capacity for more of the body.
    pub fn reserve_bytes(&mut self, bytes: usize) -> Result<(), GateError> {
        let mut held = self.gate.lock();
        let mine = held.client_usage(self.client).bytes;
        let has_much = mine >= MAX_BYTES / 8;
        if held.all.bytes + bytes > MAX_BYTES || (held.is_crowded() && has_much) {
            return Err(GateError::Busy);
        }
        held.change(self.client, |share| share.bytes += bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// Records that the request is proven to come from that host.
    pub(in crate::flows) fn confirm_host(&self, host: &str) -> Result<(), GateError> {
        if self.host.get().is_some() {
            return Ok(());
        }
        let mut held = self.gate.lock();
        let mine = held.hosts.get(host).copied().unwrap_or_default();
        if held.is_crowded() && mine >= MAX_REQUESTS / 4 {
            return Err(GateError::Busy);
        }
        *held.hosts.entry(host.to_owned()).or_default() += 1;
        drop(held);
        // Only one caller does this for a request, so it cannot be set yet.
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

/// A permit to fetch a key.
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

/// A permit to wait for a key.
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
    fn one_client_may_use_spare_capacity_and_no_more() {
        let gate = Gate::default();
        let many = enter(&gate, 1, MAX_REQUESTS);
        assert_eq!(many.len(), MAX_REQUESTS / 4 * 3);
        assert_eq!(enter(&gate, 2, 10).len(), 10, "other clients are admitted");
        drop(many);
        assert_eq!(enter(&gate, 1, 10).len(), 10);
        assert_eq!(gate.lock().all, ClientUsage::default());
        assert!(gate.lock().clients.is_empty());
    }

    #[test]
    fn all_requests_together_are_bounded() {
        let gate = Gate::default();
        let held: Vec<InboxPermit> =
            (1..=100).flat_map(|number| enter(&gate, number, MAX_REQUESTS / 8)).collect();
        assert_eq!(held.len(), MAX_REQUESTS);
        assert_eq!(gate.enter(Some(client(200)), NOW).err(), Some(GateError::Busy));
    }

    #[test]
    fn the_bytes_of_bodies_are_bounded() {
        let gate = Gate::default();
        let mut large = enter(&gate, 1, 64);
        let grown = large.iter_mut().filter_map(|permit| permit.reserve_bytes(1024 * 1024).ok()).count();
        assert_eq!(grown, MAX_BYTES / 4 * 3 / (1024 * 1024));
        assert!(gate.enter(Some(client(1)), NOW).is_err(), "it holds much");
        let mut other = gate.enter(Some(client(2)), NOW).unwrap();
        assert!(other.reserve_bytes(1024 * 1024).is_ok() && other.reserve_bytes(MAX_BYTES).is_err());
        drop((large, other));
        assert_eq!(gate.lock().all, ClientUsage::default());
    }

    #[test]
    fn a_host_that_sends_much_leaves_capacity_for_others() {
        let gate = Gate::default();
        let prove = |number, host: &str, count| -> Vec<InboxPermit> {
            let enter = |_| gate.enter(Some(client(number)), NOW).ok();
            (0..count).filter_map(enter).filter(|permit| permit.confirm_host(host).is_ok()).collect()
        };
        let mut held: Vec<InboxPermit> =
            (1..=6).flat_map(|number| prove(number, "large.example", MAX_REQUESTS / 8)).collect();
        let spare = MAX_REQUESTS / 4 * 3 - 1;
        assert_eq!(held.len(), spare);
        assert!(prove(7, "large.example", 10).is_empty());
        held.extend(prove(8, "small.example", 10));
        assert_eq!(held.len(), spare + 10);
        drop(held);
        assert!(gate.lock().hosts.is_empty());
    }

    #[test]
    fn a_client_with_bad_signatures_gets_few_permits() {
        let gate = Gate::default();
        let logged =
            (0..MAX_BAD_SIGNATURES * 2).filter(|_| gate.record_bad_signature(Some(client(1)), NOW)).count();
        assert_eq!(logged, usize::try_from(MAX_BAD_SIGNATURES).unwrap(), "the log does not grow with them");
        let held = enter(&gate, 1, MAX_REQUESTS_OF_SUSPECT);
        assert_eq!(held.len(), MAX_REQUESTS_OF_SUSPECT);
        assert_eq!(gate.enter(Some(client(1)), NOW).err(), Some(GateError::TooManyBadSignatures));
        assert!(gate.enter(Some(client(2)), NOW).is_ok(), "other clients are admitted");
        assert!(gate.enter(Some(client(1)), NOW + BAD_SIGNATURE_WINDOW).is_ok(), "for a minute");
    }

    #[test]
    fn the_table_of_bad_signatures_is_bounded() {
        let gate = Gate::default();
        for number in 0..u32::try_from(MAX_SUSPECTS).unwrap() + 10 {
            gate.record_bad_signature(Some(IpAddr::from(number.to_be_bytes())), NOW);
        }
        assert!(gate.lock().bad.len() <= MAX_SUSPECTS);
    }

    #[test]
    fn hosts_that_never_answer_hold_a_part_of_the_capacity() {
        let gate = Gate::default();
        let slow: Vec<FetchPermit> = (0..100).filter_map(|_| gate.try_fetch("slow.example")).collect();
        assert_eq!(slow.len(), MAX_FETCHES_PER_HOST);
        let all: Vec<FetchPermit> =
            (0..100).filter_map(|n| gate.try_fetch(&format!("{n}.slow.example"))).collect();
        assert_eq!(slow.len() + all.len(), MAX_FETCHES);
        let waiting: Vec<WaitPermit> =
            (0..1000).filter_map(|_| gate.acquire_wait(Some(client(1))).ok()).collect();
        assert_eq!(waiting.len(), MAX_WAITING_PER_CLIENT);
        assert!(gate.acquire_wait(Some(client(2))).is_ok() && gate.acquire_wait(None).is_ok());
        drop((slow, all, waiting));
        assert!(gate.try_fetch("slow.example").is_some() && gate.acquire_wait(Some(client(1))).is_ok());
        assert!(gate.lock().clients.is_empty() && gate.lock().fetches.is_empty());
    }
}
