//! The origin of a site, which is stored at its first start and never changes.

use anyhow::bail;

use crate::domain::origin::Origin;
use crate::flows::App;
use crate::store::settings;

/// The setting that holds the origin.
pub(super) const ORIGIN_SETTING: &str = "origin";

/// Stores the origin at the first start. It is part of every id that was ever sent, so a site keeps it for good.
pub(super) async fn pin_origin(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    let pinned = settings::get_or_insert(&mut tx, ORIGIN_SETTING, app.origin.as_str()).await?;
    tx.commit().await?;
    ensure_origin(&app.origin, Some(&pinned))
}

/// Fails if the origin differs from the one that the database has.
pub(super) fn ensure_origin(origin: &Origin, pinned: Option<&str>) -> anyhow::Result<()> {
    if let Some(pinned) = pinned
        && pinned != origin.as_str()
    {
        bail!(
            "config: server.origin: {origin} differs from {pinned}, the origin stored in this database, which is part of every id \
             already sent; set server.origin back to {pinned}, or use a different data_dir and database.url for a new site"
        );
    }
    Ok(())
}
