//! The service of one connection: it records when requests begin and end, and hands them to the site.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;

use super::client_connection::ClientConnection;
use super::connection_table::{ConnectionTable, RequestPlace};
use crate::web::client_address;
use crate::web::error::WebError;
use crate::web::fast_path::{FastPath, FastPathFuture};

/// Answers the requests of a connection.
#[derive(Debug)]
pub(super) struct ConnectionService {
    pub(super) site: FastPath,
    pub(super) table: Arc<ConnectionTable>,
    pub(super) connection: Arc<ClientConnection>,
}

impl ConnectionService {
    /// Notices a proxy that nobody named.
    fn recognize_proxy(&self, request: &Request<Incoming>) {
        let address = self.connection.peer.ip().to_canonical();
        let usage = &self.connection.usage;
        if !usage.is_proxy.load(Relaxed) && client_address::is_unnamed_proxy(address, request.headers()) {
            usage.is_proxy.store(true, Relaxed);
            self.table.unnamed_proxies.record(address);
        }
    }
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<CountedBody>;
    type Error = Infallible;
    type Future = CountedFuture;

    fn call(&self, request: Request<Incoming>) -> CountedFuture {
        self.recognize_proxy(&request);
        let open = OpenResponse::begin(&self.connection);
        let place = self.table.begin_request(&self.connection);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(self.connection.peer));
        let response = if place.is_some() {
            self.site.respond(request)
        } else {
            self.site.refuse(&request, WebError::Busy("too many concurrent requests"))
        };
        CountedFuture { response, open: Some(open), _place: place }
    }
}

/// A request in flight. Dropping it ends it.
#[derive(Debug)]
struct OpenResponse {
    connection: Arc<ClientConnection>,
    is_handled: bool,
}

impl OpenResponse {
    fn begin(connection: &Arc<ClientConnection>) -> Self {
        connection.begin_request();
        Self { connection: Arc::clone(connection), is_handled: false }
    }

    fn finish_handling(&mut self) {
        if !self.is_handled {
            self.is_handled = true;
            self.connection.begin_response();
        }
    }
}

impl Drop for OpenResponse {
    fn drop(&mut self) {
        self.finish_handling();
        self.connection.end_response();
    }
}

/// The response of a request that is counted.
#[derive(Debug)]
pub(super) struct CountedFuture {
    response: FastPathFuture,
    open: Option<OpenResponse>,
    _place: Option<RequestPlace>,
}

impl Future for CountedFuture {
    type Output = Result<Response<CountedBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(response) = ready!(Pin::new(&mut self.response).poll(context));
        let mut open = self.open.take();
        if let Some(open) = &mut open {
            open.finish_handling();
        }
        Poll::Ready(Ok(response.map(|body| CountedBody { body, _open: open })))
    }
}

/// The body of a response; the request is in flight until it is dropped.
#[derive(Debug)]
pub(super) struct CountedBody {
    body: Body,
    _open: Option<OpenResponse>,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
