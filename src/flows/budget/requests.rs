//! Charges requests to other servers to whoever causes them, and to the server that they go to.
//!
//! Requests to a server are divided among those who cause them: what the server's own actors cause is counted apart, so that
//! those who forge their names never use it up, and of the rest nobody may cause more than a tenth.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use url::Url;

use super::rates::RateLimit;
use super::{Budget, BudgetError, TEN_MINUTES};
use crate::domain::owner::Owner;
use crate::flows::App;
use crate::net::NetError;
use crate::net::request_budget::RequestBudget;

/// Requests of one operation: documents, handles, their redirects, and second attempts with another signature.
const MAX_REQUESTS_PER_OPERATION: u32 = 60;

/// Requests for one key: its document and its owner's, each with a redirect and a second attempt.
const MAX_REQUESTS_PER_KEY: u32 = 8;

/// Requests to a server that every owner may cause, even if others have caused too many.
const RESERVED_REQUESTS: u64 = 5;

/// Who causes the requests of an operation.
#[derive(Debug, Clone)]
enum RequestCause {
    /// An activity of a proven actor of this domain.
    Actor { actor: Owner, host: String, domain: Owner },
    /// A request to the inbox whose sender is not proven yet, for a key.
    Key(Option<IpAddr>),
    /// A reader who looks up an account.
    Reader(Option<IpAddr>),
}

/// The requests that one operation may send.
pub struct OperationRequests {
    app: App,
    cause: RequestCause,
    left: AtomicU32,
    refusal: OnceLock<BudgetError>,
}

impl OperationRequests {
    fn new(app: &App, cause: RequestCause, left: u32) -> Arc<Self> {
        Arc::new(Self { app: app.clone(), cause, left: AtomicU32::new(left), refusal: OnceLock::new() })
    }

    /// Why a request was refused that may be sent later, if one was.
    pub fn refusal(&self) -> Option<BudgetError> {
        self.refusal.get().copied()
    }

    /// What an activity of a proven actor, or the actor's profile, causes.
    pub fn of_actor(app: &App, actor: &Url) -> Arc<Self> {
        let host = actor.host_str().unwrap_or_default();
        let cause = RequestCause::Actor {
            actor: Owner::actor(actor),
            host: host.to_owned(),
            domain: Owner::domain(host),
        };
        Self::new(app, cause, MAX_REQUESTS_PER_OPERATION)
    }

    /// The fetch of a key that a client's request names.
    pub fn of_key(app: &App, client: Option<IpAddr>) -> Arc<Self> {
        Self::new(app, RequestCause::Key(client), MAX_REQUESTS_PER_KEY)
    }

    /// A lookup that a reader starts.
    pub fn of_reader(app: &App, client: Option<IpAddr>) -> Arc<Self> {
        Self::new(app, RequestCause::Reader(client), MAX_REQUESTS_PER_OPERATION)
    }

    fn try_charge(&self, url: &Url) -> Result<(), BudgetError> {
        let target = Owner::domain(url.host_str().unwrap_or_default());
        match &self.cause {
            RequestCause::Actor { actor, host, domain } => {
                self.charge(Budget::RequestsOfActor, actor)?;
                if target == *domain {
                    return self.charge(Budget::RequestsToOwnDomain, &target);
                }
                for owner in Owner::of_host(host) {
                    self.charge(Budget::RequestsOfDomain, &owner)?;
                }
                self.charge_target(Some(domain), &target)
            }
            RequestCause::Key(client) => {
                let Some(client) = *client else {
                    return self.charge(Budget::RequestsToOwnDomain, &target);
                };
                let address = Owner::address(client);
                self.charge(Budget::Keys, &address)?;
                if self.app.budgets.is_proven(client, &target, self.app.clock.now()) {
                    return self.charge(Budget::RequestsToOwnDomain, &target);
                }
                self.charge_target(Some(&address), &target)
            }
            RequestCause::Reader(client) => self.charge_target(client.map(Owner::address).as_ref(), &target),
        }
    }

    fn charge(&self, budget: Budget, owner: &Owner) -> Result<(), BudgetError> {
        self.app.budgets.charge(budget, owner, 1, self.app.clock.now())
    }

    /// Charges a request to a server that does not belong to who causes it.
    fn charge_target(&self, cause: Option<&Owner>, target: &Owner) -> Result<(), BudgetError> {
        let (budgets, now) = (&self.app.budgets, self.app.clock.now());
        let Some(cause) = cause else { return self.charge(Budget::RequestsToHost, target) };
        let amount = (budgets.limit_of(Budget::RequestsToHost, target).amount / 10).max(1);
        let share = RateLimit { amount, window: TEN_MINUTES };
        let key = budgets.rates.key((Budget::RequestsToHost, cause, target));
        let part = budgets.rates.take(key, share, 1, now).map_err(BudgetError::Exceeded)?;
        if part <= share.part(RESERVED_REQUESTS) {
            return Ok(());
        }
        self.charge(Budget::RequestsToHost, target)
    }
}

#[async_trait::async_trait]
impl RequestBudget for OperationRequests {
    async fn charge(&self, url: &Url) -> Result<(), NetError> {
        // An operation that needs more has failed, and need not be tried again.
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        spent.map_err(|_| NetError::OverBudget)?;
        self.try_charge(url).map_err(|error| {
            // Only the first reason counts.
            let _ = self.refusal.set(error);
            NetError::OverBudget
        })
    }
}
