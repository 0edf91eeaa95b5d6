//! Empties SQLite's write-ahead log after texts were erased, so that they are in no file any more.

use std::time::Duration;

use super::Shutdown;
use super::job_loop::pause;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;

/// The time between two truncations. Each costs a commit, and strangers decide how often they delete something.
const INTERVAL: Duration = Duration::from_secs(5);

/// Truncates the log after each commit that erased texts, and at the start: the process may have been killed before.
pub(super) async fn truncate_after_erasures(app: App, mut shutdown: Shutdown) {
    let mut is_failing = false;
    while !*shutdown.borrow() {
        match app.db.truncate_wal().await {
            Ok(true) => {
                is_failing = false;
                let mut stopped = shutdown.clone();
                tokio::select! {
                    () = app.db.texts_erased() => {}
                    _ = stopped.wait_for(|stop| *stop) => return,
                }
            }
            Ok(false) => tracing::debug!("could not truncate the write-ahead log yet: it is in use"),
            Err(error) => {
                if !is_failing {
                    tracing::warn!(error = ?Untrusted::chain(&error), "could not truncate the write-ahead log; will retry");
                }
                is_failing = true;
            }
        }
        pause(&mut shutdown, INTERVAL).await;
    }
}
