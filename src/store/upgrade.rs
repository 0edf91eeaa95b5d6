//! Upgrades of a database: first the migrations, then the triggers, in one transaction. A process that is killed meanwhile
//! leaves the database as it was.
//!
//! One process upgrades at a time; the others wait for it, and then find nothing to do. On SQLite they wait for the write
//! lock, on PostgreSQL for the advisory lock that sqlx takes for migrations. On PostgreSQL, transactions of clients are never
//! aborted: the upgrade takes the locks of all tables at once, or lets go of them and tries again.

use std::pin::pin;
use std::time::{Duration, Instant};

use sqlx::migrate::Migrate as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool, PgTransaction,
    SqliteConnection,
};

use super::Result;
use super::open_error::{BrokenReference, BrokenReferences, OpenError};
use super::schema_version::{Access, InstalledSchema, KnownSchema, POSTGRES_SCHEMA, SQLITE_SCHEMA};
use super::triggers;

/// How long an upgrade waits for other processes. An upgrade by another process can take minutes.
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// After this time a process says that it waits for the lock.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// The longest attempt to lock all tables, during which everybody else waits for the upgrade.
const MAX_ATTEMPT: Duration = Duration::from_millis(800);

/// How often the log says that the tables are still in use.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// How long the upgrade leaves the tables to others before it tries to lock them again.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Broken references that an error names.
const MAX_NAMED_REFERENCES: usize = 5;

/// Logs the start of an upgrade, and its end by `finish`. A new database is not worth a line.
struct UpgradeLog {
    started: Instant,
    to: i64,
    is_new: bool,
}

impl UpgradeLog {
    fn start(installed: &InstalledSchema, known: &KnownSchema) -> Self {
        let (from, to) = (installed.version(), known.version());
        if installed.is_empty() {
            tracing::debug!(to, "creating the database schema");
        } else if from == to {
            tracing::info!("replacing the database triggers");
        } else {
            tracing::info!(from, to, "upgrading the database; this can take minutes");
        }
        Self { started: Instant::now(), to, is_new: installed.is_empty() }
    }

    fn finish(&self) {
        if !self.is_new {
            tracing::info!(version = self.to, elapsed = ?self.started.elapsed(), "database is up to date");
        }
    }
}

/// A connection for an upgrade. Foreign keys are off, since a migration may have to drop a table and make it again; they
/// are checked before the commit instead. Migrations build large tables, for which a larger cache halves the time.
fn upgrade_options(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.foreign_keys(false).busy_timeout(LOCK_TIMEOUT).pragma("cache_size", "-262144")
}

/// Upgrades an SQLite database. The transaction has the write lock from the beginning.
pub(super) async fn upgrade_sqlite(options: SqliteConnectOptions, access: Access) -> Result<(), OpenError> {
    let mut connection = upgrade_options(options).connect().await?;
    let begun = wait_for_lock(connection.begin_with("BEGIN IMMEDIATE")).await?;
    let mut tx =
        begun.map_err(|error| if is_busy(&error) { OpenError::Busy(LOCK_TIMEOUT) } else { error.into() })?;
    let installed = InstalledSchema::load_sqlite(&mut tx).await?;
    if !installed.needs_upgrade(&SQLITE_SCHEMA, access)? {
        // Another process was faster.
        tx.rollback().await?;
        return Ok(connection.close().await?);
    }
    let log = UpgradeLog::start(&installed, &SQLITE_SCHEMA);
    let needs_migrations = !installed.is_migrated(&SQLITE_SCHEMA);
    if needs_migrations && let Some(broken) = find_broken_references(&mut tx).await? {
        return Err(OpenError::BrokenReferences(broken));
    }
    let migrated = SQLITE_SCHEMA.migrator.run_direct(None, &mut *tx, false).await;
    migrated.map_err(|error| SQLITE_SCHEMA.migrate_error(error))?;
    if needs_migrations && let Some(broken) = find_broken_references(&mut tx).await? {
        return Err(OpenError::UpgradeBreaksReferences(broken));
    }
    fail_point!("migrations-before-commit");
    triggers::replace_in_sqlite(&mut tx).await?;
    fail_point!("triggers-before-commit");
    tx.commit().await?;
    fail_point!("triggers-after-commit");
    truncate_wal(&mut connection).await?;
    log.finish();
    Ok(connection.close().await?)
}

/// Waits for the lock that only one process can have. If that takes a while, the log says so.
async fn wait_for_lock<T>(locking: impl Future<Output = T>) -> Result<T, OpenError> {
    let mut locking = pin!(locking);
    if let Ok(locked) = tokio::time::timeout(SILENT_WAIT, &mut locking).await {
        return Ok(locked);
    }
    tracing::info!("waiting for another process that is upgrading or using the database");
    tokio::time::timeout(LOCK_TIMEOUT, locking).await.map_err(|_| OpenError::Busy(LOCK_TIMEOUT))
}

