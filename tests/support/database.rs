//! The database of a test. It starts as a copy of one that Marquee has set up before, unless the test has another
//! critic: migrations and the critic's keys would take longer than most tests.

use std::path::PathBuf;

use super::config_file::ConfigFile;
use super::postgres::Postgres;
use super::temp_dir::TempDir;
use super::template;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// The database of one test.
#[derive(Debug)]
pub enum TestDatabase {
    Sqlite(PathBuf),
    Postgres(Postgres),
}

impl TestDatabase {
    /// Chooses a name, and creates nothing yet.
    pub async fn reserve(database: Database, folder: &TempDir) -> Self {
        match database {
            Database::Sqlite => Self::Sqlite(folder.file("marquee.sqlite")),
            Database::Postgres => Self::Postgres(Postgres::reserve().await),
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(postgres) => postgres.url(),
        }
    }

    /// Creates the database for a site with this config.
    pub async fn create(&self, config: &ConfigFile) {
        let has_usual_critic = config.has_critic_of(&template::config(""));
        match self {
            Self::Sqlite(file) if has_usual_critic => template::copy_sqlite(file.clone()).await,
            // Marquee creates the file.
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => {
                let template = if has_usual_critic { template::postgres(postgres).await } else { None };
                postgres.create_database(template.as_deref().unwrap_or("template0")).await;
            }
        }
    }
}
