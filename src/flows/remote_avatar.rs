//! Stores the avatars of remote actors, so that a reader's browser never fetches from their servers.
//!
//! The actor's row records which icon was fetched: an icon is fetched once, whether that succeeds or not, and again when
//! the actor has another one. An avatar that is not used any more is deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path as StorePath;
use tokio::task::JoinSet;

use super::App;
use super::media_file::{self, MediaFile};
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
    let fetched = tokio::time::timeout(FETCH_TIMEOUT, media_file::fetch_avatar(&app, &actor.icon)).await;
    let image = match fetched {
        Ok(Ok(image)) => Some(image),
        Ok(Err(error)) => {
            tracing::info!(actor = %actor.uri, error = format!("{error:#}"), "could not fetch avatar");
            None
        }
        Err(_) => {
            tracing::info!(actor = %actor.uri, error = "timeout", "could not fetch avatar");
            None
        }
    };
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
    avatars::record_fetch(&mut tx, &actor.uri, &actor.icon, name.as_deref()).await?;
    if let Some(old) = actor.avatar.filter(|old| Some(old) != name.as_ref()) {
        remove_unused(&app, &mut tx, &old).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Deletes an image that is not used. Its file is deleted while its name is locked: a transaction that stores the same
/// image waits and writes the file again. A file that cannot be deleted stays, but is not served.
async fn remove_unused(app: &App, tx: &mut Tx, name: &str) -> anyhow::Result<()> {
    media_file::lock_name(tx, name).await?;
    if avatars::delete_unused_media(tx, name).await?
        && let Err(error) = app.media_store.delete(&StorePath::from(name)).await
    {
        tracing::warn!(name, %error, "could not delete unused image");
    }
    Ok(())
}
