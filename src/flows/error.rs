//! The error of operations that a request waits for.

use super::group_commit::GroupError;
use crate::store::is_outage;

/// Why an operation failed on this side. A server answers the first kind with 503 and the second one with 500.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The database is busy, full or unreachable: the same operation may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A bug, or stored data that should not exist.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<sqlx::Error> for FlowError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) { Self::Unavailable(error.to_string()) } else { Self::Internal(error.into()) }
    }
}

impl From<GroupError> for FlowError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Unavailable(reason) => Self::Unavailable(reason),
            GroupError::Closed => Self::Unavailable(error.to_string()),
            GroupError::Invalid(_) => Self::Internal(error.into()),
        }
    }
}
