//! Both databases have one schema: the same migrations, the same tables and the same columns.

use std::collections::BTreeMap;

use marquee::store::{Access, Db};
use sqlx::{Connection, PgConnection, Row as _, SqliteConnection};

use crate::support::Database;
use crate::support::own_database::OwnDatabase;
use crate::support::source_tree::root;

/// The names of the migrations for a database.
fn migrations(database: &str) -> Vec<String> {
    let folder = root().join("migrations").join(database);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn both_databases_have_the_same_migrations() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    assert_eq!(sqlite, postgres);
    assert!(!sqlite.is_empty());
}

/// A column: its table and name, the kind of its type, and whether it may be null.
type Columns = BTreeMap<(String, String), (String, bool)>;

/// One name for types that are the same.
fn kind_of(declared: &str) -> String {
    let declared = declared.to_lowercase();
    match declared.as_str() {
        "bigint" | "integer" | "int" | "smallint" => "whole number",
        "text" | "character varying" => "text",
        "blob" | "bytea" => "bytes",
        "boolean" => "truth",
        "real" | "double precision" => "number",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// Full text is each database's own.
fn is_shared(table: &str) -> bool {
    !table.contains("search") && !table.starts_with("_sqlx") && !table.starts_with("sqlite_")
}

/// A database with the schema of a new site.
async fn migrated(database: Database) -> OwnDatabase {
    let own = OwnDatabase::new(database).await;
    Db::open(&own.url(), Access::Write).await.expect("a database").close().await;
    own
}

async fn sqlite_columns() -> Columns {
    let own = migrated(Database::Sqlite).await;
    let mut connection = SqliteConnection::connect(&own.url()).await.expect("a database");
    let rows = sqlx::query(
        "select t.name, c.name, c.type, c.\"notnull\" = 0 and c.pk = 0 \
         from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("columns");
    let column = |row: sqlx::sqlite::SqliteRow| {
        let (table, name, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        ((table, name), (kind_of(&kind), row.get::<bool, _>(3)))
    };
    rows.into_iter().map(column).filter(|((table, _), _)| is_shared(table)).collect()
}

async fn postgres_columns() -> Columns {
    let own = migrated(Database::Postgres).await;
    let mut connection = PgConnection::connect(&own.url()).await.expect("a database");
    let rows = sqlx::query(
        "select table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
         from information_schema.columns where table_schema = 'public'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("columns");
    let column = |row: sqlx::postgres::PgRow| {
        let (table, name, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        ((table, name), (kind_of(&kind), row.get::<bool, _>(3)))
    };
    rows.into_iter().map(column).filter(|((table, _), _)| is_shared(table)).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (sqlite_columns().await, postgres_columns().await);
    assert!(!sqlite.is_empty());
    let differing = |ours: &Columns, theirs: &Columns| -> Vec<String> {
        let differs = |(column, kind): (&(String, String), &(String, bool))| {
            (theirs.get(column) != Some(kind)).then(|| format!("{}.{}: {kind:?}", column.0, column.1))
        };
        ours.iter().filter_map(differs).collect()
    };
    assert_eq!(differing(&sqlite, &postgres), differing(&postgres, &sqlite), "SQLite beside PostgreSQL");
}

#[tokio::test]
async fn both_databases_have_the_same_indexes() {
    let (sqlite, postgres) = (migrated(Database::Sqlite).await, migrated(Database::Postgres).await);
    // Those that belong to a constraint have each database's own names.
    let ours = "select name from sqlite_master where type = 'index' and sql is not null order by name";
    let theirs = "select cast(c.relname as text) from pg_index i join pg_class c on c.oid = i.indexrelid
         where c.relnamespace = cast('public' as regnamespace) and not starts_with(c.relname, 'search_index')
            and not exists (select 1 from pg_constraint where conindid = c.oid)
         order by c.relname";
    let ours = sqlite.connect().await.texts(ours).await;
    assert_eq!(ours, postgres.connect().await.texts(theirs).await, "SQLite beside PostgreSQL");
    assert!(ours.len() > 40);
}
