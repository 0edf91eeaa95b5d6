//! Finds the accounts and comments that commands name, by handle, id or URL.

use anyhow::{Context, ensure};
use url::Url;

use super::App;
use super::stored_url::parse_stored_url;
use super::webfinger::resolve_handle;
use crate::domain::comment::parse_comment_anchor;
use crate::federation::webfinger::Handle;
use crate::store::actors;
use crate::store::comment_moderation::{self, ModeratedComment};

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
        format!("{named:?} is neither a handle such as @user@host nor the URL of an account")
    })?;
    ensure!(!app.origin.owns(&id), "{id} is an account of this site");
    let of_page = actors::find_uri_by_page(&app.db, &id).await?;
    Ok(of_page.map(|uri| parse_stored_url("actors.uri", &uri)).transpose()?.unwrap_or(id))
}

async fn find_by_handle(app: &App, handle: &Handle) -> anyhow::Result<Url> {
    ensure!(
        handle.host != app.handle_domain() && handle.host != app.origin.authority(),
        "@{handle} is an account of this site"
    );
    if let Some(uri) = actors::find_uri_by_handle(&app.db, &format!("@{handle}")).await? {
        return parse_stored_url("actors.uri", &uri);
    }
    let unknown = || format!("could not look up @{handle}; use the URL of the account instead");
    let (_, actor) =
        resolve_handle(app, handle.clone()).await.with_context(unknown)?.with_context(unknown)?;
    ensure!(!app.origin.owns(&actor), "@{handle} is an account of this site");
    Ok(actor)
}

/// Finds the comment that a command names by its id here, its id or page on its own server, or its anchor on the page
/// of the review.
pub async fn find_comment(app: &App, named: &str) -> anyhow::Result<Option<ModeratedComment>> {
    let named = named.trim();
    if let Ok(id) = named.parse() {
        return Ok(comment_moderation::find(&app.db, id).await?);
    }
    let fragment = named.rsplit_once('#').map_or(named, |(_, fragment)| fragment);
    if let Some(id) = parse_comment_anchor(fragment) {
        return Ok(comment_moderation::find(&app.db, id).await?);
    }
    let Ok(mut url) = Url::parse(named) else { return Ok(None) };
    if let Some(found) = comment_moderation::find_by_url(&app.db, &url).await? {
        return Ok(Some(found));
    }
    url.set_fragment(None);
    Ok(comment_moderation::find_by_url(&app.db, &url).await?)
}
