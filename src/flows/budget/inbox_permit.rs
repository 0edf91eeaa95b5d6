//! The permit of a request to the inbox.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::BudgetError;
use super::places::{HeldPlace, Share};

/// The permit of an admitted request; dropping it frees its capacity.
#[derive(Debug)]
pub struct InboxPermit {
    client: Option<IpAddr>,
    request: Mutex<HeldPlace>,
    bytes: HeldPlace,
}

impl InboxPermit {
    pub(super) const fn new(client: Option<IpAddr>, request: HeldPlace, bytes: HeldPlace) -> Self {
        Self { client, request: Mutex::new(request), bytes }
    }

    /// The client that sent the request.
    pub const fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Reserves capacity for more of the body.
    ///
    /// # Errors
    /// If there is none.
    pub fn reserve_bytes(&mut self, bytes: usize) -> Result<(), BudgetError> {
        if self.bytes.grow(Share::Eighth, bytes) { Ok(()) } else { Err(BudgetError::Busy) }
    }

    /// Counts the request for the host that it is proven to come from; returns whether the host may have one more.
    pub(super) fn add_owner(&self, host: u64) -> bool {
        let mut request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        request.add_owner(host, Share::Quarter)
    }
}
