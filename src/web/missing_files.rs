//! Logs image files that the database knows and that are not there: an incomplete restore, or a folder that was moved.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::domain::untrusted::Untrusted;

/// Names that are remembered. If so many are missing, all of them probably are.
const MAX_NAMES: usize = 1000;

/// The files that were logged, so that each has one line however often readers request it.
#[derive(Debug, Default)]
pub struct MissingFiles(Mutex<HashSet<String>>);

impl MissingFiles {
    /// Logs a file, unless that was done before.
    pub(super) fn report(&self, name: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_NAMES && known.insert(name.to_owned()) {
            tracing::warn!(file = %Untrusted::new(&name), "an image is missing in the media folder; restore it from a backup");
            if known.len() == MAX_NAMES {
                tracing::warn!("more missing images are not logged");
            }
        }
    }
}
