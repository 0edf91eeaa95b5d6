//! The way to a page that many ask for at once: what is kept and good is answered before routes, layers and time
//! limits are gone through, which together cost as much again. Everything else goes on to them, and is answered
//! there as if this were not here.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use tower_service::Service;

use super::cache::{Cache, Kind};
use super::negotiate::{prefers_activity, prefers_html};
use super::state::WebState;
use crate::flows::App;

/// The site with what is kept before it.
#[derive(Debug, Clone)]
pub struct Front {
    /// None in secure mode, where whoever asks is looked at first.
    kept: Option<(App, Arc<Cache>)>,
    routes: Router,
}

/// An answer, or the way to it.
pub enum Answer {
    /// It is here already.
    Ready(Option<Response>),
    /// It comes from the routes.
    Routed(Pin<Box<<Router as Service<Request>>::Future>>),
}

impl Front {
    /// Puts the cache of that state before the routes.
    pub fn new(state: &WebState, routes: Router) -> Self {
        let is_open = !state.app.policy.authorized_fetch;
        Self { kept: is_open.then(|| (state.app.clone(), Arc::clone(&state.cache))), routes }
    }

    fn kept(&self, request: &Request) -> Option<Response> {
        let (app, cache) = self.kept.as_ref().filter(|_| *request.method() == Method::GET)?;
        let (path, headers) = (request.uri().path(), request.headers());
        // A name with an escape is not the name that it is kept by.
        let named = if let Some(slug) = path.strip_prefix("/reviews/") {
            (if prefers_activity(headers) { Kind::ArticleOfPage } else { Kind::Page }, slug)
        } else if let Some(id) = path.strip_prefix("/ap/article/") {
            (!prefers_html(headers)).then_some((Kind::Article, id))?
        } else {
            (path == "/" && !prefers_activity(headers)).then_some((Kind::List, path))?
        };
        cache.answer_at_once(named, headers, app.clock.now())
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: Request) -> Answer {
        match self.kept(&request) {
            Some(response) => Answer::Ready(Some(response)),
            None => Answer::Routed(Box::pin(self.routes.call(request))),
        }
    }
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Routed(routed) => routed.as_mut().poll(context),
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready",
            Self::Routed(_) => "Routed",
        })
    }
}
