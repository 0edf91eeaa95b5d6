//! Compares the schema of a database with the one that this binary knows: whether the database has to be upgraded, and
//! whether this binary may touch it at all.

use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgConnection, SqliteConnection};

use super::Result;
use super::open_error::OpenError;
use super::triggers::{InstalledTriggers, POSTGRES_TRIGGERS, SQLITE_TRIGGERS, TRIGGERS_VERSION};

/// What a process does with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads: the schema is never changed.
    Read,
    /// It writes to a site that exists: the schema is brought up to date.
    Existing,
    /// It may make a site: the schema is made, or brought up to date.
    Write,
}

/// The migrations and triggers that this binary has for one of the databases.
pub(super) struct KnownSchema {
    pub(super) migrator: Migrator,
    triggers: &'static str,
}

pub(super) static SQLITE_SCHEMA: KnownSchema =
    KnownSchema { migrator: sqlx::migrate!("migrations/sqlite"), triggers: SQLITE_TRIGGERS };

pub(super) static POSTGRES_SCHEMA: KnownSchema =
    KnownSchema { migrator: sqlx::migrate!("migrations/postgres"), triggers: POSTGRES_TRIGGERS };

impl KnownSchema {
    /// The newest migration.
    pub(super) fn version(&self) -> i64 {
        self.migrator.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// The words of all migrations. They include the names of all tables that any version of the schema has had.
    pub(super) fn words(&self) -> BTreeSet<&str> {
        let texts = self.migrator.iter().map(|migration| migration.sql.as_str());
        texts.flat_map(|sql| sql.split(|c: char| c != '_' && !c.is_ascii_alphanumeric())).collect()
    }

    /// Says that a database is newer if that is why sqlx rejected it: another process may have upgraded it meanwhile.
    pub(super) fn migrate_error(&self, error: MigrateError) -> OpenError {
        match error {
            MigrateError::VersionMissing(found) if found > self.version() => {
                OpenError::Newer { found, known: self.version() }
            }
            error => error.into(),
        }
    }
}

/// The migrations that were applied to a database, and its triggers.
#[derive(Debug, Default)]
pub(super) struct InstalledSchema {
    /// Versions and checksums, the oldest first.
    migrations: Vec<(i64, Vec<u8>)>,
    triggers: InstalledTriggers,
}

/// Loads the schema over a connection. Whether sqlx's table exists is asked in each database's own way.
macro_rules! load {
    ($connection:expr, $table:literal, $known:expr) => {{
        let table: Option<String> = sqlx::query_scalar($table).fetch_one(&mut *$connection).await?;
        if table.is_none() {
            return Ok(Self::default());
        }
        let query = "select version, checksum from _sqlx_migrations order by version";
        let migrations: Vec<(i64, Vec<u8>)> = sqlx::query_as(query).fetch_all(&mut *$connection).await?;
        // A newer version may have other tables.
        let newest = migrations.last().map_or(0, |(version, _)| *version);
        let settings = if migrations.is_empty() || newest > $known.version() {
            Vec::new()
        } else {
            let query = "select key, value from settings where key in ('triggers_version', 'triggers_hash')";
            sqlx::query_as(query).fetch_all(&mut *$connection).await?
        };
        Ok(Self { migrations, triggers: InstalledTriggers::from_settings(settings)? })
    }};
}

impl InstalledSchema {
    pub(super) async fn load_sqlite(connection: &mut SqliteConnection) -> Result<Self> {
        load!(
            connection,
            "select max(name) from sqlite_master where type = 'table' and name = '_sqlx_migrations'",
            SQLITE_SCHEMA
        )
    }

    pub(super) async fn load_postgres(connection: &mut PgConnection) -> Result<Self> {
        load!(connection, "select cast(to_regclass('_sqlx_migrations') as text)", POSTGRES_SCHEMA)
    }

    /// The newest migration; zero if the database is empty.
    pub(super) fn version(&self) -> i64 {
        self.migrations.iter().map(|(version, _)| *version).max().unwrap_or(0)
    }

    /// Whether the database has no schema yet.
    pub(super) fn is_empty(&self) -> bool {
        self.migrations.is_empty()
    }

    /// Whether all migrations are applied.
    pub(super) fn is_migrated(&self, known: &KnownSchema) -> bool {
        self.migrations.len() == known.migrator.iter().count()
    }

    /// Whether the database has to be upgraded before it can be used.
    ///
    /// # Errors
    /// If a newer binary has upgraded it, if an older one has made it and `access` does not allow an upgrade, if it has no
    /// schema and `access` does not allow to make one, or if a migration was applied that this binary has with other
    /// statements, or not at all.
    pub(super) fn needs_upgrade(&self, known: &KnownSchema, access: Access) -> Result<bool, OpenError> {
        if self.version() > known.version() {
            return Err(OpenError::Newer { found: self.version(), known: known.version() });
        }
        if self.triggers.version > TRIGGERS_VERSION {
            return Err(OpenError::NewerTriggers { found: self.triggers.version, known: TRIGGERS_VERSION });
        }
        for (version, checksum) in &self.migrations {
            match known.migrator.iter().find(|migration| migration.version == *version) {
                None => return Err(MigrateError::VersionMissing(*version).into()),
                Some(migration) if *migration.checksum != checksum[..] => {
                    return Err(MigrateError::VersionMismatch(*version).into());
                }
                Some(_) => {}
            }
        }
        match access {
            Access::Read | Access::Existing if self.is_empty() => Err(OpenError::NoSite),
            Access::Read if !self.is_migrated(known) => Err(OpenError::Older),
            Access::Read => Ok(false),
            Access::Existing | Access::Write => {
                Ok(!self.is_migrated(known) || !self.triggers.are_current(known.triggers))
            }
        }
    }
}
