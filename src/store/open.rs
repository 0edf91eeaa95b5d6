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
    /// Opens a database and brings its schema up to date, as far as `access` allows.
    ///
    /// # Errors
    /// If the database cannot be reached, belongs to another version of Marquee, or cannot be upgraded.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        check_sqlite_file(url, access).await?;
        let db = Self::connect(url).await?;
        match &db.pools {
            Pools::Sqlite { read, .. } => {
                let installed = InstalledSchema::load_sqlite(&mut *read.acquire().await?).await?;
                if installed.needs_upgrade(&SQLITE_SCHEMA, access)? {
                    upgrade_sqlite(sqlite_options(url)?, access).await?;
                }
            }
            Pools::Postgres(pool) => {
                let installed = InstalledSchema::load_postgres(&mut *pool.acquire().await?).await?;
                if installed.needs_upgrade(&POSTGRES_SCHEMA, access)? {
                    upgrade_postgres(pool, access).await?;
                }
            }
        }
        Ok(db)
    }
}

/// Checks the schema of an SQLite file over a connection that cannot write. The writer's connection changes the file's header
/// when it turns on the write-ahead log, and a file of a newer version stays as it is.
async fn check_sqlite_file(url: &str, access: Access) -> Result<(), OpenError> {
    let Some(mut connection) = sqlite_file(url).await? else { return Ok(()) };
    // A file that cannot be read like this, such as one with an unfinished rollback, is left to the writer's connection.
    let installed = InstalledSchema::load_sqlite(&mut connection).await;
    connection.close().await?;
    if let Ok(installed) = installed {
        installed.needs_upgrade(&SQLITE_SCHEMA, access)?;
    }
    Ok(())
}
