//! Lets one request at a time work on a page, while the others that want the same page wait for it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// The keys that requests work on or wait for. A key takes no memory once nobody is interested in it any more, even if
/// its clients are gone before they get a response.
#[derive(Debug)]
pub(super) struct SingleFlight<K: Hash + Eq>(Mutex<HashMap<K, Arc<Flight>>>);

/// What the requests for one key share: the lock that admits one of them at a time, and what the last one left.
pub(super) type Flight = tokio::sync::Mutex<FlightResult>;

/// What a request tells those that wait behind it. A result that it cached is not repeated here.
#[derive(Debug, Default)]
pub(super) struct FlightResult {
    /// There is nothing to wait for: everybody may proceed at once.
    pub(super) is_uncacheable: bool,
    /// When it failed, and whether that was because the database is not available.
    pub(super) failure: Option<(Instant, bool)>,
}

/// The interest of one request in a key.
pub(super) struct Passenger<'a, K: Hash + Eq> {
    flights: &'a SingleFlight<K>,
    key: K,
    flight: Arc<Flight>,
}

impl<K: Hash + Eq> Default for SingleFlight<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> SingleFlight<K> {
    /// Joins those who want the same key.
    pub(super) fn join(&self, key: K) -> Passenger<'_, K> {
        let flight = Arc::clone(self.lock().entry(key.clone()).or_default());
        Passenger { flights: self, key, flight }
    }
}

impl<K: Hash + Eq> SingleFlight<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Passenger<'_, K> {
    pub(super) fn flight(&self) -> &Flight {
        &self.flight
    }

    /// Lets requests that come from now on begin anew instead of joining this flight.
    pub(super) fn close(&self) {
        let mut flights = self.flights.lock();
        if flights.get(&self.key).is_some_and(|current| Arc::ptr_eq(current, &self.flight)) {
            flights.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq> Drop for Passenger<'_, K> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        let is_current = flights.get(&self.key).is_some_and(|current| Arc::ptr_eq(current, &self.flight));
        // The map's and this one.
        if is_current && Arc::strong_count(&self.flight) == 2 {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_nothing_leaves_nothing_behind() {
        let flights = SingleFlight::default();
        let (first, second) = (flights.join("nothing"), flights.join("nothing"));
        drop(second);
        assert_eq!(flights.lock().len(), 1, "the first one is still at work");
        drop(first);
        assert!(flights.lock().is_empty());
    }

    #[test]
    fn a_closed_flight_is_joined_by_nobody() {
        let flights = SingleFlight::default();
        let first = flights.join("page");
        first.close();
        let second = flights.join("page");
        assert!(!Arc::ptr_eq(&first.flight, &second.flight));
        drop(first);
        assert_eq!(flights.lock().len(), 1, "the second one is still at work");
    }
}
