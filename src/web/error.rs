//! What goes wrong, as the client may know it. The rest is in the log.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Json, Response};

use super::state::WebState;
use super::{content_negotiation, response_headers};

/// Why a request gets no better answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// There is nothing here.
    #[error("there is nothing here")]
    NotFound,
    /// It was here, and will not come back.
    #[error("this is gone")]
    Gone,
    /// The request cannot be read.
    #[error("{0}")]
    BadRequest(String),
    /// The request proves nothing.
    #[error("{0}")]
    Unauthorised(String),
    /// Whoever asks may not.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Too many such requests came lately.
    #[error("too many requests at once")]
    TooManyRequests,
    /// It cannot be taken at this moment, and may be in the next.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The body is too large.
    #[error("the body is too large")]
    BodyTooLarge,
    /// Something is wrong here.
    #[error("something went wrong here")]
    Internal(#[from] anyhow::Error),
}

impl From<sqlx::Error> for WebError {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// What an error says, preserved beside its response until it is known who asked.
#[derive(Debug, Clone)]
struct ErrorText {
    /// For servers, in English.
    error: String,
    /// The message_key of the page for people.
    message_key: &'static str,
}

impl WebError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorised(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) | Self::Internal(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Seconds after which it may be better.
    const fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::Unavailable(_) => Some("5"),
            Self::Internal(_) | Self::TooManyRequests => Some("60"),
            _ => None,
        }
    }

    /// The message_key of its page.
    const fn message_key(&self) -> &'static str {
        match self {
            Self::NotFound => "error-not-found",
            Self::Gone => "error-gone",
            Self::BadRequest(_) | Self::Unauthorised(_) => "error-bad-request",
            Self::Forbidden(_) => "error-forbidden",
            Self::BodyTooLarge => "error-too-large",
            Self::TooManyRequests => "error-too-many",
            Self::Unavailable(_) | Self::Internal(_) => "error-unavailable",
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(error = format!("{error:#}"), "request failed");
        }
        let mut error = self.to_string();
        if let Some(first) = error.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let mut response = self.status().into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response.extensions_mut().insert(ErrorText { error, message_key: self.message_key() });
        response
    }
}

impl ErrorText {
    /// What an answer says that is no page yet: that nothing is there, or that a request cannot be read, as its
    /// extractors put it.
    fn of_response(response: &Response, wants_page: bool) -> Option<Self> {
        let status = response.status();
        let form = response.headers().get(header::CONTENT_TYPE);
        if status == StatusCode::NOT_FOUND && form.is_none() {
            let error = "There is nothing here".to_owned();
            return Some(Self { error, message_key: WebError::NotFound.message_key() });
        }
        let is_plain = form.is_none_or(|form| form.as_bytes().starts_with(b"text/plain"));
        if !wants_page || !is_plain || !status.is_client_error() {
            return None;
        }
        let message_key = match status {
            StatusCode::PAYLOAD_TOO_LARGE => WebError::BodyTooLarge.message_key(),
            StatusCode::REQUEST_TIMEOUT => WebError::Unavailable("").message_key(),
            _ => WebError::BadRequest(String::new()).message_key(),
        };
        Some(Self { error: String::new(), message_key })
    }
}

/// What an answer says to clients and caches, whatever form it is given.
const PRESERVED_HEADERS: [HeaderName; 4] =
    [header::RETRY_AFTER, header::CACHE_CONTROL, header::VARY, header::ALLOW];

/// What a request says about the form in which an error is to be text.
pub(super) struct ErrorFormat {
    accept: Vec<HeaderValue>,
    /// Whether documents stand under its path, not pages.
    is_for_servers: bool,
}

impl ErrorFormat {
    /// Who made this request.
    pub(super) fn requested_by(request: &Request) -> Self {
        let path = request.uri().path();
        let of_servers = ["/ap/", "/.well-known/", "/nodeinfo/", "/health/"];
        Self {
            accept: request.headers().get_all(header::ACCEPT).iter().cloned().collect(),
            is_for_servers: of_servers.iter().any(|prefix| path.starts_with(prefix)),
        }
    }

    fn wants_page(self) -> bool {
        let asked: HeaderMap = self.accept.into_iter().map(|value| (header::ACCEPT, value)).collect();
        // Who does not care gets what the address is for.
        if self.is_for_servers {
            content_negotiation::prefers_html(&asked)
        } else {
            !content_negotiation::prefers_activity(&asked)
        }
    }
}

/// Gives errors the form that who asked can read: a page for people, JSON for servers.
pub(super) async fn format_errors(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let format = ErrorFormat::requested_by(&request);
    let mut response = format_error(&state, format, next.run(request).await);
    response_headers::add_defaults(response.headers_mut());
    response
}

/// The same of an answer that is there.
pub(super) fn format_error(state: &WebState, format: ErrorFormat, mut response: Response) -> Response {
    let text = response.extensions_mut().remove::<ErrorText>();
    if text.is_none() && !response.status().is_client_error() {
        return response;
    }
    // Most answers are none of this: what was asked for is read only where it matters.
    let wants_page = format.wants_page();
    let Some(text) = text.or_else(|| ErrorText::of_response(&response, wants_page)) else { return response };
    let status = response.status();
    let preserved =
        PRESERVED_HEADERS.map(|name| response.headers_mut().remove(&name).map(|value| (name, value)));
    let page = wants_page.then(|| state.pages.error(status.as_u16(), text.message_key).ok()).flatten();
    let mut response = match page {
        Some(page) => (status, Html(page)).into_response(),
        None => (status, Json(serde_json::json!({"error": text.error}))).into_response(),
    };
    response.headers_mut().extend(preserved.into_iter().flatten());
    response
}
