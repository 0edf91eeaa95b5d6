//! The errors of operations: what callers decide is in their types, never in their texts.

use std::sync::Arc;

use crate::store::error::is_outage;

/// Why the database cannot be used now. The same operation may succeed later.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Outage {
    /// It is busy, full or unreachable.
    #[error("{0}")]
    Database(Arc<sqlx::Error>),
    /// A transaction did not end in time.
    #[error("the transaction timed out")]
    Timeout,
}

/// Why an operation failed on this side. A server responds to the first two kinds with 503 and to the third one with 500.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The database cannot be used now.
    #[error("the database is unavailable")]
    Unavailable(#[source] Outage),
    /// The process is shutting down and writes nothing more.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A bug, or stored data that should not exist. Nothing that is made of an `anyhow::Error` is an outage: operations
    /// that use the database return their errors with a type.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<sqlx::Error> for FlowError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) {
            Self::Unavailable(Outage::Database(Arc::new(error)))
        } else {
            Self::Internal(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_a_statement_is_not_an_outage() {
        assert!(matches!(FlowError::from(sqlx::Error::RowNotFound), FlowError::Internal(_)));
        assert!(matches!(FlowError::from(sqlx::Error::PoolClosed), FlowError::Unavailable(_)));
    }
}
