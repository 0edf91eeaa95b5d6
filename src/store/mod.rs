//! All SQL and nothing else: a file a table group, on both databases.
//!
//! Reads take a [`Db`]; what must commit together takes a [`Tx`]. SQLite has one writer: a [`Tx`] begins
//! immediately and is never held across network IO.

use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _, Sqlite, Transaction};

use crate::domain::id::Id;
use crate::domain::time::Timestamp;

pub mod activities;
pub mod actors;
pub mod authorizations;
pub mod avatars;
pub mod blockers;
pub mod blocks;
pub mod browse_index;
mod bulk;
pub mod comments;
pub mod critic_replies;
pub mod critics;
pub mod deliveries;
pub mod delivery_status;
pub mod entries;
pub mod facepile;
pub mod feeds;
pub mod followers;
pub mod hosts;
pub mod inbox_activities;
pub mod keys;
pub mod leases;
pub mod media;
pub mod moderation;
pub mod page_versions;
pub mod reactions;
pub mod reports;
pub mod review_stats;
pub mod reviews;
pub mod search;
pub mod settings;
pub mod usage;
pub mod view_counts;

/// The channel on which PostgreSQL tells the processes of a site that there is work.
const CHANNEL: &str = "marquee";

/// Transactions that this process has ended.
static COMMITS: AtomicU64 = AtomicU64::new(0);

/// How many transactions this process has committed: while it stays the same, this process changed nothing.
pub fn commits() -> u64 {
    COMMITS.load(Ordering::Acquire)
}

/// Counts a transaction when it ends, also where nobody waits for the end any more.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        COMMITS.fetch_add(1, Ordering::AcqRel);
    }
}

/// What went wrong below. Never shown to a client.
pub type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// A database, opened and migrated.
#[derive(Debug, Clone)]
pub enum Db {
    /// The embedded default: many readers, one writer.
    Sqlite {
        /// Cannot write.
        read: SqlitePool,
        /// One connection, so that writers wait in line here and not on a lock.
        write: SqlitePool,
    },
    /// For where one machine is not enough.
    Postgres(PgPool),
}

/// Changes that commit together, or not at all.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite's one writer.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs a query body on whichever database a [`Db`] or a [`Tx`] is: the body is expanded once an arm.
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $body
            }
        }
    };
}
/// Runs a statement; gives the number of rows that it changed.
macro_rules! run {
    ($tx:expr, $statement:expr) => {
        $crate::store::on!($tx, |c| $statement.execute(c).await.map(|done| done.rows_affected()))
    };
}
macro_rules! read {
    ($db:expr, |$c:ident| $body:expr) => {
        match $db {
            $crate::store::Db::Sqlite { read, .. } => {
                let $c = read;
                $body
            }
            $crate::store::Db::Postgres(pool) => {
                let $c = pool;
                $body
            }
        }
    };
}
/// A claim by lease. `$lock` keeps workers on PostgreSQL from waiting for each other's rows; SQLite has one
/// writer and needs none.
macro_rules! claim {
    ($tx:expr, $before:expr, $after:literal, |$query:ident, $c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                let $query = concat!($before, " ", $after);
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                let $query = concat!($before, " for update skip locked ", $after);
                $body
            }
        }
    };
}
pub(crate) use {claim, on, read, run};

