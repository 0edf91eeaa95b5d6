//! Brings the critics and feeds of the config into the database.

use std::collections::HashMap;

use anyhow::Context;

use crate::config::{Config, FeedConfig};
use crate::domain::critic::CriticProfile;
use crate::domain::id::CriticId;
use crate::domain::time::Timestamp;
use crate::flows::signing_keys::KeyOwner;
use crate::flows::{App, media_file, profile};
use crate::store::critics;
use crate::store::feeds::{self, ConfiguredFeed};

/// Brings the critics and feeds of the config into the database.
pub(super) async fn apply_config(app: &App, config: &Config) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut ids = HashMap::new();
    for declared in &config.critics {
        let mut tx = app.db.begin().await?;
        let id = critics::upsert_from_config(&mut tx, declared, now).await?;
        tx.commit().await?;
        app.ensure_key(KeyOwner::Critic(id)).await?;
        apply_avatar(app, id, declared).await;
        profile::announce_profile(app, id).await?;
        ids.insert(declared.handle.as_str(), id);
    }
    let midnight = app.site.timezone.to_datetime(now.to_jiff()).date().to_zoned(app.site.timezone.clone())?;
    let today = Timestamp::from_millis(midnight.timestamp().as_millisecond());
    let mut tx = app.db.begin().await?;
    feeds::mark_all_unmanaged(&mut tx).await?;
    for feed in &config.feeds {
        let Some(critic) = ids.get(feed.critic.as_str()) else {
            continue;
        };
        feeds::upsert_from_config(&mut tx, &managed(feed, *critic), today, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn managed(feed: &FeedConfig, critic: CriticId) -> ConfiguredFeed<'_> {
    ConfiguredFeed {
        critic,
        name: &feed.name,
        url: &feed.url,
        interval: feed.interval,
        publish_since: feed.publish_since,
        max_publish_per_poll: feed.max_publish_per_poll,
    }
}

/// Stores the avatar of a critic. The site also starts without it.
async fn apply_avatar(app: &App, critic: CriticId, profile: &CriticProfile) {
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
        tracing::warn!(handle = profile.handle, error = format!("{error:#}"), "could not set avatar");
    }
}
