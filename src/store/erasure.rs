//! Erasing for good. On SQLite, a deleted text is overwritten in the database file (`secure_delete`), but copies of its pages
//! remain in the write-ahead log until that is truncated. PostgreSQL's own vacuum and WAL are its administrator's.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

use super::db::Pools;
use super::{Db, Result};

/// How long truncating the log waits for other processes and threads. Writers wait meanwhile.
const LOCK_TIMEOUT: Duration = Duration::from_millis(250);

impl Db {
    /// Waits until this process has committed a transaction that erased texts, since the last call.
    pub async fn texts_erased(&self) {
        self.erasures.notified().await;
    }

    /// Copies the write-ahead log into the database and empties it, so that no erased text is left in it. Returns false if
    /// another process or a long query prevents that now.
    pub async fn truncate_wal(&self) -> Result<bool> {
        let Pools::Sqlite { write, .. } = &self.pools else { return Ok(true) };
        // Neither the writer nor a reader of the pools waits for this connection to be free.
        let options = write.connect_options().as_ref().clone().busy_timeout(LOCK_TIMEOUT);
        let mut connection = options.connect().await?;
        let query = "pragma wal_checkpoint(truncate)";
        let truncated: Result<(i64, i64, i64)> = sqlx::query_as(query).fetch_one(&mut connection).await;
        connection.close().await?;
        Ok(truncated?.0 == 0)
    }
}