impl Db {
    /// Opens the database, makes it where it is a file that is not there yet, and migrates it.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let db = Self::connect(url).await?;
        match &db {
            Self::Sqlite { write, .. } => sqlx::migrate!("migrations/sqlite").run(write).await?,
            Self::Postgres(pool) => sqlx::migrate!("migrations/postgres").run(pool).await?,
        }
        Ok(db)
    }

    async fn connect(url: &str) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            let options = PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(10));
            let server = PgConnectOptions::from_str(url)?.disable_statement_logging();
            return Ok(Self::Postgres(options.connect_with(server).await?));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(20))
            .foreign_keys(true)
            // A page that many transactions write is copied into the database once for all of them.
            .pragma("wal_autocheckpoint", "4000")
            .disable_statement_logging();
        if let Some(folder) = options.get_filename().parent().filter(|f| *f != Path::new("")) {
            std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
        }
        // Where the disk is full, SQLite ends a transaction by itself, and sqlx goes on to believe in it: the connection
        // could never begin another one. It is given up, and the next one works once there is room.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(20))
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
        // What a statement about several rows would take back is kept in memory, not in a file.
        let write = write.connect_with(options.clone().pragma("temp_store", "memory")).await?;
        let read = SqlitePoolOptions::new().max_connections(8);
        let read = read.connect_with(options.read_only(true)).await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Begins a transaction. On SQLite it takes the write lock at once, since one that asks for it later
    /// fails where another writer came between.
    pub async fn begin(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { write, .. } => Ok(Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?)),
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<()> {
        read!(self, |c| sqlx::query("select 1").execute(c).await.map(|_| ()))
    }

    /// Waits until another process may have written something.
    pub async fn watch(&self) -> Result<ChangeListener> {
        match self {
            Self::Sqlite { read, .. } => {
                // `data_version` tells of others only to the connection that asks again.
                let mut connection = read.acquire().await?.detach();
                let version = data_version(&mut connection).await?;
                Ok(ChangeListener::Sqlite { connection, version })
            }
            Self::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok(ChangeListener::Postgres(listener))
            }
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes others who lock the same name wait until this ends. SQLite has one writer anyway.
    pub async fn lock(&mut self, name: &str) -> Result<()> {
        if let Self::Postgres(tx) = self {
            let query = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
            sqlx::query(query).bind(name).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Commits, and wakes the other processes of the site. (SQLite's are woken by the file itself.)
    pub async fn commit(mut self) -> Result<()> {
        if let Self::Postgres(tx) = &mut self {
            sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&mut **tx).await?;
        }
        self.commit_without_notify().await
    }

    /// Commits what gives nobody else anything to do, and wakes nobody.
    pub async fn commit_without_notify(self) -> Result<()> {
        let _counted = Counted;
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}

/// Notices what other processes write.
#[derive(Debug)]
pub enum ChangeListener {
    /// Polls a counter that SQLite keeps in memory.
    Sqlite {
        /// The connection that remembers what it saw.
        connection: sqlx::SqliteConnection,
        /// What it saw last.
        version: i64,
    },
    /// Listens.
    Postgres(PgListener),
}

impl ChangeListener {
    /// Returns once something was written, by this process or another.
    pub async fn changed(&mut self) -> Result<()> {
        match self {
            Self::Sqlite { connection, version } => loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let now = data_version(connection).await?;
                if now != *version {
                    *version = now;
                    return Ok(());
                }
            },
            Self::Postgres(listener) => listener.recv().await.map(|_| ()),
        }
    }
}

async fn data_version(connection: &mut sqlx::SqliteConnection) -> Result<i64> {
    sqlx::query_scalar("pragma data_version").fetch_one(connection).await
}

/// Whether the database could not be used, so that the same may well succeed later: it is away, locked, or full.
/// Otherwise something is wrong with what was written.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return !matches!(error, sqlx::Error::Decode(_)) };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Data, constraints, limits of a program, and what a trigger says, are about rows.
        return !["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class));
    }
    // TOOBIG, CONSTRAINT and MISMATCH are about rows; the code's lower byte is the kind.
    !matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(18..=20))
}

/// Whether the database is busy, full or cannot be reached, as opposed to a fault in a statement or in the data.
pub fn is_outage(error: &sqlx::Error) -> bool {
    let error = match error {
        sqlx::Error::Database(error) => error,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => return true,
        _ => return false,
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        // Connections, conflicts of transactions, resources, locks, operators, and the system.
        return ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
    }
    // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR; FULL, CANTOPEN, PROTOCOL. The lower byte is the kind.
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5..=10 | 13..=15))
}

/// Whether there was no room left to write.
pub fn is_disk_full(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return code == "53100";
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 13)
}

/// A list of texts in one column.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// What [`json`] wrote.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A column that does not hold what it should.
pub(crate) fn damaged(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// An address that a column holds.
pub(crate) fn url(text: &str) -> Result<url::Url> {
    url::Url::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A count or a number of pixels, which a column holds as a BIGINT.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Ids and moments are columns of their own types, on both databases.
macro_rules! column {
    ([$($generics:tt)*] $type:ty => $inner:ty, $to:expr, $from:expr) => {
        impl<DB: sqlx::Database, $($generics)*> sqlx::Type<DB> for $type
        where
            $inner: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$inner as sqlx::Type<DB>>::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                <$inner as sqlx::Type<DB>>::compatible(ty)
            }
        }
        impl<'q, DB: sqlx::Database, $($generics)*> sqlx::Encode<'q, DB> for $type
        where
            $inner: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> std::result::Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let inner: $inner = ($to)(self);
                sqlx::Encode::<DB>::encode(inner, buffer)
            }
        }
        impl<'r, DB: sqlx::Database, $($generics)*> sqlx::Decode<'r, DB> for $type
        where
            $inner: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> std::result::Result<Self, sqlx::error::BoxDynError> {
                let inner = <$inner as sqlx::Decode<DB>>::decode(value)?;
                ($from)(inner)
            }
        }
    };
}
column!([K] Id<K> => String, |id: &Id<K>| id.to_string(), |text: String| {
    let _: PhantomData<K>;
    Ok(text.parse::<Id<K>>()?)
});
column!([] Timestamp => i64, |at: &Timestamp| at.millis(), |millis: i64| Ok(Timestamp::from_millis(millis)));
