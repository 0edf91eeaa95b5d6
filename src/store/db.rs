//! Connections and transactions.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;

use super::{Result, with_db};

/// The channel on which PostgreSQL tells the processes of a site that there is work.
const CHANNEL: &str = "marquee";

/// A database, opened and migrated.
#[derive(Debug, Clone)]
pub struct Db {
    pub(super) pools: Pools,
    commits: CommitCounter,
    pub(super) erasures: ErasureNotice,
}

/// Connections to one of the two databases.
#[derive(Debug, Clone)]
pub(super) enum Pools {
    /// The embedded default: many readers, one writer.
    Sqlite {
        /// Cannot write.
        read: SqlitePool,
        /// One connection, so that writers wait in line here and not on a lock.
        write: SqlitePool,
    },
    /// For sites that need more than one machine.
    Postgres(PgPool),
}

/// Changes that commit together, or not at all.
#[derive(Debug)]
pub struct Tx {
    pub(super) transaction: AnyTransaction,
    commits: CommitCounter,
    erasures: ErasureNotice,
    has_erased: bool,
}

/// A transaction on one of the two databases.
#[derive(Debug)]
pub(super) enum AnyTransaction {
    /// On SQLite's one writer.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// How many transactions a process has committed through one [`Db`] and its clones: while the number stays the same, this
/// process changed nothing.
#[derive(Debug, Clone, Default)]
pub struct CommitCounter(Arc<AtomicU64>);

impl CommitCounter {
    /// The number so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Tells that texts were erased. It remembers that until somebody asks.
#[derive(Debug, Clone, Default)]
pub(super) struct ErasureNotice(Arc<Notify>);

impl ErasureNotice {
    /// A transaction that erased texts was committed.
    fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for the next one, unless there was one since the last call.
    pub(super) async fn notified(&self) {
        self.0.notified().await;
    }
}

/// Counts a commit when it ends, even if the future that waits for it is dropped.
struct CountOnDrop(CommitCounter);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Db {
    /// Connects to a database as it is. `Db::open` brings the schema up to date, too.
    pub(super) async fn connect(url: &str) -> Result<Self> {
        let pools = Pools::connect(url).await?;
        Ok(Self { pools, commits: CommitCounter::default(), erasures: ErasureNotice::default() })
    }

    /// Begins a transaction. On SQLite it takes the write lock at once, since one that asks for it later fails if another
    /// writer came between.
    pub async fn begin(&self) -> Result<Tx> {
        let transaction = match &self.pools {
            Pools::Sqlite { write, .. } => AnyTransaction::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => AnyTransaction::Postgres(pool.begin().await?),
        };
        let (commits, erasures) = (self.commits.clone(), self.erasures.clone());
        Ok(Tx { transaction, commits, erasures, has_erased: false })
    }

    /// Counts the transactions that are committed.
    pub fn commits(&self) -> CommitCounter {
        self.commits.clone()
    }

    /// Checks that the database responds.
    pub async fn ping(&self) -> Result<()> {
        with_db!(self, |c| sqlx::query("select 1").execute(c).await.map(|_| ()))
    }

    /// Listens for what is written from now on, by this process or another.
    pub async fn listen(&self) -> Result<ChangeListener> {
        match &self.pools {
            Pools::Sqlite { read, .. } => {
                // `data_version` shows the changes of others only to the connection that asks again.
                let mut connection = read.acquire().await?.detach();
                let version = data_version(&mut connection).await?;
                Ok(ChangeListener::Sqlite { connection, version })
            }
            Pools::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                Ok(ChangeListener::Postgres(listener))
            }
        }
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Pools {
    async fn connect(url: &str) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            let options = PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(10));
            let server = PgConnectOptions::from_str(url)?.disable_statement_logging();
            return match options.connect_with(server.clone()).await {
                // The pool has tried again and again, and does not say why that failed.
                Err(sqlx::Error::PoolTimedOut) => {
                    server.connect().await?.close().await?;
                    Err(sqlx::Error::PoolTimedOut)
                }
                connected => Ok(Self::Postgres(connected?)),
            };
        }
        let options = sqlite_options(url)?;
        // When the disk is full, SQLite ends a transaction, but sqlx does not notice, and the connection
        // could never begin another one. It is closed, and the next one works once there is space.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(20))
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
        // The journal by which a statement about several rows is rolled back is kept in memory, not in a file.
        // Its cache (in KiB) holds the indexes that a review is entered into; the default of 2 MiB is read again and again.
        let writer = options.clone().pragma("temp_store", "memory").pragma("cache_size", "-16384");
        let write = write.connect_with(writer).await?;
        let read = SqlitePoolOptions::new().max_connections(8);
        let read = read.connect_with(options.read_only(true)).await?;
        Ok(Self::Sqlite { read, write })
    }
}

/// Opens the file of an SQLite database as it is, over a connection that cannot write. `None` if there is no such file, or it
/// cannot be opened like this.
pub(super) async fn sqlite_file(url: &str) -> Result<Option<SqliteConnection>> {
    if !url.starts_with("sqlite:") {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str(url)?
        .read_only(true)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(20))
        .disable_statement_logging();
    if !options.get_filename().exists() {
        return Ok(None);
    }
    Ok(options.connect().await.ok())
}

/// How a connection to an SQLite database is opened.
pub(super) fn sqlite_options(url: &str) -> Result<SqliteConnectOptions> {
    Ok(SqliteConnectOptions::from_str(url)?
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(20))
        .foreign_keys(true)
        // A page that many transactions write is copied into the database once for all of them.
        .pragma("wal_autocheckpoint", "4000")
        // What is deleted is overwritten, and not left in free pages.
        .pragma("secure_delete", "on")
        .disable_statement_logging())
}

impl Tx {
    /// Makes other transactions that lock the same name wait until this one ends. SQLite has one writer anyway.
    pub async fn lock(&mut self, name: &str) -> Result<()> {
        if let AnyTransaction::Postgres(tx) = &mut self.transaction {
            let query = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
            sqlx::query(query).bind(name).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Commits, and wakes the other processes of the site. (SQLite's are woken by the file itself.)
    pub async fn commit(mut self) -> Result<()> {
        if let AnyTransaction::Postgres(tx) = &mut self.transaction {
            sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(&mut **tx).await?;
        }
        self.commit_without_notify().await
    }

    /// Commits what gives no other process anything to do, and wakes none.
    pub async fn commit_without_notify(self) -> Result<()> {
        let _counted = CountOnDrop(self.commits);
        match self.transaction {
            AnyTransaction::Sqlite(tx) => tx.commit().await,
            AnyTransaction::Postgres(tx) => tx.commit().await,
        }?;
        if self.has_erased {
            self.erasures.notify();
        }
        Ok(())
    }

    /// Notes that it has erased texts in this number of rows: after the commit, no file shall have them any more.
    pub(super) const fn record_erasure(&mut self, rows: u64) {
        self.has_erased |= rows > 0;
    }
}

/// Notices what is written.
#[derive(Debug)]
pub enum ChangeListener {
    /// Polls a counter that SQLite keeps in memory.
    Sqlite {
        /// The connection whose counter it is.
        connection: SqliteConnection,
        /// The counter as it was last.
        version: i64,
    },
    /// Listens to the channel.
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

async fn data_version(connection: &mut SqliteConnection) -> Result<i64> {
    sqlx::query_scalar("pragma data_version").fetch_one(connection).await
}
