//! A single HTTP connection for deliveries. Everything that the peer may send is limited in size.

use std::error::Error as _;
use std::io::ErrorKind;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use url::{Position, Url};

use super::NetError;
use super::response::MAX_HEADER_BYTES;

/// The flow-control windows of HTTP/2 in bytes. They are small, since responses are short.
const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;
const HTTP2_CONNECTION_WINDOW: u32 = 256 * 1024;

type Body = Full<Bytes>;

/// A connection.
pub(super) enum Connection {
    /// HTTP/1.1: one request at a time.
    Http1(http1::SendRequest<Body>),
    /// HTTP/2: shared by all requests to the host.
    Http2(http2::SendRequest<Body>),
}

/// Why there is no response.
pub(super) enum SendError {
    /// The peer closed the connection before it sent any response.
    Closed,
    /// Any other failure.
    Failed(NetError),
}

impl From<SendError> for NetError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => Self::InvalidResponse,
            SendError::Failed(error) => error,
        }
    }
}

impl From<hyper::Error> for SendError {
    fn from(error: hyper::Error) -> Self {
        if is_closed_by_peer(&error) {
            Self::Closed
        } else if error.is_user() {
            Self::Failed(NetError::InvalidRequest)
        } else {
            Self::Failed(NetError::InvalidResponse)
        }
    }
}

fn is_closed_by_peer(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        || cause.is_some_and(|cause| {
            matches!(
                cause.kind(),
                ErrorKind::BrokenPipe
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::UnexpectedEof
            )
        })
}

impl Connection {
    /// Starts HTTP/1.1 on a stream.
    pub(super) async fn http1(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self, NetError> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEADER_BYTES as usize);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|_| NetError::InvalidResponse)?;
        // An error of the driver also ends the pending request.
        tokio::spawn(driver);
        Ok(Self::Http1(sender))
    }

    /// Starts HTTP/2 on a stream.
    pub(super) async fn http2(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self, NetError> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .max_header_list_size(MAX_HEADER_BYTES)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, driver) = handshake.map_err(|_| NetError::InvalidResponse)?;
        tokio::spawn(driver);
        Ok(Self::Http2(sender))
    }

    /// Returns another handle to the same connection, if the protocol allows concurrent requests.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    /// Sends a POST request, and returns the response as soon as its headers have arrived.
    pub(super) async fn post(
        &mut self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, SendError> {
        let request = self.request(url, headers, body).map_err(SendError::Failed)?;
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                Ok(sender.send_request(request).await?)
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                Ok(sender.send_request(request).await?)
            }
        }
    }

    fn request(&self, url: &Url, mut headers: HeaderMap, body: Bytes) -> Result<Request<Body>, NetError> {
        headers.remove(header::HOST);
        // HTTP/1.1 states the host in a header, HTTP/2 in the target.
        let target = match self {
            Self::Http1(_) => {
                let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
                headers.insert(header::HOST, host.map_err(|_| NetError::InvalidRequest)?);
                &url[Position::BeforePath..Position::AfterQuery]
            }
            Self::Http2(_) => &url[..Position::AfterQuery],
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.parse::<Uri>().map_err(|_| NetError::InvalidRequest)?;
        *request.headers_mut() = headers;
        Ok(request)
    }
}
