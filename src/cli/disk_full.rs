//! Advice for a full disk.

use std::path::Path;

use crate::config;
use crate::flows::error::database_error;
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
