//! Somebody of another server, as a critic names them.

use anyhow::{Context, bail, ensure};
use url::Url;

use super::App;
use crate::federation::webfinger::{self, Handle};
use crate::net::client::Get;
use crate::store::moderation;

/// A WebFinger answer is never longer.
const MOST_JRD: usize = 64 * 1024;

/// The id of the actor that a text means: its id, the address of its page, or `@user@host`. Who is not known here
/// is looked up by WebFinger.
///
/// # Errors
/// Where it is one of us, or cannot be found.
pub async fn actor(app: &App, named: &str) -> anyhow::Result<Url> {
    let named = named.trim();
    if let Some(handle) = Handle::parse(named, app.rules) {
        return by_handle(app, &handle).await;
    }
    let id = app.rules.id(named);
    let id = id.with_context(|| format!("{named:?} is neither @user@host nor the address of an account"))?;
    ensure!(!app.origin.owns(&id), "{id} is on this site");
    let of_page = moderation::actor_of_page(&app.db, &id).await?;
    Ok(of_page.map(|uri| Url::parse(&uri)).transpose()?.unwrap_or(id))
}

async fn by_handle(app: &App, handle: &Handle) -> anyhow::Result<Url> {
    ensure!(
        handle.host != app.handle_domain() && handle.host != app.origin.authority(),
        "@{handle} is on this site"
    );
    if let Some(uri) = moderation::actor_of_handle(&app.db, &format!("@{handle}")).await? {
        return Ok(Url::parse(&uri)?);
    }
    let found = look_up(app, handle).await;
    found.with_context(|| {
        format!(
            "@{handle} is not known here and could not be looked up; give the account's own address instead"
        )
    })
}

async fn look_up(app: &App, handle: &Handle) -> anyhow::Result<Url> {
    let scheme = if app.origin.is_trial() { "http" } else { "https" };
    let mut address = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", handle.host))?;
    address.query_pairs_mut().append_pair("resource", &handle.to_acct());
    let answer = app.http.get(Get::new(&address, "application/jrd+json, application/json", MOST_JRD)).await?;
    if !answer.status.is_success() {
        bail!("{} answered {}", handle.host, answer.status);
    }
    Ok(webfinger::read_self_link(&answer.body, handle, app.rules)?)
}
