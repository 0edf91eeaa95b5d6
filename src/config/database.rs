//! The config section `database`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ConfigError;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    url: Option<String>,
}

/// Returns the URL of the database; by default, an SQLite file in the data directory.
pub(super) fn check_database(raw: RawDatabase, data_dir: &Path) -> Result<String, ConfigError> {
    let Some(url) = raw.url else {
        return Ok(format!("sqlite://{}", data_dir.join("marquee.sqlite").display()));
    };
    let schemes = ["sqlite://", "postgres://", "postgresql://"];
    if schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url);
    }
    Err(ConfigError::new("database.url", "must begin with sqlite:// or postgres://"))
}
