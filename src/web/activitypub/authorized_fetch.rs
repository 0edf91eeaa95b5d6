//! Authorized fetch (`federation.authorized_fetch`): ActivityPub documents are served only to signed requests of actors that
//! are not blocked.
//!
//! Every response with an ActivityPub media type is protected unless [`is_public`] allows its path, so new routes are
//! protected by default. Pages are always public. Without authorized fetch, signatures of fetches are ignored.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::access_level::AccessLevel;
use crate::federation::signature;
use crate::flows::authenticate::{AuthError, authenticate};
use crate::net::media_type::is_activitypub;
use crate::store::access_levels;
use crate::web::client_address;
use crate::web::error::WebError;
use crate::web::rendering::{self, ActivityDocument};
use crate::web::state::WebState;

/// The headers that sign a fetch; caches must tell responses apart by them.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Signature, Signature-Input");

/// [`VARY`] for responses that are sent in several encodings.
const VARY_ENCODED: HeaderValue =
    HeaderValue::from_static("Accept, Accept-Encoding, Signature, Signature-Input");

/// The error for blocked actors and servers.
const BLOCKED: WebError = WebError::Forbidden("your account or server is blocked");

/// Middleware that rejects unsigned fetches of documents with authorized fetch.
pub(in crate::web) async fn require_signature(
    State(state): State<WebState>,
    request: Request,
    next: Next,
) -> Response {
    if !state.app.policy.authorized_fetch {
        return next.run(request).await;
    }
    let is_public = is_public(request.uri().path());
    let is_fetch = matches!(*request.method(), Method::GET | Method::HEAD);
    let method = request.method().clone();
    let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let headers = request.headers().clone();
    let client = client_address::client_address(request.extensions(), &headers, &state.trusted_proxies);
    let mut response = next.run(request).await;
    if is_fetch && !is_public && is_document(&response) {
        response = match authorize(&state, &method, &target, &headers, client).await {
            Ok(()) => response,
            Err(error) => error.into_response(),
        };
        let private = HeaderValue::from_static("private, no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, private);
    }
    let is_encoded = response.headers().get(header::VARY).is_some_and(|vary| vary == rendering::VARY);
    response.headers_mut().insert(header::VARY, if is_encoded { VARY_ENCODED } else { VARY });
    response
}

/// Whether anyone may read the document at this path. Actors are public because they carry the keys: two servers that
/// each need the other's key first would deadlock. Authorizations are public because servers that never contacted us
/// verify them.
fn is_public(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    matches!(parts.as_slice(), [_] | ["ap", "actor"] | ["ap", "actor" | "stamp", _])
}

/// Whether this is an ActivityPub document, or a 304 for one.
fn is_document(response: &Response) -> bool {
    if response.extensions().get::<ActivityDocument>().is_some() {
        return true;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.and_then(|content_type| content_type.to_str().ok()).is_some_and(is_activitypub)
}

/// Verifies the signature of a fetch and rejects blocked actors. A fetch has no body, so its signature covers no
/// digest.
async fn authorize(
    state: &WebState,
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    client: Option<IpAddr>,
) -> Result<(), WebError> {
    let app = &state.app;
    let request = signature::SignedRequest { method, target, origin: &app.origin, headers, body: &[] };
    let presented = signature::parse(&request, app.clock.now()).map_err(|why| {
        WebError::Unauthorized(format!("authorized fetch requires a valid signature: {why}"))
    })?;
    // No key is fetched from a blocked server.
    let host = presented.key_id.host_str().unwrap_or_default();
    if access_levels::for_host(&app.db, host, &app.policy).await? == AccessLevel::Blocked {
        return Err(BLOCKED);
    }
    let signer = match authenticate(app, &presented, client).await {
        Ok(key) => key.actor.clone(),
        Err(AuthError::AtCapacity(error)) => return Err(error.into()),
        Err(AuthError::Failed(error)) => return Err(error.into()),
        Err(why) => return Err(WebError::Unauthorized(why.to_string())),
    };
    match access_levels::for_actor(&app.db, &signer, &app.policy).await? {
        AccessLevel::Blocked => Err(BLOCKED),
        AccessLevel::Silenced | AccessLevel::Open => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_and_authorizations_are_public_and_collections_are_not() {
        for public in ["/", "/@critic", "/ap/actor", "/ap/actor/01C", "/ap/stamp/01S"] {
            assert!(is_public(public), "{public}");
        }
        for protected in [
            "/ap/actor/01C/outbox",
            "/ap/article/01A",
            "/ap/activity/01A",
            "/ap/note/01N",
            "/reviews/stalker",
            "/ap/actor/01C/",
            "//ap/actor",
            "/ap/inbox",
        ] {
            assert!(!is_public(protected), "{protected}");
        }
    }
}
