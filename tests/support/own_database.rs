//! A database of a single test, with access to its schema and all of its rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use super::Database;
use super::postgres::Postgres;
use super::temp_dir::TempDir;

/// A database that is dropped with the value.
pub struct OwnDatabase {
    folder: TempDir,
    postgres: Option<Postgres>,
}

impl OwnDatabase {
    /// Creates an empty database.
    pub async fn new(database: Database) -> Self {
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::create().await),
        };
        Self { folder: TempDir::new(), postgres }
    }

    pub fn url(&self) -> String {
        let sqlite = || format!("sqlite://{}", self.folder.file("marquee.sqlite").display());
        self.postgres.as_ref().map_or_else(sqlite, Postgres::url)
    }

    pub async fn connect(&self) -> Sql {
        Sql::connect(&self.url()).await
    }
}

/// A connection for arbitrary statements.
pub enum Sql {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// The rows of each table, each as JSON with its columns.
pub type Rows = BTreeMap<String, BTreeSet<String>>;

impl Sql {
    pub async fn connect(url: &str) -> Self {
        if let Some(path) = url.strip_prefix("sqlite://") {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let connection = SqliteConnection::connect_with(&options).await;
            return Self::Sqlite(connection.expect("a database"));
        }
        Self::Postgres(PgConnection::connect(url).await.expect("a database"))
    }

    /// Runs statements.
    pub async fn execute(&mut self, statements: &str) {
        let result = match self {
            Self::Sqlite(c) => sqlx::raw_sql(AssertSqlSafe(statements)).execute(c).await.map(|_| ()),
            Self::Postgres(c) => sqlx::raw_sql(AssertSqlSafe(statements)).execute(c).await.map(|_| ()),
        };
        result.unwrap_or_else(|e| panic!("{e}: {}", statements.chars().take(300).collect::<String>()));
    }

    /// The texts that a query returns.
    pub async fn texts(&mut self, query: &str) -> Vec<String> {
        let texts = match self {
            Self::Sqlite(c) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(c).await,
            Self::Postgres(c) => sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(c).await,
        };
        texts.unwrap_or_else(|e| panic!("{e}: {query}"))
    }

    /// The tables, except the internal ones of SQLite and sqlx.
    pub async fn tables(&mut self) -> Vec<String> {
        let query = match self {
            Self::Sqlite(_) => {
                "select name from pragma_table_list where schema = 'main' and type = 'table'
                    and name not like 'sqlite_%' and name not like '\\_sqlx%' escape '\\'"
            }
            Self::Postgres(_) => {
                "select cast(tablename as text) from pg_tables
                 where schemaname = 'public' and not starts_with(tablename, '_sqlx')"
            }
        };
        self.texts(query).await
    }

    /// Every row of every table.
    pub async fn rows(&mut self) -> Rows {
        let mut rows = Rows::new();
        for table in self.tables().await {
            let query = match self {
                Self::Sqlite(_) => {
                    let columns = format!("select name from pragma_table_info('{table}')");
                    let columns = self.texts(&columns).await;
                    let members: Vec<String> =
                        columns.iter().map(|column| format!("'{column}', quote(\"{column}\")")).collect();
                    format!("select json_object({}) from \"{table}\"", members.join(", "))
                }
                Self::Postgres(_) => format!("select cast(to_jsonb(t) as text) from \"{table}\" t"),
            };
            let found = self.texts(&query).await;
            rows.insert(table, found.iter().map(|row| sorted(row, |_| None, |_, _| None)).collect());
        }
        rows
    }

    /// The schema: one text for each table, column, index, constraint and trigger.
    pub async fn schema(&mut self) -> BTreeSet<String> {
        let queries: &[&str] = match self {
            Self::Sqlite(_) => {
                &["select type || ' ' || name || ' on ' || tbl_name || ': ' || coalesce(sql, '')
                 from sqlite_master"]
            }
            Self::Postgres(_) => &[
                "select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
                    || coalesce(collation_name, '') || ' ' || coalesce(column_default, '')
                 from information_schema.columns where table_schema = 'public'",
                "select cast(indexdef as text) from pg_indexes where schemaname = 'public'",
                "select conname || ' on ' || cast(conrelid as regclass) || ': ' || pg_get_constraintdef(oid)
                 from pg_constraint where connamespace = cast('public' as regnamespace)",
                "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
                "select pg_get_functiondef(oid) from pg_proc where pronamespace = cast('public' as regnamespace)",
                "select cast(sequencename as text) from pg_sequences where schemaname = 'public'",
            ],
        };
        let mut parts = BTreeSet::new();
        for query in queries {
            parts.extend(self.texts(query).await);
        }
        parts
    }

    /// The values that the CHECK constraint of a column allows, by table and column.
    pub async fn checks(&mut self) -> BTreeMap<(String, String), BTreeSet<String>> {
        let query = match self {
            Self::Sqlite(_) => {
                "select name || ' ' || substr(sql, instr(sql, '(')) from sqlite_master
                 where type = 'table' and sql like '%check (%'"
            }
            Self::Postgres(_) => {
                "select cast(conrelid as regclass) || ' check (' || attname || ' ' || pg_get_constraintdef(c.oid)
                 from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
                 where contype = 'c' and connamespace = cast('public' as regnamespace)"
            }
        };
        let mut checks = BTreeMap::new();
        for text in self.texts(query).await {
            let (table, rest) = text.split_once(' ').expect("a table");
            for check in rest.split("check (").skip(1) {
                let (column, values) = check.split_once(' ').expect("a column");
                let values = values.split("))").next().unwrap_or_default();
                let values = values.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
                let before = checks.insert((table.to_owned(), column.to_owned()), values);
                assert_eq!(before, None, "two constraints on {table}.{column}");
            }
        }
        checks
    }
}

/// A row with its columns in one order, and other names and values where `rename` and `replace` have some.
pub fn sorted(
    row: &str,
    rename: impl Fn(&str) -> Option<&'static str>,
    replace: impl Fn(&str, &Value) -> Option<Value>,
) -> String {
    let row: Map<String, Value> = serde_json::from_str(row).expect("a row");
    let member = |(column, value): (String, Value)| {
        let value = replace(&column, &value).unwrap_or(value);
        (rename(&column).map_or(column, str::to_owned), value)
    };
    let members: BTreeMap<String, Value> = row.into_iter().map(member).collect();
    serde_json::to_string(&members).expect("a row")
}
