//! Liveness and readiness checks.

use axum::extract::State;
use axum::http::StatusCode;

use super::state::WebState;

/// The process is running.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The database can be reached.
pub(super) async fn ready(State(state): State<WebState>) -> (StatusCode, &'static str) {
    match state.app.db.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready: database unavailable");
            (StatusCode::SERVICE_UNAVAILABLE, "database unavailable\n")
        }
    }
}
