//! Liveness and readiness checks.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::StatusCode;

use super::state::WebState;
use crate::domain::untrusted::Untrusted;

/// The process is running.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The database can be reached, and the last probe could write. The probe is in the background: this is public, and a request
/// must not cause a commit.
pub(super) async fn ready(State(state): State<WebState>) -> (StatusCode, Cow<'static, str>) {
    if let Err(error) = state.app.db.ping().await {
        tracing::warn!(error = ?Untrusted::chain(&error), "not ready: database unavailable");
        return (StatusCode::SERVICE_UNAVAILABLE, "database unavailable\n".into());
    }
    match state.app.write_probe.failure() {
        None => (StatusCode::OK, "ready\n".into()),
        Some(failure) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", failure.reason()).into()),
    }
}
