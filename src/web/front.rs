//! The way to a page that many ask for at once, and to the inboxes: what is kept and good is answered, and what others
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

use super::cache::Kind;
use super::fedi::inbox;
use super::negotiate::{prefers_activity, prefers_html};
use super::router::bounded;
use super::state::WebState;
use super::{error, head};

/// The site with what is kept before it.
#[derive(Debug, Clone)]
pub struct Front {
    /// None in secure mode, where whoever asks is looked at first.
    state: Option<Arc<WebState>>,
    routes: Router,
}

/// An answer, or the way to it.
pub enum Answer {
    /// It is here already.
    Ready(Option<Response>),
    /// It comes from the routes.
    Routed(Pin<Box<<Router as Service<Request>>::Future>>),
    /// It comes from the inbox.
    Inbox(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Front {
    /// Puts the cache of that state, and its inboxes, before the routes.
    pub fn new(state: &WebState, routes: Router) -> Self {
        let is_open = !state.app.policy.authorized_fetch;
        Self { state: is_open.then(|| Arc::new(state.clone())), routes }
    }
}

fn kept(state: &WebState, request: &Request) -> Option<Response> {
    if *request.method() != Method::GET {
        return None;
    }
    let (path, headers) = (request.uri().path(), request.headers());
    // A name with an escape is not the name that it is kept by, and a query may ask for another order.
    let named = if let Some(slug) = path.strip_prefix("/reviews/") {
        if request.uri().query().is_some() {
            return None;
        }
        match slug.strip_suffix("/comments") {
            Some(slug) => (Kind::Conversation, slug),
            None if prefers_activity(headers) => (Kind::ArticleOfPage, slug),
            None => (Kind::Page, slug),
        }
    } else if let Some(id) = path.strip_prefix("/ap/article/") {
        (!prefers_html(headers)).then_some((Kind::Article, id))?
    } else {
        (path == "/" && !prefers_activity(headers)).then_some((Kind::List, path))?
    };
    state.cache.answer_at_once(named, headers, state.app.clock.now())
}

/// Whether this is sent to one of the inboxes, as the routes have them.
fn is_for_an_inbox(request: &Request) -> bool {
    let path = request.uri().path();
    let critic = || path.strip_prefix("/ap/actor/")?.strip_suffix("/inbox");
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    *request.method() == Method::POST && (path == "/ap/inbox" || critic().is_some_and(is_id))
}

/// What the routes and their layers would answer.
async fn take_in(state: Arc<WebState>, request: Request) -> Response {
    let asker = error::Asker::of(&request);
    let taking = async { inbox::receive(&state, request).await.into_response() };
    let mut response = error::told(&state, asker, bounded(taking).await);
    head::complete(response.headers_mut());
    response
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request) -> Answer {
        if let Some(state) = &self.state {
            if is_for_an_inbox(&request) {
                return Answer::Inbox(Box::pin(take_in(Arc::clone(state), request)));
            }
            if let Some(response) = kept(state, &request) {
                return Answer::Ready(Some(response));
            }
        }
        Answer::Routed(Box::pin(self.routes.call(request)))
    }
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Routed(routed) => routed.as_mut().poll(context),
            Self::Inbox(taking) => taking.as_mut().poll(context).map(Ok),
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready",
            Self::Routed(_) => "Routed",
            Self::Inbox(_) => "Inbox",
        })
    }
}
