//! The config section `database`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    url: Option<String>,
}

/// Returns the URL of the database; by default, an SQLite file in the data directory.
pub(super) fn check_database(raw: RawDatabase, data_dir: &Path) -> Result<String, ConfigError> {
    let Some(url) = raw.url else {
        return Ok(default_url(data_dir));
    };
    let schemes = ["sqlite://", "postgres://", "postgresql://"];
    if schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url);
    }
    Err(ConfigError::new("database.url", "must begin with sqlite:// or postgres://"))
}

fn default_url(data_dir: &Path) -> String {
    format!("sqlite://{}", data_dir.join("marquee.sqlite").display())
}

impl Config {
    /// The key that decides where the database is.
    pub fn database_key(&self) -> &'static str {
        if self.database_url == default_url(&self.data_dir) { "data_dir" } else { "database.url" }
    }

    /// The file of an SQLite database.
    pub fn database_file(&self) -> Option<PathBuf> {
        let path = self.database_url.strip_prefix("sqlite://")?;
        Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
    }

    /// Where the database is, without a password.
    pub fn database_location(&self) -> String {
        if let Some(file) = self.database_file() {
            return file.display().to_string();
        }
        let Ok(mut url) = url::Url::parse(&self.database_url) else { return "database.url".to_owned() };
        // A URL without a host has no password.
        let _ = url.set_password(None);
        url.set_query(None);
        url.to_string()
    }

    /// The folder of the images.
    pub fn media_dir(&self) -> PathBuf {
        self.data_dir.join("media")
    }
}
