//! The budgets of strangers: everything that someone else causes is charged to its [owner](crate::domain::owner::Owner).
//!
//! What is used recently is counted in [`rates`], in memory and for each process alone; what is held for a while, in
//! [`places`]. Bytes that are kept are counted in the database. `docs/ARCHITECTURE.md` has the table of owners, resources and
//! reasons.

mod inbox_permit;
pub mod kept_bytes;
pub mod network_jobs;
pub mod places;
pub mod rates;
pub mod requests;
pub mod usage;

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

pub use inbox_permit::InboxPermit;

use crate::domain::budget_limits::BudgetLimits;
use crate::domain::inbox_activity::InboxLane;
use crate::domain::owner::Owner;
use crate::domain::time::Timestamp;
use kept_bytes::DatabaseDisk;
use network_jobs::NetworkJobs;
use places::{HeldPlace, Places, Share};
use rates::{RateLimit, Rates};
use usage::UsageTable;

/// Requests to the inbox that are handled at a time, and the bytes of their bodies.
const MAX_INBOX_REQUESTS: usize = 2048;
const MAX_INBOX_BYTES: usize = 32 * 1024 * 1024;

/// Requests to the inbox that wait for a key at a time.
const MAX_KEY_WAITS: usize = 1024;

/// Keys that are fetched at a time.
const MAX_KEY_FETCHES: usize = 64;

/// Activities of a domain that go before those of others, in a second: in the lane of those that need no request, and in
/// the other one.
const READY_TURNS: u64 = 50;
const NETWORK_TURNS: u64 = 2;

/// Lookups for readers in flight. A host that never responds affects only lookups at that host.
const MAX_LOOKUPS: usize = 32;

/// Requests that an address which sent many invalid signatures may have in flight.
const MAX_REQUESTS_OF_SUSPECT: usize = 64;

/// An address that delivered a valid activity of a domain counts as one of its servers for this time.
const PROVEN_TIME: Duration = Duration::from_hours(24);

/// Who uses more than this part of a budget is remembered by name.
const NOTABLE_PART: f64 = 0.1;

const MINUTE: Duration = Duration::from_mins(1);
const TEN_MINUTES: Duration = Duration::from_mins(10);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A resource that strangers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Budget {
    /// Invalid signatures of an address.
    InvalidSignatures,
    /// Requests for keys that an address causes.
    Keys,
    /// Deletes of unknown accounts that an address sends.
    UnknownDeletes,
    /// Lookups that the readers at an address start.
    Lookups,
    /// Requests that an actor causes.
    RequestsOfActor,
    /// Requests to other servers that a domain causes.
    RequestsOfDomain,
    /// Requests to a domain that its own actors cause.
    RequestsToOwnDomain,
    /// Requests to a domain that everyone else causes.
    RequestsToHost,
    /// Forwarded activities of an actor.
    ForwardsOfActor,
    /// Forwarded activities of a domain.
    ForwardsOfDomain,
    /// Bytes of the forwarded activities of a domain.
    ForwardedBytes,
}

impl Budget {
    /// Its name in the config section `budgets`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidSignatures => "invalid_signatures_per_address",
            Self::Keys => "keys_per_address",
            Self::UnknownDeletes => "unknown_deletes_per_address",
            Self::Lookups => "lookups_per_address",
            Self::RequestsOfActor => "requests_per_actor",
            Self::RequestsOfDomain => "requests_per_domain",
            Self::RequestsToOwnDomain => "requests_to_own_domain",
            Self::RequestsToHost => "requests_to_host",
            Self::ForwardsOfActor => "forwards_per_actor",
            Self::ForwardsOfDomain => "forwards_per_domain",
            Self::ForwardedBytes => "forwarded_bytes_per_domain",
        }
    }

    /// Its limit for one owner.
    fn limit(self, limits: &BudgetLimits) -> RateLimit {
        let (amount, window) = match self {
            Self::InvalidSignatures => (limits.invalid_signatures_per_address.into(), MINUTE),
            Self::Keys => (limits.keys_per_address.into(), HOUR),
            Self::UnknownDeletes => (limits.unknown_deletes_per_address.into(), HOUR),
            Self::Lookups => (limits.lookups_per_address.into(), MINUTE),
            Self::RequestsOfActor => (limits.requests_per_actor.into(), TEN_MINUTES),
            Self::RequestsOfDomain => (limits.requests_per_domain.into(), TEN_MINUTES),
            Self::RequestsToOwnDomain => (limits.requests_to_own_domain.into(), TEN_MINUTES),
            Self::RequestsToHost => (limits.requests_to_host.into(), TEN_MINUTES),
            Self::ForwardsOfActor => (limits.forwards_per_actor.into(), DAY),
            Self::ForwardsOfDomain => (limits.forwards_per_domain.into(), DAY),
            Self::ForwardedBytes => (limits.forwarded_bytes_per_domain, DAY),
        };
        RateLimit { amount, window }
    }
}

