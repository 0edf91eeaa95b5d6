//! A copy of a site in a temporary folder, where a poll can run without consequences.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use object_store::memory::InMemory;

use super::config_sync::apply_feeds;
use super::{assemble, open_existing, policy};
use crate::config::Config;
use crate::domain::id::LeaseId;
use crate::domain::time::Clock;
use crate::flows::App;
use crate::net::http_client::Client;
use crate::store::site_copy::copy_site;
use crate::store::{Access, Db, critics};

/// A copy of a site. It has the reviews, the entries and the feeds of the site, with the changes that the config makes to them,
/// and none of its followers, files and keys.
#[derive(Debug)]
pub struct SiteCopy {
    /// Its state.
    pub app: App,
    folder: TempFolder,
}

/// Copies a site, if there is one: its database is only read, and not made if it is missing.
///
/// # Errors
/// If the database of the site cannot be read, or the temporary folder not be written.
pub async fn open_copy(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<SiteCopy> {
    let policy = policy(config)?;
    let http = tokio::task::spawn_blocking(move || Client::new(policy));
    let folder = TempFolder::new(clock.as_ref())?;
    let url = format!("sqlite://{}", folder.0.join("copy.sqlite").display());
    let db = Db::open(&url, Access::Write).await.context("could not make a temporary database")?;
    let site = open_existing(config).await?;
    let copied = copy_site(site.as_ref(), &db).await.context("could not copy the reviews of the site");
    if let Some(site) = site {
        site.close().await;
    }
    copied?;
    let app = assemble(config, clock, http.await??, db, Arc::new(InMemory::new()));
    let now = app.clock.now();
    let mut ids = HashMap::new();
    let mut tx = app.db.begin().await?;
    for declared in &config.critics {
        ids.insert(declared.handle.as_str(), critics::upsert_from_config(&mut tx, declared, now).await?);
    }
    tx.commit().await?;
    apply_feeds(&app, config, &ids).await?;
    Ok(SiteCopy { app, folder })
}

impl SiteCopy {
    /// Deletes the copy.
    pub async fn close(self) {
        self.app.db.close().await;
        drop(self.folder);
    }
}

/// A folder that only this user can read, and that is deleted when it is dropped.
#[derive(Debug)]
struct TempFolder(PathBuf);

impl TempFolder {
    fn new(clock: &dyn Clock) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("marquee-{}", LeaseId::new(clock.now())));
        create_private(&path).with_context(|| format!("could not create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
