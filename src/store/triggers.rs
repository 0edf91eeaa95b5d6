//! The triggers of the database. Unlike migrations they can be replaced: `migrations/triggers/` has one file for each
//! database with all of them, and an upgrade drops the triggers that it finds and makes those of the file.
//!
//! A database records the version and the hash of its triggers. A process replaces older triggers, and those of its own
//! version if the hash differs, as it does during development. It never replaces newer ones.

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::Result;
use super::column_types::corrupt;
use crate::domain::hash::sha256_hex;

pub(super) const SQLITE_TRIGGERS: &str = include_str!("../../migrations/triggers/sqlite.sql");
pub(super) const POSTGRES_TRIGGERS: &str = include_str!("../../migrations/triggers/postgres.sql");

/// The version of the triggers in both files. It grows with every change of either file.
pub(super) const TRIGGERS_VERSION: i64 = 1;

/// The setting that holds the hash of the triggers.
const HASH_SETTING: &str = "triggers_hash";

/// The setting that holds the version of the triggers.
const VERSION_SETTING: &str = "triggers_version";

/// The triggers that a database has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InstalledTriggers {
    /// Zero if there are none.
    pub(super) version: i64,
    hash: String,
}

impl InstalledTriggers {
    /// Reads the settings of a database.
    ///
    /// # Errors
    /// If the version is not a number.
    pub(super) fn from_settings(settings: Vec<(String, String)>) -> Result<Self> {
        let mut installed = Self::default();
        for (key, value) in settings {
            match key.as_str() {
                VERSION_SETTING => {
                    let version = value.parse();
                    installed.version =
                        version.map_err(|_| corrupt("settings.triggers_version is not a number"))?;
                }
                HASH_SETTING => installed.hash = value,
                _ => {}
            }
        }
        Ok(installed)
    }

    /// Whether they are those of a file.
    pub(super) fn are_current(&self, triggers: &str) -> bool {
        self.version == TRIGGERS_VERSION && self.hash == sha256_hex(triggers.as_bytes())
    }
}

/// Drops objects and runs the file. The text differs between the databases, the steps do not.
macro_rules! replace {
    ($connection:expr, $triggers:expr, $objects:literal, $drop:expr) => {{
        let objects: Vec<String> = sqlx::query_scalar($objects).fetch_all(&mut *$connection).await?;
        for object in objects {
            sqlx::raw_sql(AssertSqlSafe(($drop)(object))).execute(&mut *$connection).await?;
        }
        sqlx::raw_sql($triggers).execute(&mut *$connection).await?;
        let settings = [
            (HASH_SETTING, sha256_hex($triggers.as_bytes())),
            (VERSION_SETTING, TRIGGERS_VERSION.to_string()),
        ];
        for (key, value) in settings {
            let statement = "insert into settings (key, value) values ($1, $2)
                 on conflict (key) do update set value = excluded.value";
            sqlx::query(statement).bind(key).bind(value).execute(&mut *$connection).await?;
        }
        Ok(())
    }};
}

/// Replaces the triggers in the transaction that the connection is in.
pub(super) async fn replace_in_sqlite(connection: &mut SqliteConnection) -> Result<()> {
    replace!(
        connection,
        SQLITE_TRIGGERS,
        "select name from sqlite_master where type = 'trigger' and name like 'marquee\\_%' escape '\\'",
        |name| format!("drop trigger \"{name}\"")
    )
}

/// Replaces the triggers in the transaction that the connection is in. Functions that an operator added are left alone,
/// unless they are trigger functions with the prefix `marquee_`.
pub(super) async fn replace_in_postgres(connection: &mut PgConnection) -> Result<()> {
    replace!(
        connection,
        POSTGRES_TRIGGERS,
        "select cast(cast(oid as regprocedure) as text) from pg_proc
         where pronamespace = (select oid from pg_namespace where nspname = current_schema())
             and prokind = 'f' and starts_with(proname, 'marquee_')
             and (prorettype = cast('trigger' as regtype) or proname = 'marquee_page_changed')
         order by proname",
        |function| format!("drop function if exists {function} cascade")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each version of the triggers, and the hashes of its files for SQLite and PostgreSQL. A database compares versions:
    /// when a file changes, raise `TRIGGERS_VERSION` and add a line. Never change a line of a released version.
    const VERSIONS: [(i64, &str, &str); 1] = [(
        1,
        "df39853e099f75d7a67073ce1b266169a3b882826ca35087c2ae1769b0ba9d5e",
        "3980c84a24a58b60ea62323de4c541102663b1154aaa4a4159a7f66cdeeea04c",
    )];

    #[test]
    fn a_change_of_the_triggers_needs_a_new_version() {
        let hashes = [SQLITE_TRIGGERS, POSTGRES_TRIGGERS].map(|triggers| sha256_hex(triggers.as_bytes()));
        let current = (TRIGGERS_VERSION, hashes[0].as_str(), hashes[1].as_str());
        assert_eq!(VERSIONS.last(), Some(&current), "raise TRIGGERS_VERSION and add its hashes");
        assert!((1..).zip(VERSIONS).all(|(version, (listed, ..))| version == listed));
    }
}
