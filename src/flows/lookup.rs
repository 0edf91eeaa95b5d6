//! Somebody of another server, as a critic names them.

use anyhow::{Context, ensure};
use url::Url;

use super::App;
use crate::federation::webfinger::{self, Handle, JrdError};
use crate::net::client::GetRequest;
use crate::net::response::GetResponse;
use crate::store::moderation;

/// A WebFinger answer is never longer.
const MOST_JRD: usize = 64 * 1024;

/// The id of the actor that a text means: its id, the address of its page, or `@user@host`. Who is not known here
/// is looked up by WebFinger.
///
/// # Errors
/// Where it is one of us, or cannot be found.
pub async fn find_actor_id(app: &App, named: &str) -> anyhow::Result<Url> {
    let named = named.trim();
    if let Some(handle) = Handle::parse(named, app.rules) {
        return by_handle(app, &handle).await;
    }
    let id = app.rules.parse_id(named);
    let id = id.with_context(|| format!("{named:?} is neither @user@host nor the address of an account"))?;
    ensure!(!app.origin.owns(&id), "{id} is on this site");
    let of_page = moderation::find_actor_by_page(&app.db, &id).await?;
    Ok(of_page.map(|uri| Url::parse(&uri)).transpose()?.unwrap_or(id))
}

async fn by_handle(app: &App, handle: &Handle) -> anyhow::Result<Url> {
    ensure!(
        handle.host != app.handle_domain() && handle.host != app.origin.authority(),
        "@{handle} is on this site"
    );
    if let Some(uri) = moderation::find_actor_by_handle(&app.db, &format!("@{handle}")).await? {
        return Ok(Url::parse(&uri)?);
    }
    let unknown = || {
        format!(
            "@{handle} is not known here and could not be looked up; give the account's own address instead"
        )
    };
    let (_, actor) =
        resolve_handle(app, handle.clone()).await.with_context(unknown)?.with_context(unknown)?;
    ensure!(!app.origin.owns(&actor), "@{handle} is on this site");
    Ok(actor)
}

/// What the handle's host answers about it, whatever its status (RFC 7033 section 4).
///
/// # Errors
/// Where the host cannot be reached.
pub(super) async fn fetch_jrd(app: &App, handle: &Handle) -> anyhow::Result<GetResponse> {
    let scheme = if app.origin.is_localhost() { "http" } else { "https" };
    let mut address = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", handle.host))?;
    address.query_pairs_mut().append_pair("resource", &handle.to_acct_uri());
    Ok(app.http.get(GetRequest::new(&address, "application/jrd+json, application/json", MOST_JRD)).await?)
}

/// The actor to which a handle leads, and the handle that its host gives it: a host may say that its handles are on
/// another domain, which is then asked, once.
///
/// # Errors
/// The outer one where nobody answers now.
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
    let answer = fetch_jrd(app, handle).await?;
    ensure!(!answer.status.is_server_error(), "{} answered {}", handle.host, answer.status);
    if !answer.status.is_success() {
        return Ok(Err(JrdError::Status(answer.status)));
    }
    Ok(webfinger::parse_self_link(&answer.body, handle, app.rules))
}
