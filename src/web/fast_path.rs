//! The way to a page that many ask for at once, and to the inboxes: what is cached_response and good is answered, and what others
//! send is taken in, before routes and layers are gone through, which together cost as much again. Everything else
//! goes on to them, and is answered there as if this were not here.

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
use super::cache::CacheKind;
use super::content_negotiation::{prefers_activity, prefers_html};
use super::router::with_timeout;
use super::state::WebState;
use super::{error, response_headers};

/// The site with what is cached_response before it.
#[derive(Debug, Clone)]
pub struct FastPath {
    /// None in secure mode, where whoever asks is looked at first.
    state: Option<Arc<WebState>>,
    routes: Router,
}

/// An answer, or the way to it.
pub enum FastPathFuture {
    /// It is here already.
    Ready(Option<Response>),
    /// It comes from the routes.
    Routed(Pin<Box<<Router as Service<Request>>::Future>>),
    /// It comes from the inbox.
    Inbox(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl FastPath {
    /// Puts the cache of that state, and its inboxes, before the routes.
    pub fn new(state: &WebState, routes: Router) -> Self {
        let is_open = !state.app.policy.authorized_fetch;
        Self { state: is_open.then(|| Arc::new(state.clone())), routes }
    }
}

fn cached_response(state: &WebState, request: &Request) -> Option<Response> {
    if *request.method() != Method::GET {
        return None;
    }
    let (path, headers) = (request.uri().path(), request.headers());
    // A name with an escape is not the name that it is cached_response by, and a query may ask for another order.
    let named = if let Some(slug) = path.strip_prefix("/reviews/") {
        if request.uri().query().is_some() {
            return None;
        }
        match slug.strip_suffix("/comments") {
            Some(slug) => (CacheKind::Conversation, slug),
            None if prefers_activity(headers) => (CacheKind::ArticleOfPage, slug),
            None => (CacheKind::Page, slug),
        }
    } else if let Some(id) = path.strip_prefix("/ap/article/") {
        (!prefers_html(headers)).then_some((CacheKind::Article, id))?
    } else {
        (path == "/" && !prefers_activity(headers)).then_some((CacheKind::List, path))?
    };
    state.cache.get_ready(named, headers, state.app.clock.now())
}

/// Whether this is sent to one of the inboxes, as the routes have them.
fn is_inbox_post(request: &Request) -> bool {
    let path = request.uri().path();
    let critic = || path.strip_prefix("/ap/actor/")?.strip_suffix("/inbox");
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    *request.method() == Method::POST && (path == "/ap/inbox" || critic().is_some_and(is_id))
}

/// What the routes and their layers would answer.
async fn receive(state: Arc<WebState>, request: Request) -> Response {
    let format = error::ErrorFormat::requested_by(&request);
    let receiving = async { inbox::receive(&state, request).await.into_response() };
    let mut response = error::format_error(&state, format, with_timeout(receiving).await);
    response_headers::add_defaults(response.headers_mut());
    response
}

impl Service<Request> for FastPath {
    type Response = Response;
    type Error = Infallible;
    type Future = FastPathFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request) -> FastPathFuture {
        if let Some(state) = &self.state {
            if is_inbox_post(&request) {
                return FastPathFuture::Inbox(Box::pin(receive(Arc::clone(state), request)));
            }
            if let Some(response) = cached_response(state, &request) {
                return FastPathFuture::Ready(Some(response));
            }
        }
        FastPathFuture::Routed(Box::pin(self.routes.call(request)))
    }
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
