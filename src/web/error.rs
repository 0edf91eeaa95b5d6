//! The errors of requests. Clients see only safe text; the cause is logged here, once.
//!
//! A fault of the program is an internal error (500). A database that is busy or cannot be reached is not: the request
//! may succeed later (503 with `Retry-After`).

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::untrusted::Untrusted;
use crate::flows::budget::BudgetError;
use crate::flows::error::{FlowError, Outage};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// There is nothing at this URL.
    #[error("not found")]
    NotFound,
    /// It was deleted for good.
    #[error("gone")]
    Gone,
    /// The request is malformed.
    #[error("{0}")]
    BadRequest(String),
    /// The request is not signed, or its signature is invalid.
    #[error("{0}")]
    Unauthorized(String),
    /// The client is not allowed to do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The request is for another host.
    #[error("this server is not responsible for that host")]
    Misdirected,
    /// The client sent too many requests; it may try again after this time.
    #[error("too many requests")]
    TooManyRequests(Duration),
    /// We are too busy for the request right now.
    #[error("{0}")]
    Busy(&'static str),
    /// The body is too large.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The database is busy or cannot be reached.
    #[error("the database is unavailable")]
    StoreUnavailable(#[source] Outage),
    /// Something is wrong in the program or its data.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl From<FlowError> for WebError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Unavailable(outage) => Self::StoreUnavailable(outage),
            FlowError::ShuttingDown => Self::Busy("the server is shutting down"),
            FlowError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<sqlx::Error> for WebError {
    fn from(error: sqlx::Error) -> Self {
        FlowError::from(error).into()
    }
}

/// What renders a page, and does not use the database, fails with an `anyhow::Error`.
impl From<anyhow::Error> for WebError {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<BudgetError> for WebError {
    fn from(error: BudgetError) -> Self {
        match error {
            BudgetError::Busy => Self::Busy("too many concurrent activities"),
            BudgetError::Exceeded(wait) => Self::TooManyRequests(wait),
        }
    }
}

/// The text of an error. It travels with the response until `error_pages` gives it the format that the client wants.
#[derive(Debug, Clone)]
pub(super) struct ErrorText {
    /// For servers, in English.
    pub(super) error: String,
    /// For people: the message of the error page.
    pub(super) message_key: &'static str,
}

impl WebError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy(_) | Self::StoreUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Seconds after which a retry may succeed.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Busy(_) => Some(5),
            Self::StoreUnavailable(_) => Some(60),
            // Rounded up, and at most a day.
            Self::TooManyRequests(wait) => Some(wait.as_secs().saturating_add(1).min(24 * 60 * 60)),
            _ => None,
        }
    }

    /// The message of the error page.
    pub(super) const fn message_key(&self) -> &'static str {
        match self {
            Self::NotFound => "error-not-found",
            Self::Gone => "error-gone",
            Self::BadRequest(_) | Self::Unauthorized(_) | Self::Misdirected => "error-bad-request",
            Self::Forbidden(_) => "error-forbidden",
            Self::BodyTooLarge => "error-too-large",
            Self::TooManyRequests(_) => "error-too-many",
            Self::Busy(_) | Self::StoreUnavailable(_) => "error-unavailable",
            Self::Internal(_) => "error-internal",
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(error) => tracing::error!(error = ?Untrusted::chain(error), "request failed"),
            Self::StoreUnavailable(outage) => {
                tracing::warn!(error = ?Untrusted::chain(outage), "request rejected: database unavailable");
            }
            _ => {}
        }
        let mut error = Untrusted::new(&self).to_string();
        if let Some(first) = error.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let mut response = self.status().into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(ErrorText { error, message_key: self.message_key() });
        response
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::flows::group_commit::GroupError;

    fn status(error: impl Into<WebError>) -> (u16, Option<HeaderValue>) {
        let response = error.into().into_response();
        (response.status().as_u16(), response.headers().get(header::RETRY_AFTER).cloned())
    }

    #[test]
    fn a_fault_is_500_and_a_database_that_is_away_503() {
        let retry = Some(HeaderValue::from_static("60"));
        assert_eq!(status(anyhow::anyhow!("a bug")), (500, None));
        assert_eq!(status(sqlx::Error::RowNotFound), (500, None));
        assert_eq!(status(sqlx::Error::ColumnNotFound("x".to_owned())), (500, None));
        assert_eq!(status(sqlx::Error::PoolTimedOut), (503, retry.clone()));
        assert_eq!(status(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())), (503, retry.clone()));
        for outage in [sqlx::Error::PoolTimedOut.into(), FlowError::Unavailable(Outage::Timeout)] {
            assert_eq!(status(outage), (503, retry.clone()));
        }
        let group = GroupError::from(sqlx::Error::PoolTimedOut);
        assert_eq!(status(FlowError::from(group)), (503, retry));
        assert_eq!(status(FlowError::from(GroupError::from(sqlx::Error::RowNotFound))), (500, None));
        let fault: anyhow::Result<()> = Err(sqlx::Error::RowNotFound).context("loading a review");
        assert_eq!(status(FlowError::from(fault.unwrap_err())), (500, None));
    }
}
