//! The error of requests to other servers.

use std::error::Error;
use std::io;

use http::StatusCode;

use super::ssrf_guard::GuardError;

/// Why a request failed. Each message is one line and safe to show, since it contains no text from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The guard rejected the URL or its address. A retry only helps if the address of the name changes.
    #[error("not allowed: {0}")]
    Guard(GuardError),
    /// The host name has no address, or its name servers do not answer.
    #[error("could not resolve the host name")]
    Dns,
    /// No connection was accepted.
    #[error("could not connect")]
    Connect,
    /// The certificate is not valid for the host, or TLS failed otherwise.
    #[error("could not establish a trusted TLS connection")]
    Tls,
    /// A part of the request, or all of it, took too long.
    #[error("the request timed out")]
    Timeout,
    /// The connection was closed early, or the response is not HTTP.
    #[error("the response is incomplete or invalid")]
    InvalidResponse,
    /// The body has more than this many bytes after decompression.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// There were more than three redirects, a redirect loop, or a redirect from https to http or without a valid target.
    #[error("too many redirects, or an invalid one")]
    InvalidRedirect,
    /// The status is not the expected one.
    #[error("unexpected status {0}")]
    UnexpectedStatus(StatusCode),
    /// The document is not of the type that was requested.
    #[error("the response is not ActivityPub")]
    UnexpectedContentType,
    /// Whoever caused the request has caused too many.
    #[error("too many requests were caused by the same sender")]
    OverBudget,
    /// The request cannot be represented in HTTP.
    #[error("invalid request")]
    InvalidRequest,
}

impl From<GuardError> for NetError {
    fn from(error: GuardError) -> Self {
        Self::Guard(error)
    }
}

impl From<reqwest::Error> for NetError {
    fn from(error: reqwest::Error) -> Self {
        let mut kind = None;
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(inner) = cause {
            if let Some(error) = inner.downcast_ref::<Self>() {
                return *error;
            }
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                kind = kind.or(Some(innermost(io)));
            }
            cause = inner.source();
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_dns() {
            Self::Dns
        } else if error.is_connect() {
            kind.map_or(Self::Connect, from_io_kind)
        } else if error.is_builder() {
            Self::InvalidRequest
        } else {
            Self::InvalidResponse
        }
    }
}

/// Returns the kind of the innermost IO error, which `source()` would skip.
fn innermost(error: &io::Error) -> io::ErrorKind {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    wrapped.map_or_else(|| error.kind(), innermost)
}

/// Converts the error of opening a connection.
pub(super) fn connection_error(error: &io::Error) -> NetError {
    from_io_kind(innermost(error))
}

const fn from_io_kind(kind: io::ErrorKind) -> NetError {
    match kind {
        // rustls reports invalid certificates and failed handshakes with these kinds; TCP never does.
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => NetError::Tls,
        io::ErrorKind::TimedOut => NetError::Timeout,
        _ => NetError::Connect,
    }
}
