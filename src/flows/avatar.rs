//! Pictures of those who comment come into our own folder, so that no reader's browser asks their servers.
//!
//! What is asked for stands in the actor's row: an icon is asked for once, whether it comes or not, and again
//! where the actor shows another. A picture that nobody uses any more is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path as StorePath;
use tokio::task::JoinSet;

use super::App;
use super::media::{self, MediaFile};
use crate::store::Tx;
use crate::store::avatars::{self, PendingAvatar};

/// Pictures that are fetched at a time.
const AT_A_TIME: usize = 4;

/// No picture takes longer.
const LONGEST: Duration = Duration::from_secs(20);

/// How far the rounds have come: through all actors who show a picture, and through all of whom one is here.
#[derive(Debug, Default)]
pub struct AvatarCursor {
    shows: String,
    has: String,
}

/// Fetches the pictures of a few who comment, and removes a few that nobody uses. Gives whether there may be more.
pub async fn process_batch(app: &App, round: &mut AvatarCursor) -> anyhow::Result<bool> {
    let pending = avatars::list_pending(&app.db, &round.shows, AT_A_TIME).await?;
    let found = !pending.is_empty();
    if !found {
        // From the end on it begins anew.
        round.shows = avatars::next_pending_cursor(&app.db, &round.shows).await?.unwrap_or_default();
    }
    let mut fetches = JoinSet::new();
    for actor in pending {
        fetches.spawn(fetch(app.clone(), actor));
    }
    while let Some(ended) = fetches.join_next().await {
        ended??;
    }
    let unwanted = avatars::list_unused(&app.db, &round.has, AT_A_TIME).await?;
    let dropped = !unwanted.is_empty();
    if !dropped {
        round.has = avatars::next_unused_cursor(&app.db, &round.has).await?.unwrap_or_default();
    }
    for actor in unwanted {
        let mut tx = app.db.begin().await?;
        avatars::clear(&mut tx, &actor.uri).await?;
        remove_unused(app, &mut tx, &actor.name).await?;
        tx.commit().await?;
    }
    Ok(found || dropped)
}

async fn fetch(app: App, actor: PendingAvatar) -> anyhow::Result<()> {
    let fetched = tokio::time::timeout(LONGEST, media::fetch_avatar(&app, &actor.icon)).await;
    let picture = match fetched {
        Ok(Ok(picture)) => Some(picture),
        Ok(Err(error)) => {
            tracing::info!(actor = %actor.uri, error = format!("{error:#}"), "picture left out");
            None
        }
        Err(_) => {
            tracing::info!(actor = %actor.uri, "picture left out: it takes too long");
            None
        }
    };
    let mut tx = app.db.begin().await?;
    // Both in one order everywhere, so that no two wait for each other.
    let names: BTreeSet<&str> = picture.iter().map(MediaFile::name).chain(actor.avatar.as_deref()).collect();
    for name in names {
        media::lock_name(&mut tx, name).await?;
    }
    let name = match picture {
        Some(picture) => Some(picture.save(&mut tx, app.clock.now()).await?.name),
        None => None,
    };
    avatars::record_fetch(&mut tx, &actor.uri, &actor.icon, name.as_deref()).await?;
    if let Some(old) = actor.avatar.filter(|old| Some(old) != name.as_ref()) {
        remove_unused(&app, &mut tx, &old).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Removes a picture that nobody uses, its file while its name is locked: whoever saves the same picture waits, and
/// puts the file again. Where it cannot be removed now it stays, and is served to nobody.
async fn remove_unused(app: &App, tx: &mut Tx, name: &str) -> anyhow::Result<()> {
    media::lock_name(tx, name).await?;
    if avatars::delete_unused_media(tx, name).await?
        && let Err(error) = app.media_store.delete(&StorePath::from(name)).await
    {
        tracing::warn!(name, %error, "a picture that nobody uses stays in the folder");
    }
    Ok(())
}
