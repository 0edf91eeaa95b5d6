//! Why a database cannot be opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no database, or no site in it, and this process may not make one.
    #[error("there is no site in it; run `marquee serve` to create it")]
    NoSite,
    /// The file of an SQLite database, or its folder, cannot be opened or created.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A newer binary has migrated it.
    #[error(
        "it was made by a newer Marquee (its schema version is {found}, but this version supports at most {known}); install \
         the newer version of Marquee, or restore the backup from before the upgrade"
    )]
    Newer {
        /// The newest migration of the database.
        found: i64,
        /// The newest migration that this binary has.
        known: i64,
    },
    /// A newer binary has replaced its triggers.
    #[error(
        "it was made by a newer Marquee (its trigger version is {found}, but this version has {known}); install the newer \
         version of Marquee, or restore the backup from before the upgrade"
    )]
    NewerTriggers {
        /// The version of the triggers of the database.
        found: i64,
        /// The version of the triggers of this binary.
        known: i64,
    },
    /// An older binary has made it, and this process only reads.
    #[error(
        "it was last opened by an older version of Marquee, and this command does not upgrade it; run `marquee \
         serve` with this version first or, if it is upgrading the database now, wait until it has finished"
    )]
    Older,
    /// Before the upgrade, rows refer to rows that do not exist.
    #[error(
        "it cannot be upgraded, because some rows refer to rows that do not exist: {0}. Nothing was \
         changed. Run `sqlite3 FILE 'pragma foreign_key_check'` to list all of them, delete them and try again"
    )]
    BrokenReferences(BrokenReferences),
    /// After the upgrade, rows would refer to rows that do not exist.
    #[error(
        "it cannot be upgraded, because rows would then refer to rows that do not exist: {0}. Nothing was changed. This is \
         a bug in Marquee; please report it"
    )]
    UpgradeBreaksReferences(BrokenReferences),
    /// Other processes use the database, and did not stop for this long.
    #[error(
        "it cannot be upgraded, because another process has been using it for {} minutes. Nothing was changed. Stop all \
         other processes that use the database and try again",
        .0.as_secs() / 60
    )]
    Busy(Duration),
    /// A migration failed.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database did not do what it was asked to do.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl OpenError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// A row that refers to a row that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenReference {
    /// The table of the row.
    pub table: String,
    /// Its rowid, unless the table has none.
    pub rowid: Option<i64>,
    /// The table that it refers to.
    pub parent: String,
}

/// Rows that refer to rows that do not exist: the first few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenReferences {
    /// The first ones.
    pub first: Vec<BrokenReference>,
    /// Whether there are more.
    pub has_more: bool,
}

impl std::fmt::Display for BrokenReferences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, BrokenReference { table, rowid, parent }) in self.first.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match rowid {
                Some(rowid) => write!(f, "{separator}{table} (rowid {rowid}) refers to {parent}")?,
                None => write!(f, "{separator}{table} refers to {parent}")?,
            }
        }
        if self.has_more { f.write_str("; and more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_references_are_named() {
        let row =
            |rowid| BrokenReference { table: "comments".to_owned(), rowid, parent: "reviews".to_owned() };
        let all = BrokenReferences { first: vec![row(Some(3)), row(None)], has_more: true };
        assert_eq!(
            all.to_string(),
            "comments (rowid 3) refers to reviews; comments refers to reviews; and more"
        );
    }
}