/// Why something is refused. Both are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// All places are taken.
    #[error("too many concurrent requests")]
    Busy,
    /// Whoever causes it has caused too much; it may be tried again after this time.
    #[error("too many requests")]
    Exceeded(Duration),
}

/// The state of all budgets of this process.
#[derive(Debug)]
pub struct Budgets {
    /// The numbers.
    pub limits: BudgetLimits,
    rates: Rates,
    inbox_requests: Places,
    inbox_bytes: Places,
    key_waits: Places,
    key_fetches: Places,
    lookups: Places,
    /// The disk of the database.
    pub disk: DatabaseDisk,
    /// What the largest owners use.
    pub usage: UsageTable,
    /// Places of activities that are processed with requests to other servers.
    pub network_jobs: NetworkJobs,
}

impl Budgets {
    /// Budgets of which nothing is used yet.
    pub fn new(limits: BudgetLimits, disk: DatabaseDisk) -> Self {
        Self {
            limits,
            disk,
            usage: UsageTable::default(),
            rates: Rates::default(),
            inbox_requests: Places::new(MAX_INBOX_REQUESTS),
            inbox_bytes: Places::new(MAX_INBOX_BYTES),
            key_waits: Places::new(MAX_KEY_WAITS),
            key_fetches: Places::new(MAX_KEY_FETCHES),
            lookups: Places::new(MAX_LOOKUPS),
            network_jobs: NetworkJobs::default(),
        }
    }

    /// The limit of a budget for this owner.
    fn limit_of(&self, budget: Budget, owner: &Owner) -> RateLimit {
        let limit = budget.limit(&self.limits);
        RateLimit { amount: limit.amount * u64::from(owner.factor()), ..limit }
    }

    /// Charges an owner, if its budget allows it.
    ///
    /// # Errors
    /// [`BudgetError::Exceeded`] if it does not.
    pub fn charge(
        &self,
        budget: Budget,
        owner: &Owner,
        amount: u64,
        now: Timestamp,
    ) -> Result<(), BudgetError> {
        let limit = self.limit_of(budget, owner);
        let taken = self.rates.take(self.rates.key((budget, owner)), limit, amount, now);
        match taken {
            Ok(part) if part >= NOTABLE_PART => self.usage.note(budget, owner, false),
            Ok(_) => {}
            Err(_) => self.usage.note(budget, owner, true),
        }
        taken.map(|_| ()).map_err(BudgetError::Exceeded)
    }

    /// How many bytes of a domain, or of all under a suffix, may be kept in a day.
    pub fn kept_limit(&self, owner: &Owner) -> u64 {
        self.limits.kept_bytes_per_domain.saturating_mul(owner.factor().into())
    }

    /// Whether nothing is left of an owner's budget.
    fn is_exhausted(&self, budget: Budget, owner: &Owner, now: Timestamp) -> bool {
        let limit = self.limit_of(budget, owner);
        self.rates.used(self.rates.key((budget, owner)), limit, now) >= limit.amount
    }

    /// Admits a request to the inbox by that client.
    ///
    /// # Errors
    /// If there is no capacity for it.
    pub fn enter_inbox(&self, client: Option<IpAddr>, now: Timestamp) -> Result<InboxPermit, BudgetError> {
        let owner = client.map(Owner::address);
        let key = owner.as_ref().map(|owner| self.rates.key(owner));
        if let (Some(owner), Some(key)) = (&owner, key)
            && self.inbox_requests.held_by(key) >= MAX_REQUESTS_OF_SUSPECT
            && self.is_exhausted(Budget::InvalidSignatures, owner, now)
        {
            return Err(BudgetError::Exceeded(MINUTE));
        }
        let owner = key.map(|key| (key, Share::Eighth));
        let request = self.inbox_requests.try_take(owner.as_slice(), 1).ok_or(BudgetError::Busy)?;
        let bytes = self.inbox_bytes.try_take(owner.as_slice(), 0).ok_or(BudgetError::Busy)?;
        Ok(InboxPermit::new(client, request, bytes))
    }

