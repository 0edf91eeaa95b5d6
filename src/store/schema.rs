//! Brings a database to the schema that this binary knows: first the migrations, then the triggers.
//!
//! A migration is applied once and never changes. Triggers are different: `migrations/triggers/` has one file for each
//! database with all of them, and when its hash is not the one that is stored, they are all dropped and made again. Both
//! happen under one lock. On SQLite that is the write lock, and all happens in one transaction; PostgreSQL has sqlx's
//! advisory lock, one transaction for each migration, and one for the triggers and their hash. A process that is killed
//! in between leaves what was there before.
//!
//! A database with a migration that this binary does not know belongs to a newer version: nothing is done to it.

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};

use super::db::{Pools, sqlite_options};
use super::{Db, Result, settings, with_db};
use crate::domain::hash::sha256_hex;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
const SQLITE_TRIGGERS: &str = include_str!("../../migrations/triggers/sqlite.sql");
const POSTGRES_TRIGGERS: &str = include_str!("../../migrations/triggers/postgres.sql");

/// The setting that holds the hash of the triggers.
const TRIGGERS_HASH: &str = "triggers_hash";

/// What a process does with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads: the schema is made if there is none, and never changed.
    Read,
    /// It writes: the schema is brought up to date.
    Write,
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer binary has migrated it.
    #[error(
        "it was last opened by a newer version of Marquee (its schema version is {found}, but this \
         version supports at most {known}); install the newer version, or restore the backup from before the upgrade"
    )]
    Newer {
        /// The newest migration of the database.
        found: i64,
        /// The newest migration that this binary has.
        known: i64,
    },
    /// An older binary has made it, and this process only reads.
    #[error(
        "it was last opened by an older version of Marquee, and this command does not upgrade it; run `marquee \
         serve` with this version first"
    )]
    Older,
    /// Rows that refer to no row.
    #[error("the upgrade would leave {0} rows that refer to rows that do not exist; nothing was changed")]
    BrokenReferences(usize),
    /// A migration failed.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database did not do what it was asked to do.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a database has of the schema.
#[derive(Default)]
struct Installed {
    migrations: Vec<(i64, Vec<u8>)>,
    triggers_hash: Option<String>,
}

impl Installed {
    async fn load(db: &Db) -> Result<Self> {
        let table: Option<String> = match &db.pools {
            Pools::Sqlite { read, .. } => {
                let query =
                    "select name from sqlite_master where type = 'table' and name = '_sqlx_migrations'";
                sqlx::query_scalar(query).fetch_optional(read).await?
            }
            Pools::Postgres(pool) => {
                let query = "select cast(to_regclass('_sqlx_migrations') as text)";
                sqlx::query_scalar(query).fetch_one(pool).await?
            }
        };
        if table.is_none() {
            return Ok(Self::default());
        }
        let query = "select version, checksum from _sqlx_migrations order by version";
        let migrations: Vec<(i64, Vec<u8>)> = with_db!(db, |c| sqlx::query_as(query).fetch_all(c).await)?;
        let triggers_hash =
            if migrations.is_empty() { None } else { settings::get(db, TRIGGERS_HASH).await? };
        Ok(Self { migrations, triggers_hash })
    }

    /// Whether all migrations are applied.
    ///
    /// # Errors
    /// If one was applied that `migrator` does not have, or has with other statements.
    fn is_migrated(&self, migrator: &Migrator) -> Result<bool, OpenError> {
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
        for (version, checksum) in &self.migrations {
            let Some(migration) = migrator.iter().find(|migration| migration.version == *version) else {
                return Err(OpenError::Newer { found: *version, known });
            };
            if *migration.checksum != checksum[..] {
                return Err(MigrateError::VersionMismatch(*version).into());
            }
        }
        Ok(self.migrations.len() == migrator.iter().count())
    }
}

impl Db {
    /// Opens a database and brings its schema up to date, as far as `access` allows.
    ///
    /// # Errors
    /// If the database cannot be reached, or belongs to another version of Marquee.
    pub async fn open(url: &str, access: Access) -> Result<Self, OpenError> {
        let db = Self::connect(url).await?;
        prepare(&db, url, access).await?;
        Ok(db)
    }
}

