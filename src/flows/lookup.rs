//! Looks up accounts of other servers by handle, id or profile URL.

use anyhow::{Context, ensure};
use url::Url;

use super::App;
use crate::federation::webfinger::{self, Handle, JrdError};
use crate::net::client::GetRequest;
use crate::net::response::GetResponse;
use crate::store::moderation;

/// Bytes of a WebFinger response.
const MAX_JRD_BYTES: usize = 64 * 1024;

/// Returns the id of the actor that a command names by its id, its profile URL or `@user@host`. An unknown handle is
/// looked up with WebFinger.
///
/// # Errors
/// If it is an account of this site, or is not found.
pub async fn find_actor_id(app: &App, named: &str) -> anyhow::Result<Url> {
    let named = named.trim();
    if let Some(handle) = Handle::parse(named, app.rules) {
        return find_by_handle(app, &handle).await;
    }
    let id = app.rules.parse_id(named);
    let id = id.with_context(|| {
        format!("{named:?} is neither a handle like @user@host nor the URL of an account")
    })?;
    ensure!(!app.origin.owns(&id), "{id} is an account of this site");
    let of_page = moderation::find_actor_by_page(&app.db, &id).await?;
    Ok(of_page.map(|uri| Url::parse(&uri)).transpose()?.unwrap_or(id))
}

async fn find_by_handle(app: &App, handle: &Handle) -> anyhow::Result<Url> {
    ensure!(
        handle.host != app.handle_domain() && handle.host != app.origin.authority(),
        "@{handle} is an account of this site"
    );
    if let Some(uri) = moderation::find_actor_by_handle(&app.db, &format!("@{handle}")).await? {
        return Ok(Url::parse(&uri)?);
    }
    let unknown = || {
        format!("@{handle} is not known here and could not be looked up; use the URL of the account instead")
    };
    let (_, actor) =
        resolve_handle(app, handle.clone()).await.with_context(unknown)?.with_context(unknown)?;
    ensure!(!app.origin.owns(&actor), "@{handle} is an account of this site");
    Ok(actor)
}

/// Fetches the WebFinger document of a handle from its host, whatever the status (RFC 7033 section 4).
///
/// # Errors
/// If the host cannot be reached.
pub(super) async fn fetch_jrd(app: &App, handle: &Handle) -> anyhow::Result<GetResponse> {
    let scheme = if app.origin.is_localhost() { "http" } else { "https" };
    let mut address = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", handle.host))?;
    address.query_pairs_mut().append_pair("resource", &handle.to_acct_uri());
    Ok(app
        .http
        .get(GetRequest::new(&address, "application/jrd+json, application/json", MAX_JRD_BYTES))
        .await?)
}

/// Resolves a handle to the id of its actor. A host may name another domain as that of its handles, which is then asked
/// once; the handle with that domain is returned, too.
///
/// # Errors
/// The outer one if the host does not answer now.
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

async fn self_link(app: &App, handle: &Handle) -> anyhow::Result<Result<Url, JrdError>> {
    let response = fetch_jrd(app, handle).await?;
    ensure!(!response.status.is_server_error(), "{} answered {}", handle.host, response.status);
    if !response.status.is_success() {
        return Ok(Err(JrdError::Status(response.status)));
    }
    Ok(webfinger::parse_self_link(&response.body, handle, app.rules))
}
