//! Where others send. What is accepted is a row before anyone is told so.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::federation::signature;
use crate::flows::receive::{self, Refused};
use crate::web::client;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// A body is never larger. Mastodon's own bound is the same.
pub(in crate::web) const MOST_BYTES: usize = 1024 * 1024;

/// The headers of a request, `Host` among them, which HTTP/2 has in `:authority`.
pub(super) fn with_host(request: &Request) -> HeaderMap {
    let mut headers = request.headers().clone();
    if let Some(authority) = request.uri().authority()
        && !headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(header::HOST, host);
    }
    headers
}

/// The inbox of a critic and the one that all share: who is meant stands in the activity.
pub(in crate::web) async fn receive(
    State(state): State<WebState>,
    request: Request,
) -> Result<StatusCode, WebError> {
    let method = request.method().clone();
    let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let headers = with_host(&request);
    // Without a signature nobody gets to send a body.
    if !headers.contains_key("signature") {
        return Err(WebError::Unauthorised("the request is not signed".to_owned()));
    }
    let client = client::address(request.extensions(), &headers, &state.trusted_proxies);
    let body = Bytes::from_request(request, &state).await.map_err(|_| WebError::TooLarge)?;
    let origin = &state.app.origin;
    let request =
        signature::Request { method: &method, target: &target, origin, headers: &headers, body: &body };
    let accepted = receive::accept(&state.app, &request).await;
    if let Err(Refused::Malformed(why) | Refused::Unauthorised(why)) = &accepted {
        tracing::info!(client = client.map(tracing::field::display), why, "activity refused");
    }
    match accepted {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(Refused::Malformed(why)) => Err(WebError::BadRequest(why)),
        Err(Refused::Unauthorised(why)) => Err(WebError::Unauthorised(why)),
        Err(Refused::Blocked) => Err(WebError::Forbidden("you are not welcome here")),
        Err(Refused::Internal(error)) => Err(WebError::Internal(error)),
    }
}