async fn prepare(db: &Db, url: &str, access: Access) -> Result<(), OpenError> {
    let (migrator, triggers) = match &db.pools {
        Pools::Sqlite { .. } => (&SQLITE, SQLITE_TRIGGERS),
        Pools::Postgres(_) => (&POSTGRES, POSTGRES_TRIGGERS),
    };
    let installed = Installed::load(db).await?;
    let is_migrated = installed.is_migrated(migrator)?;
    match access {
        Access::Read if is_migrated => return Ok(()),
        Access::Read if !installed.migrations.is_empty() => return Err(OpenError::Older),
        Access::Write if is_migrated && installed.triggers_hash == Some(hash_of(triggers)) => return Ok(()),
        Access::Read | Access::Write => {}
    }
    let replaces_triggers = access == Access::Write;
    match &db.pools {
        Pools::Sqlite { .. } => upgrade_sqlite(sqlite_options(url)?, !is_migrated, replaces_triggers).await,
        Pools::Postgres(pool) => upgrade_postgres(pool, replaces_triggers).await,
    }
}

fn hash_of(triggers: &str) -> String {
    sha256_hex(triggers.as_bytes())
}

/// Drops the triggers that are there and makes those of this binary, unless they are there already. The text differs
/// between the databases, the steps do not.
macro_rules! replace_triggers {
    ($tx:expr, $triggers:expr, $objects:literal, $drop:expr) => {{
        let hash = hash_of($triggers);
        let stored: Option<String> = sqlx::query_scalar("select value from settings where key = $1")
            .bind(TRIGGERS_HASH)
            .fetch_optional(&mut *$tx)
            .await?;
        if stored.as_ref() != Some(&hash) {
            let objects: Vec<String> = sqlx::query_scalar($objects).fetch_all(&mut *$tx).await?;
            for object in objects {
                sqlx::raw_sql(AssertSqlSafe(($drop)(object))).execute(&mut *$tx).await?;
            }
            sqlx::raw_sql($triggers).execute(&mut *$tx).await?;
            let statement = "insert into settings (key, value) values ($1, $2)
                 on conflict (key) do update set value = excluded.value";
            sqlx::query(statement).bind(TRIGGERS_HASH).bind(hash).execute(&mut *$tx).await?;
        }
    }};
}

/// One transaction for everything, which has the write lock from the beginning. The connection has foreign keys off, since
/// a migration may have to drop a table and make it again; they are checked before the commit instead.
async fn upgrade_sqlite(
    options: SqliteConnectOptions,
    migrates: bool,
    replaces_triggers: bool,
) -> Result<(), OpenError> {
    let mut connection = options.foreign_keys(false).connect().await?;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    SQLITE.run_direct(None, &mut *tx, false).await?;
    if migrates {
        let broken = sqlx::query("pragma foreign_key_check").fetch_all(&mut *tx).await?;
        if !broken.is_empty() {
            return Err(OpenError::BrokenReferences(broken.len()));
        }
    }
    fail_point!("migrations-before-commit");
    if replaces_triggers {
        replace_triggers!(
            tx,
            SQLITE_TRIGGERS,
            "select name from sqlite_master where type = 'trigger' and name like 'marquee\\_%' escape '\\'",
            |name| format!("drop trigger \"{name}\"")
        );
    }
    fail_point!("triggers-before-commit");
    tx.commit().await?;
    fail_point!("triggers-after-commit");
    connection.close().await?;
    Ok(())
}

/// The lock belongs to the connection, which is closed in any case.
async fn upgrade_postgres(pool: &PgPool, replaces_triggers: bool) -> Result<(), OpenError> {
    let mut connection = pool.acquire().await?.detach();
    connection.lock().await?;
    // One transaction, since a database that is migrated but has no triggers would count nothing.
    let mut tx = connection.begin().await?;
    POSTGRES.run_direct(None, &mut *tx, false).await?;
    fail_point!("migrations-before-commit");
    if replaces_triggers {
        replace_triggers!(
            tx,
            POSTGRES_TRIGGERS,
            "select cast(cast(oid as regprocedure) as text) from pg_proc
             where pronamespace = (select oid from pg_namespace where nspname = current_schema())
                 and starts_with(proname, 'marquee_')",
            |function| format!("drop function if exists {function} cascade")
        );
    }
    fail_point!("triggers-before-commit");
    tx.commit().await?;
    fail_point!("triggers-after-commit");
    connection.unlock().await?;
    connection.close().await?;
    Ok(())
}
