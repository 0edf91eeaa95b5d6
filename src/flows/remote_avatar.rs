//! Stores the avatars of remote actors, so that a reader's browser never fetches from their servers.
//!
//! The actor's row records which icon was fetched: an icon is fetched once, whether that succeeds or not, and again when
//! the actor has another one. An avatar that is not used any more is deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use object_store::ObjectStoreExt;
use object_store::path::Path as StorePath;
use tokio::task::JoinSet;
use url::Url;

use super::App;
use super::budget::kept_bytes::{self, KeptBytes};
use super::budget::requests::OperationRequests;
use super::media_file::{self, MediaFile};
use crate::domain::owner::registrable_domain;
use crate::domain::untrusted::Untrusted;
use crate::net::request_budget::with_budget;
use crate::store::Tx;
use crate::store::avatars::{self, PendingAvatar};

/// Avatars that are fetched at a time.
const MAX_PARALLEL_FETCHES: usize = 4;

/// Time to fetch an avatar.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// The positions of the two scans: over all actors that have an icon, and over all whose avatar is stored.
#[derive(Debug, Default)]
pub struct AvatarCursor {
    pending: String,
    stored: String,
}

/// Fetches a few avatars and deletes a few that are not used. Returns whether there may be more to do.
pub async fn process_batch(app: &App, cursor: &mut AvatarCursor) -> anyhow::Result<bool> {
    let pending = avatars::list_pending(&app.db, &cursor.pending, MAX_PARALLEL_FETCHES).await?;
    let found = !pending.is_empty();
    if !found {
        // At the end the scan starts over.
        cursor.pending = avatars::next_pending_cursor(&app.db, &cursor.pending).await?.unwrap_or_default();
    }
    let mut fetches = JoinSet::new();
    for actor in pending {
        fetches.spawn(fetch_and_store(app.clone(), actor));
    }
    while let Some(ended) = fetches.join_next().await {
        ended??;
    }
    let unwanted = avatars::list_unused(&app.db, &cursor.stored, MAX_PARALLEL_FETCHES).await?;
    let dropped = !unwanted.is_empty();
    if !dropped {
        cursor.stored = avatars::next_unused_cursor(&app.db, &cursor.stored).await?.unwrap_or_default();
    }
    for actor in unwanted {
        let mut tx = app.db.begin().await?;
        avatars::clear(&mut tx, &actor.uri).await?;
        remove_unused(app, &mut tx, &actor.name).await?;
        tx.commit().await?;
    }
    Ok(found || dropped)
}

async fn fetch_and_store(app: App, actor: PendingAvatar) -> anyhow::Result<()> {
    let domain = registrable_domain(actor.uri.host_str().unwrap_or_default());
    let fetching = Box::pin(fetch_within_budget(&app, &actor.icon, domain));
    let requests = OperationRequests::of_actor(&app, &actor.uri);
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, with_budget(requests, fetching)).await;
    let image = match fetched {
        Ok(Ok(image)) => Some(image),
        Ok(Err(error)) => {
            tracing::info!(actor = %Untrusted::new(&actor.uri), error = ?Untrusted::chain(&error), "could not fetch avatar");
            None
        }
        Err(_) => {
            tracing::info!(actor = %Untrusted::new(&actor.uri), error = "timeout", "could not fetch avatar");
            None
        }
    };
    let stored_bytes = image.as_ref().map(MediaFile::size);
    let mut tx = app.db.begin().await?;
    // Names are locked in one order everywhere, so that no two transactions wait for each other.
    let names: BTreeSet<&str> = image.iter().map(MediaFile::name).chain(actor.avatar.as_deref()).collect();
    for name in names {
        media_file::lock_name(&mut tx, name).await?;
    }
    let name = match image {
        Some(image) => Some(image.save(&mut tx, app.clock.now()).await?.name),
        None => None,
    };
    if let Some(bytes) = stored_bytes {
        let mut kept = KeptBytes::of_domains(&app, [domain], app.clock.now());
        kept.record(domain, bytes);
        kept.save(&mut tx).await?;
    }
    avatars::record_fetch(&mut tx, &actor.uri, &actor.icon, name.as_deref()).await?;
    if let Some(old) = actor.avatar.filter(|old| Some(old) != name.as_ref()) {
        remove_unused(&app, &mut tx, &old).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Fetches an avatar if the domain of its actor may have more bytes kept.
async fn fetch_within_budget(app: &App, icon: &Url, domain: &str) -> anyhow::Result<MediaFile> {
    let has_room = kept_bytes::has_room(app, domain, media_file::MAX_AVATAR_BYTES).await?;
    ensure!(has_room, "too much of its domain is stored already");
    app.image_hosts.download_avatar(app, icon).await
}

/// Deletes an image that is not used. Its file is deleted while its name is locked: a transaction that stores the same
/// image waits and writes the file again. A file that cannot be deleted stays, but is not served.
async fn remove_unused(app: &App, tx: &mut Tx, name: &str) -> anyhow::Result<()> {
    media_file::lock_name(tx, name).await?;
    if avatars::delete_unused_media(tx, name).await?
        && let Err(error) = app.media_store.delete(&StorePath::from(name)).await
    {
        tracing::warn!(name, error = ?Untrusted::chain(&error), "could not delete unused image");
    }
    Ok(())
}
