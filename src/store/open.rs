//! Opens a database: checks the version of its schema, and upgrades it as far as the process may.
//!
//! A migration is applied once and never changes; triggers are replaced ([`triggers`](super::triggers)). A database with
//! a migration or triggers that this binary does not know belongs to a newer version, and nothing is done to it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use sqlx::{ConnectOptions as _, Connection as _};

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
        if url.starts_with("sqlite:") {
            // The pools are opened on the new schema: a connection that has read the old one may go on with it.
            prepare_sqlite(url, access).await?;
            return Ok(Self::connect(url).await?);
        }
        let db = Self::connect(url).await?;
        if let Pools::Postgres(pool) = &db.pools {
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
        Ok(db)
    }
}

/// Brings an SQLite file up to date, or makes it, as far as `access` allows.
async fn prepare_sqlite(url: &str, access: Access) -> Result<(), OpenError> {
    let options = sqlite_options(url)?;
    let file = options.get_filename();
    if access == Access::Write {
        create_file(file)?;
    } else if !file.exists() {
        return Err(OpenError::NoSite);
    }
    // SQLite only says that it cannot open it.
    OpenOptions::new().read(true).write(true).open(file).map_err(|error| OpenError::file(file, error))?;
    let installed = if let Some(installed) = load_from_file(url).await? {
        installed
    } else {
        let mut connection = options.connect().await?;
        let installed = InstalledSchema::load_sqlite(&mut connection).await?;
        connection.close().await?;
        installed
    };
    if installed.needs_upgrade(&SQLITE_SCHEMA, access)? {
        upgrade_sqlite(options, access).await?;
    }
    Ok(())
}

/// Creates an empty file that only this user can read, and its folder, unless they exist. SQLite gives its other files the same
/// permissions.
fn create_file(file: &Path) -> Result<(), OpenError> {
    let failed = |path: &Path, error| OpenError::file(path, error);
    if let Some(folder) = file.parent().filter(|folder| *folder != Path::new("")) {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder).map_err(|error| match error.kind() {
            // The system only says that it exists.
            ErrorKind::AlreadyExists => failed(folder, ErrorKind::NotADirectory.into()),
            _ => failed(folder, error),
        })?;
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.write(true).create_new(true).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(file, error)),
        _ => Ok(()),
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