/// Whether another connection has the write lock of an SQLite database.
fn is_busy(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    // SQLITE_BUSY. The lower byte is the kind.
    error.code().is_some_and(|code| code.parse::<u32>().is_ok_and(|code| code & 0xff == 5))
}

/// Gives back the disk space of the write-ahead log, which holds a copy of all tables that were built again. A process that
/// reads at this moment prevents that; then the file stays as large, and is used again.
async fn truncate_wal(connection: &mut SqliteConnection) -> Result<()> {
    for statement in ["pragma busy_timeout = 5000", "pragma wal_checkpoint(truncate)"] {
        sqlx::query(statement).fetch_all(&mut *connection).await?;
    }
    Ok(())
}

/// Finds rows that refer to rows that do not exist.
async fn find_broken_references(connection: &mut SqliteConnection) -> Result<Option<BrokenReferences>> {
    let query = "select \"table\", rowid, parent from pragma_foreign_key_check limit $1";
    let limit = i64::try_from(MAX_NAMED_REFERENCES + 1).unwrap_or(i64::MAX);
    let found: Vec<(String, Option<i64>, String)> =
        sqlx::query_as(query).bind(limit).fetch_all(connection).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let has_more = found.len() > MAX_NAMED_REFERENCES;
    let first = found.into_iter().take(MAX_NAMED_REFERENCES).map(|(table, rowid, parent)| BrokenReference {
        table,
        rowid,
        parent,
    });
    Ok(Some(BrokenReferences { first: first.collect(), has_more }))
}

/// Upgrades a PostgreSQL database. The advisory lock belongs to the connection, which is closed in any case.
pub(super) async fn upgrade_postgres(pool: &PgPool, access: Access) -> Result<(), OpenError> {
    let mut connection = pool.acquire().await?.detach();
    // Waiting for another upgrade, and an upgrade itself, may take longer than the role allows.
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut connection).await?;
    wait_for_lock(connection.lock()).await??;
    let installed = InstalledSchema::load_postgres(&mut connection).await?;
    if installed.needs_upgrade(&POSTGRES_SCHEMA, access)? {
        let log = UpgradeLog::start(&installed, &POSTGRES_SCHEMA);
        let locks = TableLocks::load(&mut connection).await?;
        let mut warned_at: Option<Instant> = None;
        loop {
            let mut tx = connection.begin().await?;
            if locks.try_lock_all(&mut tx).await? {
                upgrade_in_tx(tx).await?;
                break;
            }
            tx.rollback().await?;
            if log.started.elapsed() > LOCK_TIMEOUT {
                return Err(OpenError::Busy(LOCK_TIMEOUT));
            }
            if warned_at.is_none_or(|at| at.elapsed() > WARNING_INTERVAL) {
                tracing::warn!("other processes are using the database; will try to lock its tables again");
                warned_at = Some(Instant::now());
            }
            locks.wait_for_used_table(&mut connection).await?;
            tokio::time::sleep(LOCK_RETRY_INTERVAL).await;
        }
        log.finish();
    }
    connection.unlock().await?;
    Ok(connection.close().await?)
}

/// The locks of all tables of the site. Statements of the upgrade lock table after table in an order of their own; without
/// taking all locks first, the upgrade and a transaction could wait for each other.
struct TableLocks {
    /// The quoted names.
    tables: Vec<String>,
    /// PostgreSQL's `deadlock_timeout`: after this time a transaction that waits looks for a deadlock, and cancels an
    /// autovacuum that it waits for.
    deadlock_timeout: Duration,
}

impl TableLocks {
    async fn load(connection: &mut PgConnection) -> Result<Self> {
        // Another application may have tables in the same schema.
        let tables = "select format('%I', tablename) from pg_tables
             where schemaname = current_schema() and tablename = any($1)
             order by tablename";
        let names: Vec<&str> = POSTGRES_SCHEMA.words().into_iter().collect();
        let tables = sqlx::query_scalar(tables).bind(names).fetch_all(&mut *connection).await?;
        let timeout = "select setting::bigint from pg_settings where name = 'deadlock_timeout'";
        let milliseconds: i64 = sqlx::query_scalar(timeout).fetch_one(connection).await?;
        let deadlock_timeout = Duration::from_millis(milliseconds.unsigned_abs());
        Ok(Self { tables, deadlock_timeout })
    }

