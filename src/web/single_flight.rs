//! Lets one request at a time work on a page, while the others that want the same page wait for it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use tokio::time::Instant;

use super::error::WebError;
use crate::flows::error::Outage;

/// The keys that requests work on or wait for. A key takes no memory once no request is interested in it, even if the
/// clients disconnect before they get a response.
#[derive(Debug)]
pub(super) struct SingleFlight<K: Hash + Eq>(Mutex<HashMap<K, Arc<Flight>>>);

/// What the requests for one key share: the lock that admits one of them at a time, and what the last one left.
pub(super) type Flight = tokio::sync::Mutex<FlightResult>;

/// What a request leaves to those that wait behind it. A result that it cached is not repeated here.
#[derive(Debug, Default)]
pub(super) struct FlightResult {
    /// There is nothing to wait for: all requests may proceed at once.
    pub(super) is_uncacheable: bool,
    /// The failure of the last request, if it failed.
    pub(super) failure: Option<FlightFailure>,
}

/// A failure that requests which waited for it share.
#[derive(Debug)]
pub(super) struct FlightFailure {
    at: Instant,
    /// `None` for an internal error.
    outage: Option<Outage>,
}

impl FlightFailure {
    /// Makes it of an error that every other request would meet as well; returns `None` for any other error.
    pub(super) fn from_error(error: &WebError) -> Option<Self> {
        let outage = match error {
            WebError::Internal(_) => None,
            WebError::StoreUnavailable(outage) => Some(outage.clone()),
            _ => return None,
        };
        Some(Self { at: Instant::now(), outage })
    }

    /// Returns the error for a request that arrived at that time; `None` if it arrived after the failure.
    pub(super) fn error_for(&self, requested: Instant) -> Option<WebError> {
        (self.at >= requested).then(|| match &self.outage {
            Some(outage) => WebError::StoreUnavailable(outage.clone()),
            None => WebError::Internal(anyhow!("rendering failed for another request")),
        })
    }
}

/// The interest of one request in a key.
pub(super) struct FlightGuard<'a, K: Hash + Eq> {
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
    /// Joins the requests for the same key.
    pub(super) fn join(&self, key: K) -> FlightGuard<'_, K> {
        let flight = Arc::clone(self.lock().entry(key.clone()).or_default());
        FlightGuard { flights: self, key, flight }
    }
}

impl<K: Hash + Eq> SingleFlight<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> FlightGuard<'_, K> {
    pub(super) fn flight(&self) -> &Flight {
        &self.flight
    }

    /// Lets later requests start over instead of joining this flight.
    pub(super) fn close(&self) {
        let mut flights = self.flights.lock();
        if flights.get(&self.key).is_some_and(|current| Arc::ptr_eq(current, &self.flight)) {
            flights.remove(&self.key);
        }
    }
}

impl<K: Hash + Eq> Drop for FlightGuard<'_, K> {
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
    fn an_unknown_name_leaves_nothing_behind() {
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
