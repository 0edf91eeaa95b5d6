//! The budget of an operation that makes requests to other servers. It is charged where requests are sent, so that redirects
//! and second attempts with another signature count, too.

use std::sync::Arc;

use tokio::sync::Notify;
use url::Url;

use super::NetError;

tokio::task_local! {
    static BUDGET: Arc<dyn RequestBudget>;
}

/// Decides whether a request may be sent.
#[async_trait::async_trait]
pub trait RequestBudget: Send + Sync {
    /// Charges a GET request for this URL.
    ///
    /// # Errors
    /// [`NetError::OverBudget`] if the request must not be sent now.
    async fn charge(&self, url: &Url) -> Result<(), NetError>;
}

/// Refuses every request of an operation, which must then be given up: it would take the refusal for a failure of the other
/// server.
#[derive(Debug, Default)]
pub struct OfflineBudget(Notify);

impl OfflineBudget {
    /// Waits until a request was refused.
    pub async fn refused(&self) {
        self.0.notified().await;
    }
}

#[async_trait::async_trait]
impl RequestBudget for OfflineBudget {
    async fn charge(&self, _: &Url) -> Result<(), NetError> {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Runs an operation whose requests are charged to a budget. Tasks that it spawns are not part of it.
pub async fn with_budget<F: Future>(budget: Arc<dyn RequestBudget>, operation: F) -> F::Output {
    BUDGET.scope(budget, operation).await
}

/// Charges a request to the budget of the operation, if it has one: what the critic and the operator cause has none.
pub(super) async fn charge(url: &Url) -> Result<(), NetError> {
    match BUDGET.try_with(Arc::clone) {
        Ok(budget) => budget.charge(url).await,
        Err(_) => Ok(()),
    }
}
