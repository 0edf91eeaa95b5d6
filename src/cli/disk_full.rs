//! Advice for a full disk. It changes what a failed command prints, and nothing that it does.

use std::path::Path;

use crate::config;
use crate::flows::error::Outage;
use crate::store;

/// Whether the error means that the disk is full.
pub(super) fn is_disk_full(error: &anyhow::Error) -> bool {
    let is_io_full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
    database_error(error).is_some_and(store::error::is_disk_full)
        || error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(is_io_full)
}

/// Tells the user what to do about a full disk.
pub(super) fn disk_full_message(file: &Path) -> String {
    let Ok(config) = config::load(file) else { return "the disk is full".to_owned() };
    let folder = config.data_dir.display();
    let database = if config.database_url.starts_with("sqlite:") { "" } else { " or the database" };
    format!("the disk that holds {folder}{database} is full: free some space and run the command again")
}

/// Returns the database error that a command failed with, if it failed with one.
fn database_error(error: &anyhow::Error) -> Option<&sqlx::Error> {
    error.chain().find_map(|cause| match cause.downcast_ref::<Outage>() {
        Some(Outage::Database(error)) => Some(&**error),
        _ => cause.downcast_ref::<sqlx::Error>(),
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use crate::flows::error::FlowError;

    #[test]
    fn the_database_error_is_found_below_any_context() {
        let outage = || FlowError::from(sqlx::Error::PoolTimedOut);
        let plain = Err::<(), _>(sqlx::Error::PoolTimedOut).context("loading").unwrap_err();
        let typed = Err::<(), _>(outage()).context("loading").unwrap_err();
        for error in [plain, typed, outage().into()] {
            assert!(matches!(database_error(&error), Some(sqlx::Error::PoolTimedOut)), "{error:#}");
        }
        assert!(database_error(&anyhow::anyhow!("no such review")).is_none());
    }
}
