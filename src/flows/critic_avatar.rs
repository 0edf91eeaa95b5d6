//! Stores the avatar of a critic, which the config names by its path or URL.

use anyhow::Context as _;

use super::{App, media_file};
use crate::domain::critic::CriticProfile;
use crate::domain::id::CriticId;
use crate::domain::untrusted::Untrusted;
use crate::store::critics;

/// Stores the avatar that the config sets for a critic, or removes it. The site also starts if that fails.
pub async fn apply(app: &App, critic: CriticId, profile: &CriticProfile) {
    let stored = async {
        let Some(avatar) = &profile.avatar else {
            let mut tx = app.db.begin().await?;
            critics::clear_avatar(&mut tx, critic).await?;
            return Ok(tx.commit().await?);
        };
        let source = if avatar.starts_with("https://") {
            url::Url::parse(avatar)?
        } else {
            let path = std::fs::canonicalize(app.config_dir.join(avatar))?;
            url::Url::from_file_path(path).ok().context("not a file path")?
        };
        let folder = source.to_file_path().ok().and_then(|path| path.parent().map(std::path::Path::to_owned));
        let image = media_file::fetch_media(app, &source, folder.as_deref()).await?;
        let mut tx = app.db.begin().await?;
        image.set_as_avatar(&mut tx, critic, app.clock.now()).await?;
        tx.commit().await?;
        anyhow::Ok(())
    };
    if let Err(error) = stored.await {
        tracing::warn!(handle = profile.handle, error = ?Untrusted::chain(&error), "could not set avatar");
    }
}