    /// Records that the request is proven to come from that host.
    ///
    /// # Errors
    /// If the host has too many requests in flight.
    pub(in crate::flows) fn confirm_host(
        &self,
        permit: &InboxPermit,
        host: &str,
        now: Timestamp,
    ) -> Result<(), BudgetError> {
        let domain = Owner::domain(host);
        if let Some(client) = permit.client() {
            let limit = RateLimit { amount: 1, window: PROVEN_TIME };
            let _ = self.rates.take(self.proof_key(client, &domain), limit, 1, now);
        }
        if permit.add_owner(self.rates.key(&domain)) { Ok(()) } else { Err(BudgetError::Busy) }
    }

    fn proof_key(&self, client: IpAddr, domain: &Owner) -> u64 {
        self.rates.key(("proven", Owner::address(client), domain))
    }

    /// Whether valid activities of that domain came from that client in the last day.
    fn is_proven(&self, client: IpAddr, domain: &Owner, now: Timestamp) -> bool {
        self.rates.restored_at(self.proof_key(client, domain), now) > now
    }

    /// Whether the Delete of an account that is not known here may cause the fetch of a key.
    pub(in crate::flows) fn may_verify_unknown_delete(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(owner) = client.map(Owner::address) else { return true };
        self.charge(Budget::UnknownDeletes, &owner, 1, now).is_ok()
    }

    /// Counts an invalid signature. Returns whether it should be logged: those beyond the limit are not.
    pub fn record_invalid_signature(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let Some(owner) = client.map(Owner::address) else { return true };
        self.charge(Budget::InvalidSignatures, &owner, 1, now).is_ok()
    }

    /// Returns a permit to wait for a key, for a request of that client.
    ///
    /// # Errors
    /// If too many requests wait.
    pub(in crate::flows) fn acquire_wait(&self, client: Option<IpAddr>) -> Result<HeldPlace, BudgetError> {
        let owner = self.client_key(client).map(|client| (client, Share::Quarter));
        self.key_waits.try_take(owner.as_slice(), 1).ok_or(BudgetError::Busy)
    }

    /// Waits for a permit to fetch a key from that host: many actors of one server may send at once. The number of
    /// waiting requests is bounded by [`Budgets::acquire_wait`].
    pub(in crate::flows) async fn acquire_fetch(&self, client: Option<IpAddr>, host: &str) -> HeldPlace {
        self.key_fetches.take(&self.client_and_host(client, host, Share::Quarter)).await
    }

    /// Whether a key document that does not verify may be fetched for this client; if so, not again within that time.
    pub(in crate::flows) fn may_refetch(
        &self,
        document: &Url,
        client: Option<IpAddr>,
        interval: Duration,
        now: Timestamp,
    ) -> bool {
        let key = self.rates.key(("refetch", document, client.map(Owner::address)));
        self.rates.take(key, RateLimit { amount: 1, window: interval }, 1, now).is_ok()
    }

    /// A number by which a client is recognized for a while.
    pub fn client_number(&self, client: Option<IpAddr>) -> u64 {
        self.client_key(client).unwrap_or_default()
    }

    /// The owners of a place that a client holds to wait for a host.
    fn client_and_host(&self, client: Option<IpAddr>, host: &str, share: Share) -> Vec<(u64, Share)> {
        let host = self.rates.key(Owner::domain(host));
        self.client_key(client).into_iter().chain([host]).map(|key| (key, share)).collect()
    }

    fn client_key(&self, client: Option<IpAddr>) -> Option<u64> {
        client.map(|client| self.rates.key(Owner::address(client)))
    }

    /// The next turn of a domain in a lane: now, or later if it had many turns. Turns decide who waits when there is not
    /// enough capacity for all.
    pub(in crate::flows) fn next_turn(&self, lane: InboxLane, domain: &str, now: Timestamp) -> Timestamp {
        let amount = match lane {
            InboxLane::Ready => READY_TURNS,
            InboxLane::Network => NETWORK_TURNS,
        };
        let limit = RateLimit { amount, window: Duration::from_secs(1) };
        let mut turn = now;
        for owner in Owner::of_host(domain) {
            let limit = RateLimit { amount: limit.amount * u64::from(owner.factor()), ..limit };
            turn = turn.max(self.rates.add(self.rates.key(("turn", lane, &owner)), limit, 1, now));
        }
        turn
    }

    /// Permits a lookup by a reader at a host.
    ///
    /// # Errors
    /// If the client has started too many recently, or too many are in flight.
    pub fn start_lookup(
        &self,
        client: Option<IpAddr>,
        host: &str,
        now: Timestamp,
    ) -> Result<HeldPlace, BudgetError> {
        if let Some(client) = client {
            self.charge(Budget::Lookups, &Owner::address(client), 1, now)?;
        }
        let owners = self.client_and_host(client, host, Share::Eighth);
        self.lookups.try_take(&owners, 1).ok_or(BudgetError::Busy)
    }
}
