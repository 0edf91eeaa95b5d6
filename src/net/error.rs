//! What can go wrong on the way to another server, for those who decide what to do about it.

use std::error::Error;
use std::io;

use http::StatusCode;

use super::guard::GuardError;

/// Why there is no answer. One safe line each: nothing of the peer's text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// Not asked at all. Asking again is of no use, unless the name moves.
    #[error("refused: {0}")]
    Refused(GuardError),
    /// The name has no address, or its name servers do not answer.
    #[error("the host name cannot be resolved")]
    Dns,
    /// Nobody took the connection.
    #[error("cannot connect")]
    Connect,
    /// The certificate is not valid for the host, or TLS failed otherwise.
    #[error("no trustworthy TLS connection")]
    Tls,
    /// It took too long, in part or as a whole.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came is not HTTP.
    #[error("the answer broke off")]
    InvalidResponse,
    /// The body is over this many bytes, counted after decompression.
    #[error("the answer has over {0} bytes")]
    TooLarge(usize),
    /// A redirect in a circle, over three of them, from https to http or without a readable target.
    #[error("a redirect that leads nowhere")]
    InvalidRedirect,
    /// Another status than the one that was needed.
    #[error("the answer is {0}")]
    UnexpectedStatus(StatusCode),
    /// Not the kind of document that was asked for.
    #[error("the answer is not ActivityPub")]
    UnexpectedContentType,
    /// The request could not be made.
    #[error("the request could not be made")]
    InvalidRequest,
}

impl From<GuardError> for NetError {
    fn from(refused: GuardError) -> Self {
        Self::Refused(refused)
    }
}

impl From<reqwest::Error> for NetError {
    fn from(error: reqwest::Error) -> Self {
        let mut kind = None;
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<Self>() {
                return *refused;
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
            kind.map_or(Self::Connect, of_kind)
        } else if error.is_builder() {
            Self::InvalidRequest
        } else {
            Self::InvalidResponse
        }
    }
}

/// The kind of the io error that others wrap: `source()` would step over it.
fn innermost(error: &io::Error) -> io::ErrorKind {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    wrapped.map_or_else(|| error.kind(), innermost)
}

/// What kept a connection from being made.
pub(super) fn connection_error(error: &io::Error) -> NetError {
    of_kind(innermost(error))
}

const fn of_kind(kind: io::ErrorKind) -> NetError {
    match kind {
        // rustls reports certificates and broken handshakes so, TCP never does.
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => NetError::Tls,
        io::ErrorKind::TimedOut => NetError::Timeout,
        _ => NetError::Connect,
    }
}
