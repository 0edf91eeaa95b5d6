//! Answers requests for cached pages, and receives activities, without routing and middleware, which would cost as much
//! again. All other requests go to the router, which would give the same responses to these. `router::routes` says
//! which routes have a shortcut.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use tower_service::Service;

use super::activitypub::inbox;
use super::error::WebError;
use super::error_pages::{self, ErrorFormat};
use super::request_log::{self, LogEntry};
use super::request_target::resolve_host;
use super::route::{PathPattern, Route, Shortcut};
use super::router;
use super::state::WebState;

/// The site, with the fast path before its router.
#[derive(Debug, Clone)]
pub struct FastPath {
    state: Arc<WebState>,
    /// Empty with authorized fetch, where each request is authenticated first.
    shortcuts: Arc<[(PathPattern, Shortcut)]>,
    router: Router,
}

impl FastPath {
    /// Serves the site.
    pub fn new(state: WebState) -> Self {
        let routes = router::routes();
        let has_shortcuts = !state.app.policy.authorized_fetch;
        let shortcuts = routes.iter().filter(|_| has_shortcuts).filter_map(Route::shortcut).collect();
        Self { router: router::router(routes, state.clone()), state: Arc::new(state), shortcuts }
    }

    /// Responds with an error that needs no handler.
    pub(super) fn refuse(&self, request: &Request, error: WebError) -> FastPathFuture {
        let format = ErrorFormat::requested_by(request);
        let entry = LogEntry::start(&self.state, request);
        let response = error_pages::finish(&self.state, format, error.into_response());
        request_log::log_ready(entry, request_log::NO_ROUTE, request.method(), &response);
        FastPathFuture::Ready(Some(response))
    }

    /// The shortcut for a request, and the parameter of its path.
    fn find_shortcut<'a>(&self, request: &'a Request) -> Option<(&'static str, &'a str, Shortcut)> {
        let path = request.uri().path();
        self.shortcuts.iter().find_map(|(pattern, shortcut)| {
            let has_method = match shortcut {
                Shortcut::Cached(_) => *request.method() == Method::GET,
                Shortcut::Inbox => *request.method() == Method::POST,
            };
            Some((pattern.route(), pattern.parameter(path).filter(|_| has_method)?, *shortcut))
        })
    }

    /// Answers a request.
    pub(super) fn respond(&self, mut request: Request) -> FastPathFuture {
        if let Err(error) = resolve_host(&mut request, &self.state.app.origin) {
            return self.refuse(&request, error);
        }
        match self.find_shortcut(&request) {
            Some((route, _, Shortcut::Inbox)) => {
                return FastPathFuture::Inbox(Box::pin(receive(Arc::clone(&self.state), route, request)));
            }
            Some((route, parameter, Shortcut::Cached(key))) => {
                let entry = LogEntry::start(&self.state, &request);
                let (cache, now) = (&self.state.cache, self.state.app.clock.now());
                let response =
                    key(parameter, &request).and_then(|key| cache.get_ready(key, request.headers(), now));
                if let Some(response) = response {
                    request_log::log_ready(entry, route, request.method(), &response);
                    return FastPathFuture::Ready(Some(response));
                }
            }
            None => {}
        }
        FastPathFuture::Routed(Box::pin(self.router.clone().call(request)))
    }
}

/// Receives an activity as the route and its middleware would.
async fn receive(state: Arc<WebState>, route: &'static str, request: Request) -> Response {
    request_log::log_inbox_request(&state, route, request, async |request| {
        let format = ErrorFormat::requested_by(&request);
        let receiving = async { inbox::receive(&state, request).await.into_response() };
        error_pages::finish(&state, format, router::with_timeout(receiving).await)
    })
    .await
}

/// A response, or the work that leads to it.
pub enum FastPathFuture {
    /// From the cache.
    Ready(Option<Response>),
    /// From the router.
    Routed(Pin<Box<<Router as Service<Request>>::Future>>),
    /// From an inbox.
    Inbox(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Future for FastPathFuture {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Routed(routed) => routed.as_mut().poll(context),
            Self::Inbox(receiving) => receiving.as_mut().poll(context).map(Ok),
        }
    }
}

impl std::fmt::Debug for FastPathFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready",
            Self::Routed(_) => "Routed",
            Self::Inbox(_) => "Inbox",
        })
    }
}
