//! Checks in the background whether the site can store anything: a disk that is full or read-only lets every page be read.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as StorePath;
use tokio::sync::watch;
use tokio::time::Instant;

use super::App;
use crate::domain::untrusted::Untrusted;
use crate::store::{error, settings};

/// The time between two probes. Each is a commit.
const INTERVAL: Duration = Duration::from_secs(10);

/// The longest probe. SQLite's writer may be busy for a while.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// The setting that is written.
const SETTING: &str = "write_probe";

/// The file that is written beside the images, and deleted at once.
const FILE: &str = "write-probe";

/// The size of that file: enough to need space of its own, as a row need not.
const FILE_BYTES: usize = 64 * 1024;

/// Why the site is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFailure {
    /// There was no probe yet, or the last one is too old.
    Unknown,
    /// There is no room left.
    DiskFull,
    /// The disk or the database is read-only.
    ReadOnly,
    /// The database, or the folder of the images, cannot be written to for another reason; the log has it.
    Failed,
}

impl WriteFailure {
    /// A short reason that everybody may read.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "not checked yet",
            Self::DiskFull => "disk full",
            Self::ReadOnly => "read-only",
            Self::Failed => "database unavailable",
        }
    }
}

/// The result of the last probe.
#[derive(Debug, Default)]
pub struct WriteProbe(Mutex<Option<ProbeResult>>);

#[derive(Debug, Clone, Copy)]
struct ProbeResult {
    at: Instant,
    failure: Option<WriteFailure>,
}

impl WriteProbe {
    /// Why nothing could be written, if that is so.
    pub fn failure(&self) -> Option<WriteFailure> {
        let last = *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match last {
            Some(last) if last.at.elapsed() <= INTERVAL + 2 * PROBE_TIMEOUT => last.failure,
            _ => Some(WriteFailure::Unknown),
        }
    }

    /// Stores a result; returns the one before.
    fn record(&self, failure: Option<WriteFailure>) -> Option<WriteFailure> {
        let result = ProbeResult { at: Instant::now(), failure };
        let before = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).replace(result);
        before.and_then(|before| before.failure)
    }
}

/// Probes until shutdown.
pub async fn probe_all(app: App, mut stopped: watch::Receiver<bool>) {
    loop {
        let probed = tokio::time::timeout(PROBE_TIMEOUT, probe(&app)).await;
        let error = match probed {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(elapsed) => Some(elapsed.into()),
        };
        let failure = error.as_ref().map(classify);
        let before = app.write_probe.record(failure);
        match error {
            Some(error) if failure != before => {
                let error = format!("{error:#}");
                tracing::warn!(error = ?Untrusted::new(&error), "not ready: nothing can be written");
            }
            None if before.is_some() => tracing::info!("ready again: writing succeeded"),
            _ => {}
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Writes a row and a file. Both are tried, since the error of a database often says less than that of the file.
async fn probe(app: &App) -> anyhow::Result<()> {
    let row = write_row(app).await.context("could not write to the database");
    let file = write_file(app).await.context("could not write to the folder of the images");
    match (row, file) {
        (Err(row), Err(file)) if classify(&row) == WriteFailure::Failed => Err(file),
        (row, file) => row.and(file),
    }
}

async fn write_row(app: &App) -> anyhow::Result<()> {
    let mut tx = app.db.begin().await?;
    settings::set(&mut tx, SETTING, &app.clock.now().millis().to_string()).await?;
    Ok(tx.commit_without_notify().await?)
}

async fn write_file(app: &App) -> anyhow::Result<()> {
    let path = StorePath::from(FILE);
    app.media_store.put(&path, vec![0; FILE_BYTES].into()).await?;
    match app.media_store.delete(&path).await {
        // Another process of the site was faster.
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        deleted => Ok(deleted?),
    }
}

fn classify(failure: &anyhow::Error) -> WriteFailure {
    for cause in failure.chain() {
        if let Some(error) = cause.downcast_ref::<sqlx::Error>() {
            if error::is_disk_full(error) {
                return WriteFailure::DiskFull;
            }
            if error::is_read_only(error) {
                return WriteFailure::ReadOnly;
            }
        }
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => {
                return WriteFailure::DiskFull;
            }
            Some(std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied) => {
                return WriteFailure::ReadOnly;
            }
            _ => {}
        }
    }
    WriteFailure::Failed
}
