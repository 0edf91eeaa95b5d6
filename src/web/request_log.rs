//! A span for each request, and the request log.
//!
//! The span names the request in every line that is logged while it is handled: its number since the start of the
//! process, its method and its route. The log has one line for each response, at level `debug` and under a target of
//! its own, so that it is off unless the filter asks for it: `MARQUEE_LOG=info,marquee::request=debug`. Client
//! addresses are logged only at level `trace`. A line about an activity names its owner by a number, which is not shown:
//! the log sums up what is more than a hundred lines of one address in ten seconds.
//!
//! The span of a routed request is on by default, so that every error names its request. A request that the fast path
//! handles has a span only while the log is on, since the span would cost a tenth of such a request (`inbox_forged`). An
//! error of the inbox names the activity instead.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::{Instrument as _, Level, Span, field};

use super::client_address::client_address;
use super::state::WebState;
use crate::domain::untrusted::Untrusted;

/// The target of span and log.
const TARGET: &str = "marquee::request";

/// The route of a request that matches none.
pub(super) const NO_ROUTE: &str = "none";

static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Middleware that logs requests.
pub(super) async fn log_requests(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    log_request(&state, route, request, |request| next.run(request)).await
}

/// Handles a request within its span, and logs the response.
pub(super) async fn log_request<R>(
    state: &WebState,
    route: &str,
    request: Request,
    respond: impl FnOnce(Request) -> R,
) -> Response
where
    R: Future<Output = Response>,
{
    let span = span(request.method(), route);
    let entry = LogEntry::start(state, &request);
    let response = respond(request).instrument(span.clone()).await;
    if let Some(entry) = entry {
        span.in_scope(|| entry.finish(&response));
    }
    response
}

/// The same for a request that the fast path hands to the inbox: without a span while the log is off.
pub(super) async fn log_inbox_request<R>(
    state: &WebState,
    route: &str,
    request: Request,
    respond: impl FnOnce(Request) -> R,
) -> Response
where
    R: Future<Output = Response>,
{
    if is_enabled() { log_request(state, route, request, respond).await } else { respond(request).await }
}

fn is_enabled() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

/// Logs a request that the fast path answered. `entry` was started before the response was looked up.
pub(super) fn log_ready(entry: Option<LogEntry>, route: &str, method: &Method, response: &Response) {
    if let Some(entry) = entry {
        span(method, route).in_scope(|| entry.finish(response));
    }
}

fn span(method: &Method, route: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
        method = %Untrusted::new(method),
        route,
    )
}

/// A line of the log, before the response is known.
pub(super) struct LogEntry {
    started: Instant,
    path: String,
    client: Option<IpAddr>,
    /// Stands for the network that sent an activity.
    owner: Option<u64>,
}

impl LogEntry {
    /// Starts the clock. Returns `None` while the log is off.
    pub(super) fn start(state: &WebState, request: &Request) -> Option<Self> {
        if !is_enabled() {
            return None;
        }
        let with_client = tracing::enabled!(target: TARGET, Level::TRACE);
        let client = client_address(request.extensions(), request.headers(), &state.trusted_proxies);
        let owner = client
            .filter(|_| request.method() == Method::POST)
            .map(|client| state.app.budgets.client_number(Some(client)));
        Some(Self {
            started: Instant::now(),
            path: Untrusted::new(&request.uri().path()).to_string(),
            client: client.filter(|_| with_client),
            owner,
        })
    }

    fn finish(self, response: &Response) {
        tracing::debug!(
            target: TARGET,
            path = self.path,
            status = response.status().as_u16(),
            micros = self.started.elapsed().as_micros(),
            client = self.client.map(field::display),
            line_owner = self.owner,
            "request"
        );
    }
}
