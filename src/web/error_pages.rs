//! Gives error responses the format that the client wants: a page for people, JSON for servers.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Json, Response};

use super::error::{ErrorText, WebError};
use super::state::WebState;
use super::{content_negotiation, response_headers};

/// Header fields that a response keeps when its body is replaced.
const PRESERVED_HEADERS: [HeaderName; 4] =
    [header::RETRY_AFTER, header::CACHE_CONTROL, header::VARY, header::ALLOW];

/// Prefixes of the paths that servers request, rather than people.
const SERVER_PATHS: [&str; 4] = ["/ap/", "/.well-known/", "/nodeinfo/", "/health/"];

/// What a request says about the format of an error.
pub(super) struct ErrorFormat {
    accept: Vec<HeaderValue>,
    is_for_servers: bool,
}

impl ErrorFormat {
    pub(super) fn requested_by(request: &Request) -> Self {
        let path = request.uri().path();
        Self {
            accept: request.headers().get_all(header::ACCEPT).iter().cloned().collect(),
            is_for_servers: SERVER_PATHS.iter().any(|prefix| path.starts_with(prefix)),
        }
    }

    fn wants_page(self) -> bool {
        let accept: HeaderMap = self.accept.into_iter().map(|value| (header::ACCEPT, value)).collect();
        // Without a preference, the path decides.
        if self.is_for_servers {
            content_negotiation::prefers_html(&accept)
        } else {
            !content_negotiation::prefers_activity(&accept)
        }
    }
}

/// Middleware that formats errors and adds the header fields of every response.
pub(super) async fn format_errors(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let format = ErrorFormat::requested_by(&request);
    finish(&state, format, next.run(request).await)
}

/// Formats a response if it is an error, and adds the header fields of every response.
pub(super) fn finish(state: &WebState, format: ErrorFormat, response: Response) -> Response {
    let mut response = format_error(state, format, response);
    response_headers::add_defaults(response.headers_mut());
    response
}

fn format_error(state: &WebState, format: ErrorFormat, mut response: Response) -> Response {
    let text = response.extensions_mut().remove::<ErrorText>();
    if text.is_none() && !response.status().is_client_error() {
        return response;
    }
    // Parsed only now, since most responses are not errors.
    let wants_page = format.wants_page();
    let Some(text) = text.or_else(|| text_of_rejection(&response, wants_page)) else { return response };
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

/// The text of an error that axum returned: there is no such route, or an extractor rejected the request.
fn text_of_rejection(response: &Response, wants_page: bool) -> Option<ErrorText> {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if status == StatusCode::NOT_FOUND && content_type.is_none() {
        return Some(ErrorText {
            error: "Not found".to_owned(),
            message_key: WebError::NotFound.message_key(),
        });
    }
    let is_plain = content_type.is_none_or(|content_type| content_type.as_bytes().starts_with(b"text/plain"));
    if !wants_page || !is_plain || !status.is_client_error() {
        return None;
    }
    let message_key = match status {
        StatusCode::PAYLOAD_TOO_LARGE => WebError::BodyTooLarge.message_key(),
        StatusCode::REQUEST_TIMEOUT => WebError::Busy("").message_key(),
        _ => WebError::BadRequest(String::new()).message_key(),
    };
    Some(ErrorText { error: String::new(), message_key })
}
