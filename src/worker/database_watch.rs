//! Watches the database for changes by other processes.

use super::Shutdown;
use super::job_loop::{POLL_INTERVAL, pause};
use crate::domain::untrusted::Untrusted;
use crate::flows::App;

/// Wakes the tasks when another process of the site has written something.
pub(super) async fn watch_database(app: App, mut shutdown: Shutdown) {
    while !*shutdown.borrow() {
        let watching = async {
            let mut watch = app.db.listen().await?;
            loop {
                watch.changed().await?;
                app.wake.notify();
            }
        };
        let ended: Result<(), sqlx::Error> = tokio::select! {
            ended = watching => ended,
            _ = shutdown.changed() => return,
        };
        if let Err(error) = ended {
            tracing::warn!(error = ?Untrusted::chain(&error), "lost database notifications; will reconnect");
        }
        pause(&mut shutdown, POLL_INTERVAL).await;
    }
}