    /// Locks all tables. Returns false if another transaction uses one of them. The attempt takes less time than
    /// `deadlock_timeout`, so that a transaction that waits for the upgrade, while the upgrade waits for it, is not aborted.
    async fn try_lock_all(&self, tx: &mut PgConnection) -> Result<bool> {
        if self.tables.is_empty() {
            return Ok(true);
        }
        try_lock(tx, &self.tables.join(", "), (self.deadlock_timeout * 4 / 5).min(MAX_ATTEMPT)).await
    }

    /// Waits for the first table that is in use, for longer than `deadlock_timeout` and without holding any lock meanwhile, so
    /// that no deadlock is possible. This cancels an autovacuum, which otherwise would block every attempt until it has
    /// finished.
    async fn wait_for_used_table(&self, connection: &mut PgConnection) -> Result<()> {
        for table in &self.tables {
            let started = Instant::now();
            let mut tx = connection.begin().await?;
            let is_free =
                try_lock(&mut tx, table, self.deadlock_timeout + Duration::from_millis(500)).await?;
            tx.rollback().await?;
            // The transaction that uses this table probably uses later ones, too.
            if !is_free || started.elapsed() > self.deadlock_timeout {
                break;
            }
        }
        Ok(())
    }
}

/// Locks tables within this time, or returns false.
async fn try_lock(tx: &mut PgConnection, tables: &str, timeout: Duration) -> Result<bool> {
    let limit = format!("set local statement_timeout = {}", timeout.as_millis().max(1));
    sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut *tx).await?;
    let lock = format!("lock table {tables} in access exclusive mode");
    match sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *tx).await {
        Ok(_) => {}
        Err(sqlx::Error::Database(error)) if is_lock_conflict(error.code().as_deref()) => return Ok(false),
        Err(error) => return Err(error),
    }
    sqlx::raw_sql("set local statement_timeout = 0").execute(tx).await?;
    Ok(true)
}

/// Whether a statement ended because it waited too long (`query_canceled`, `lock_not_available`) or in a deadlock.
fn is_lock_conflict(code: Option<&str>) -> bool {
    matches!(code, Some("57014" | "55P03" | "40P01"))
}

async fn upgrade_in_tx(mut tx: PgTransaction<'_>) -> Result<(), OpenError> {
    let migrated = POSTGRES_SCHEMA.migrator.run_direct(None, &mut *tx, false).await;
    migrated.map_err(|error| POSTGRES_SCHEMA.migrate_error(error))?;
    fail_point!("migrations-before-commit");
    triggers::replace_in_postgres(&mut tx).await?;
    fail_point!("triggers-before-commit");
    tx.commit().await?;
    fail_point!("triggers-after-commit");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_memory() -> SqliteConnectOptions {
        SqliteConnectOptions::new()
    }

    #[tokio::test]
    async fn an_upgrade_waits_for_another_one() {
        let mut connection = upgrade_options(in_memory()).connect().await.unwrap();
        let timeout: i64 =
            sqlx::query_scalar("pragma busy_timeout").fetch_one(&mut connection).await.unwrap();
        assert_eq!(timeout, 600_000);
    }

    /// SQLite deletes the rows of other tables if a table that they refer to is dropped while foreign keys are on.
    #[tokio::test]
    async fn migrations_do_not_run_with_foreign_keys_on() {
        let mut connection = in_memory().foreign_keys(true).connect().await.unwrap();
        let migrated = SQLITE_SCHEMA.migrator.run_direct(None, &mut connection, false).await;
        let error = migrated.unwrap_err().to_string();
        assert!(error.contains("foreign_keys"), "{error}");
    }

    #[tokio::test]
    async fn the_first_broken_references_are_found() {
        let mut connection = upgrade_options(in_memory()).connect().await.unwrap();
        let tables = "create table parents (id integer primary key);
            create table children (id integer primary key, parent integer references parents (id));
            insert into children values (1, null), (2, 7)";
        sqlx::raw_sql(tables).execute(&mut connection).await.unwrap();
        let broken = find_broken_references(&mut connection).await.unwrap().expect("a broken reference");
        assert_eq!(broken.to_string(), "children (rowid 2) refers to parents");
        let more = "insert into children values (3, 7), (4, 7), (5, 7), (6, 7), (7, 7)";
        sqlx::raw_sql(more).execute(&mut connection).await.unwrap();
        let broken = find_broken_references(&mut connection).await.unwrap().expect("broken references");
        assert_eq!((broken.first.len(), broken.has_more), (MAX_NAMED_REFERENCES, true));
        sqlx::raw_sql("delete from children").execute(&mut connection).await.unwrap();
        assert_eq!(find_broken_references(&mut connection).await.unwrap(), None);
    }
}
