//! Removes erased texts from the files of the database, for commands. A server does this in the background.

use std::time::Duration;

use super::App;

use crate::domain::untrusted::Untrusted;

/// Attempts to empty the write-ahead log, which somebody else may be reading.
const ATTEMPTS: u32 = 10;

/// The time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Removes the texts that were erased from the write-ahead log, too. The text is gone from all pages anyway.
pub(super) async fn erase_from_files(app: &App) {
    for _ in 0..ATTEMPTS {
        match app.db.truncate_wal().await {
            Ok(true) => return,
            Ok(false) => tokio::time::sleep(RETRY_INTERVAL).await,
            Err(error) => {
                tracing::warn!(error = ?Untrusted::chain(&error), "could not truncate the write-ahead log");
                return;
            }
        }
    }
    tracing::warn!("could not truncate the write-ahead log: it is in use; it will be emptied later");
}
