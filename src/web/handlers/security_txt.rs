//! `security.txt` (RFC 9116).

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::web::error::WebError;
use crate::web::state::WebState;

/// How long a copy is valid, so that copies do not live forever.
const LIFETIME: Duration = Duration::from_hours(30 * 24);

/// The contact for reports of vulnerabilities.
pub(in crate::web) async fn show(State(state): State<WebState>) -> Result<Response, WebError> {
    let contact = state.app.site.security_contact.as_ref().ok_or(WebError::NotFound)?;
    let expires = (state.app.clock.now() + LIFETIME).truncate_to_second();
    let own = state.app.origin.url("/.well-known/security.txt");
    let body = format!("Contact: {contact}\nExpires: {expires}\nCanonical: {own}\n");
    let headers =
        [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((headers, body).into_response())
}
