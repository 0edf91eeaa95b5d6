//! Opens a database: checks the version of its schema, and upgrades it as far as the process may.
//!
//! A migration is applied once and never changes; triggers are replaced ([`triggers`](super::triggers)). A database with
//! a migration or triggers that this binary does not know belongs to a newer version, and nothing is done to it.

use sqlx::Connection as _;

use super::db::{Pools, sqlite_file, sqlite_options};
use super::open_error::OpenError;
use super::schema_version::{Access, InstalledSchema, POSTGRES_SCHEMA, SQLITE_SCHEMA};
use super::upgrade::{upgrade_postgres, upgrade_sqlite};
use super::{Db, Result};

impl Db {
    /// Whether there may be a database: SQLite's is a file.
    ///
    /// # Errors
    /// If the URL is not one of a database.
    pub fn exists(url: &str) -> Result<bool> {
        Ok(!url.starts_with("sqlite:") || sqlite_options(url)?.get_filename().exists())
    }

    /// Opens a database and brings its schema up to date, as far as `access` allows.
    ///
    /// # Errors
    /// If the database cannot be reached, belongs to another version of Marquee, or cannot be upgraded.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        let in_file = load_from_file(url).await?;
        if let Some(installed) = &in_file {
            installed.needs_upgrade(&SQLITE_SCHEMA, access)?;
        }
        let db = Self::connect(url).await?;
        match &db.pools {
            Pools::Sqlite { read, .. } => {
                let installed = match in_file {
                    Some(installed) => installed,
                    None => InstalledSchema::load_sqlite(&mut *read.acquire().await?).await?,
                };
                if installed.needs_upgrade(&SQLITE_SCHEMA, access)? {
                    upgrade_sqlite(sqlite_options(url)?, access).await?;
                }
            }
            Pools::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                // Another process that upgrades the database may lock it for longer than the role allows.
                sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = 0")
                    .execute(&mut *tx)
                    .await?;
                let installed = InstalledSchema::load_postgres(&mut tx).await?;
                tx.rollback().await?;
                if installed.needs_upgrade(&POSTGRES_SCHEMA, access)? {
                    upgrade_postgres(pool, access).await?;
                }
            }
        }
        Ok(db)
    }
}

/// Loads the schema of an SQLite file over a connection that cannot write. The writer's connection changes the file's header
/// when it turns on the write-ahead log, and a file of a newer version stays as it is. `None` if there is no file, or it
/// cannot be read like this, such as one with an unfinished rollback.
async fn load_from_file(url: &str) -> Result<Option<InstalledSchema>> {
    let Some(mut connection) = sqlite_file(url).await? else { return Ok(None) };
    let installed = InstalledSchema::load_sqlite(&mut connection).await;
    connection.close().await?;
    Ok(installed.ok())
}
