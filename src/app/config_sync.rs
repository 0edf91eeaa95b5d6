//! Brings the critics and feeds of the config into the database.

use std::collections::HashMap;

use crate::config::{Config, FeedConfig};
use crate::domain::id::CriticId;
use crate::domain::time::Timestamp;
use crate::flows::signing_keys::KeyOwner;
use crate::flows::{App, critic_avatar, profile};
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
        critic_avatar::apply(app, id, declared).await;
        profile::announce_profile(app, id).await?;
        ids.insert(declared.handle.as_str(), id);
    }
    apply_feeds(app, config, &ids).await
}

/// Brings the feeds of the config into the database, which has these critics.
pub(super) async fn apply_feeds(
    app: &App,
    config: &Config,
    critics: &HashMap<&str, CriticId>,
) -> anyhow::Result<()> {
    let now = app.clock.now();
    let midnight = app.site.timezone.to_datetime(now.to_jiff()).date().to_zoned(app.site.timezone.clone())?;
    let today = Timestamp::from_millis(midnight.timestamp().as_millisecond());
    let mut tx = app.db.begin().await?;
    let names: Vec<&str> = config.feeds.iter().map(|feed| feed.name.as_str()).collect();
    let managed: Vec<ConfiguredFeed<'_>> = config
        .feeds
        .iter()
        .filter_map(|feed| Some(managed(feed, *critics.get(feed.critic.as_str())?)))
        .collect();
    for feed in &managed {
        feeds::rename_from_config(&mut tx, feed, &names).await?;
    }
    feeds::mark_others_unmanaged(&mut tx, &names).await?;
    for feed in &managed {
        feeds::upsert_from_config(&mut tx, feed, today, now).await?;
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
        selection: &feed.selection,
        user_agent: feed.user_agent.as_deref(),
        page_interval: feed.page_interval,
    }
}
