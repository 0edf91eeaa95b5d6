//! The inboxes. An accepted activity is stored before the sender gets 202.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use crate::domain::untrusted::Untrusted;
use crate::flows::budget::InboxPermit;
use crate::flows::error::FlowError;
use crate::flows::receive::{self, AcceptError, InboxRequest};
use crate::web::client_address;
use crate::web::error::WebError;
use crate::web::state::WebState;

/// Largest body. Mastodon has the same limit.
pub(in crate::web) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A critic's inbox and the shared inbox. Both do the same, since the activity names its addressees.
pub(in crate::web) async fn post(
    State(state): State<WebState>,
    request: Request,
) -> Result<StatusCode, WebError> {
    receive(&state, request).await
}

/// Receives an activity for any of the inboxes.
pub(in crate::web) async fn receive(state: &WebState, request: Request) -> Result<StatusCode, WebError> {
    let (Parts { method, uri, headers, extensions, .. }, body) = request.into_parts();
    let target = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    // Unsigned requests are rejected before their body is read.
    if !headers.contains_key("signature") {
        return Err(WebError::Unauthorized("the request is not signed".to_owned()));
    }
    let client = client_address::client_address(&extensions, &headers, &state.trusted_proxies);
    let app = &state.app;
    let mut permit = app.budgets.enter_inbox(client, app.clock.now())?;
    // A sender occupies a permit while its body arrives.
    let wait = Duration::from_secs(app.budgets.limits.body_seconds.into());
    let body = tokio::time::timeout(wait, read_body(body, &headers, &mut permit));
    let body = body.await.unwrap_or(Err(WebError::Busy("the body took too long to arrive")))?;
    let accepted = receive::accept(app, InboxRequest { method, target, headers, body }, permit).await;
    if let Err(AcceptError::Malformed(why) | AcceptError::Unauthorized(why)) = &accepted
        && app.budgets.record_invalid_signature(client, app.clock.now())
    {
        tracing::info!(client = client.map(tracing::field::display), why = ?Untrusted::new(&why), "activity rejected");
    }
    match accepted {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(AcceptError::Malformed(why)) => Err(WebError::BadRequest(why)),
        Err(AcceptError::Unauthorized(why)) => Err(WebError::Unauthorized(why)),
        Err(AcceptError::Blocked) => Err(WebError::Forbidden("your account or server is blocked")),
        Err(AcceptError::AtCapacity(error)) => Err(error.into()),
        // Most servers retry a delivery themselves: they need not wait as long as a reader.
        Err(AcceptError::Failed(FlowError::Unavailable(_))) => {
            Err(WebError::Busy("the database is unavailable"))
        }
        Err(AcceptError::Failed(error)) => Err(error.into()),
    }
}

/// Reads the body within the limits of the permit.
async fn read_body(mut body: Body, headers: &HeaderMap, permit: &mut InboxPermit) -> Result<Bytes, WebError> {
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if stated.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
        return Err(WebError::BodyTooLarge);
    }
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| WebError::BadRequest("the body is incomplete".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size > MAX_BODY_BYTES {
            return Err(WebError::BodyTooLarge);
        }
        permit.reserve_bytes(data.len())?;
        // Most bodies arrive in one frame, which is used without a copy.
        if size == data.len() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}
