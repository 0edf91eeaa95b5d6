//! The house stands as its plan says: imports point down, files are short, both databases have one schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, Row as _, SqliteConnection};

use crate::support::postgres::Postgres;
use crate::support::rust_paths::rooms_named;

/// Which rooms a room may import, from the ground up. `config` is read by those who wire the house; what the
/// others need of it is handed to them. `sources` is pure, `store` is SQL and nothing else: neither needs `net`.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("net", &["domain"]),
    ("sources", &["domain"]),
    ("federation", &["net", "domain"]),
    ("store", &["domain"]),
    ("flows", &["store", "federation", "sources", "net", "domain"]),
    ("worker", &["flows", "store", "federation", "sources", "net", "domain"]),
    ("web", &["flows", "store", "federation", "sources", "net", "domain"]),
    ("app", &["web", "worker", "flows", "store", "federation", "sources", "net", "domain", "config"]),
    ("cli", &["app", "worker", "flows", "store", "federation", "sources", "net", "domain", "config"]),
    ("main", &["cli", "app", "config"]),
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The path of the module that a file of `src` is; empty for the map of the crate.
fn module_of(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix(root().join("src")).expect("a file of src").with_extension("");
    let mut path: Vec<String> =
        inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod" || last == "lib") {
        path.pop();
    }
    path
}

/// The room that a file of `src` belongs to; none for the map of the crate.
fn room_of(file: &Path) -> Option<String> {
    module_of(file).into_iter().next()
}

#[test]
fn imports_point_down() {
    let rules = BTreeMap::from(MAY_IMPORT);
    let mut breaches = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(room) = room_of(&file) else { continue };
        let Some(allowed) = rules.get(room.as_str()) else {
            breaches.push(format!("{room} is no room of the house: {}", file.display()));
            continue;
        };
        for named in rooms_named(&module_of(&file), &read(&file)) {
            let is_room = rules.contains_key(named.as_str());
            if is_room && named != room && !allowed.contains(&named.as_str()) {
                breaches.push(format!("{room} imports {named}: {}", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_binary_is_thin() {
    let lines = read(&root().join("src/main.rs")).lines().count();
    assert!(lines <= 40, "src/main.rs has {lines} lines");
}

#[test]
fn no_file_is_longer_than_it_should_be() {
    let folders = ["src", "tests", "benches", "examples", "fuzz"];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    let long: Vec<String> = files
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > 500)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "a file over 500 lines wants to be two:\n{}", long.join("\n"));
}

#[test]
fn sql_is_only_in_the_store() {
    let outside: Vec<PathBuf> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|file| room_of(file).is_some_and(|room| room != "store"))
        .filter(|file| read(file).contains("sqlx::query"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn tests_wait_for_conditions_and_never_for_time() {
    let word = ["sle", "ep("].concat();
    let sleepers: Vec<PathBuf> = rust_files(&root().join("tests"))
        .into_iter()
        .filter(|file| !file.ends_with("tests/support/mod.rs"))
        .filter(|file| read(file).contains(&word))
        .collect();
    assert!(sleepers.is_empty(), "{sleepers:?}");
}

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

async fn migrator(database: &str) -> Migrator {
    Migrator::new(root().join("migrations").join(database)).await.expect("migrations")
}

async fn sqlite_columns() -> Columns {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("a database");
    migrator("sqlite").await.run_direct(None, &mut connection, false).await.expect("migrations");
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
    let database = Postgres::create().await;
    let mut connection = PgConnection::connect(&database.url()).await.expect("a database");
    migrator("postgres").await.run_direct(None, &mut connection, false).await.expect("migrations");
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
