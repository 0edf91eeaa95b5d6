//! Resolves handles of other servers with WebFinger (RFC 7033).

use anyhow::ensure;
use url::Url;

use super::App;
use crate::federation::vocab::remote_actor::RemoteActor;
use crate::federation::webfinger::{self, Handle, JrdError};
use crate::net::http_client::GetRequest;
use crate::net::response::GetResponse;

/// Bytes of a WebFinger response.
const MAX_JRD_BYTES: usize = 64 * 1024;

/// Fetches the WebFinger document of a handle from its host, whatever the status (RFC 7033 section 4).
///
/// # Errors
/// If the host cannot be reached.
pub(super) async fn fetch_jrd(app: &App, handle: &Handle) -> anyhow::Result<GetResponse> {
    let scheme = if app.origin.is_localhost() { "http" } else { "https" };
    let mut url = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", handle.host))?;
    url.query_pairs_mut().append_pair("resource", &handle.to_acct_uri());
    Ok(app.http.get(GetRequest::new(&url, "application/jrd+json, application/json", MAX_JRD_BYTES)).await?)
}

/// Resolves a handle to the id of its actor. A host may name another domain for its handles, which is then queried
/// once; the handle with that domain is returned as well.
///
/// # Errors
/// The outer one if the host does not respond now.
pub(super) async fn resolve_handle(
    app: &App,
    handle: Handle,
) -> anyhow::Result<Result<(Handle, Url), JrdError>> {
    match self_link(app, &handle).await? {
        Err(JrdError::OtherSubject(other)) => {
            let found = self_link(app, &other).await?;
            Ok(found.map(|actor| (other, actor)))
        }
        found => Ok(found.map(|actor| (handle, actor))),
    }
}

/// Returns `@user@host` if WebFinger at that host leads back to the actor (RFC 7033). Unconfirmed handles are not shown.
///
/// # Errors
/// If the host does not respond now.
pub(super) async fn confirmed_handle(app: &App, actor: &RemoteActor) -> anyhow::Result<Option<String>> {
    let own = || Some(format!("{}@{}", actor.username.as_ref()?, actor.id.authority().rsplit('@').next()?));
    let claimed = actor.webfinger.clone().or_else(own);
    let Some(handle) = claimed.and_then(|claimed| Handle::parse(&claimed, app.rules)) else {
        return Ok(None);
    };
    let found = resolve_handle(app, handle).await?;
    Ok(found.ok().filter(|(_, found)| *found == actor.id).map(|(handle, _)| format!("@{handle}")))
}

async fn self_link(app: &App, handle: &Handle) -> anyhow::Result<Result<Url, JrdError>> {
    let response = fetch_jrd(app, handle).await?;
    ensure!(!response.status.is_server_error(), "{} responded with {}", handle.host, response.status);
    if !response.status.is_success() {
        return Ok(Err(JrdError::Status(response.status)));
    }
    Ok(webfinger::parse_self_link(&response.body, handle, app.rules))
}
