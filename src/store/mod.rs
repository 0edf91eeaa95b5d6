//! All SQL, and nothing else: one file for each group of tables, on both databases.
//!
//! Reads take a [`Db`]; what must commit together takes a [`Tx`]. SQLite has one writer: a [`Tx`] begins immediately and is
//! never held across network IO. A query has one text, with `$1` for the first parameter; where the databases differ, a
//! function has a text for each. States and kinds are enums in `domain`, stored by their names.

pub mod access_levels;
pub mod activities;
pub mod actor_keys;
pub mod actors;
pub mod authorizations;
pub mod avatars;
pub mod blockers;
pub mod blocks;
pub mod browse_index;
pub mod budget_usage;
mod bulk_statement;
mod column_types;
pub mod comment_moderation;
pub mod comment_outlines;
pub mod comments;
mod compressed_text;
pub mod critic_replies;
pub mod critics;
mod db;
pub mod deliveries;
pub mod delivery_status;
mod erasure;
pub mod error;
pub mod facepile;
pub mod fan_outs;
pub mod feed_entries;
pub mod feed_log;
pub mod feeds;
pub mod fingerprints;
pub mod followers;
pub mod hosts;
pub mod inbox_activities;
pub mod index_backfill;
pub mod insights;
pub mod kept_bytes;
pub mod lease_renewal;
pub mod left_out_entries;
pub mod media;
pub mod nodeinfo_usage;
mod open;
mod open_error;
pub mod page_versions;
pub mod pending_images;
pub mod reached_hosts;
pub mod reaction_events;
pub mod reactions;
pub mod reports;
pub mod review_list;
pub mod review_stats;
pub mod reviews;
mod schema_version;
pub mod search;
pub mod settings;
pub mod severed_relations;
pub mod signing_keys;
pub mod site_copy;
pub mod tombstones;
mod triggers;
pub mod unresolved_actors;
mod upgrade;
pub mod view_counts;

pub use column_types::named_columns;
pub use db::{ChangeListener, CommitCounter, Db, Tx};
pub use open_error::OpenError;
pub use schema_version::Access;

/// An error of the database. It is never shown to a client.
pub type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// Runs the body on the connection of a transaction, on whichever database that is: the body is expanded once for each.
macro_rules! with_tx {
    ($tx:expr, |$c:ident| $body:expr) => {
        match &mut $tx.transaction {
            $crate::store::db::AnyTransaction::Sqlite(tx) => {
                let $c = &mut **tx;
                $body
            }
            $crate::store::db::AnyTransaction::Postgres(tx) => {
                let $c = &mut **tx;
                $body
            }
        }
    };
}
/// Executes a statement; gives the number of rows that it changed.
macro_rules! execute {
    ($tx:expr, $statement:expr) => {
        $crate::store::with_tx!($tx, |c| $statement.execute(c).await.map(|done| done.rows_affected()))
    };
}
/// Runs the body on a pool of connections that read.
macro_rules! with_db {
    ($db:expr, |$c:ident| $body:expr) => {
        match &$db.pools {
            $crate::store::db::Pools::Sqlite { read, .. } => {
                let $c = read;
                $body
            }
            $crate::store::db::Pools::Postgres(pool) => {
                let $c = pool;
                $body
            }
        }
    };
}
/// Runs a statement that picks rows and takes them. On PostgreSQL it skips rows that another worker has locked; SQLite has
/// one writer.
macro_rules! claim_rows {
    ($tx:expr, $before:expr, $after:literal, |$query:ident, $c:ident| $body:expr) => {
        match &mut $tx.transaction {
            $crate::store::db::AnyTransaction::Sqlite(tx) => {
                let $c = &mut **tx;
                let $query = concat!($before, " ", $after);
                $body
            }
            $crate::store::db::AnyTransaction::Postgres(tx) => {
                let $c = &mut **tx;
                let $query = concat!($before, " for update skip locked ", $after);
                $body
            }
        }
    };
}
use {claim_rows, execute, with_db, with_tx};
