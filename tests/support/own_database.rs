//! A database of a single test, with access to its schema and all of its rows, and databases of version 0.1.0.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use super::postgres::Postgres;
use super::temp_dir::TempDir;
use super::{Database, Fixture};

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

/// The rows of each table, sorted, each as JSON with its columns. A row that is there twice is listed twice.
pub type Rows = BTreeMap<String, Vec<String>>;

/// A part of the structure of a table: its table, the columns that it is about, the table that it refers to, and the rest.
pub type TablePart = [String; 4];

/// A database as version 0.1.0 made it, with rows in every table and every state.
pub const fn dump(database: Database) -> &'static str {
    match database {
        Database::Sqlite => include_str!("../fixtures/upgrade/0009-sqlite.sql"),
        Database::Postgres => include_str!("../fixtures/upgrade/0009-postgres.sql"),
    }
}

/// A site whose database is that of version 0.1.0; it does not run.
pub async fn outdated(database: Database) -> (Fixture, Sql) {
    let mut fixture = Fixture::new(database).await;
    fixture.app.terminate().await;
    let url = fixture.app.database_url();
    if let Some(path) = url.strip_prefix("sqlite://") {
        for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
            let _ = std::fs::remove_file(file);
        }
    } else {
        Sql::connect(&url).await.execute("drop schema public cascade; create schema public").await;
    }
    Sql::connect(&url).await.execute(dump(database)).await;
    // The keys of the dump are not valid; Marquee makes new ones.
    Sql::connect(&url).await.execute("delete from keys").await;
    (fixture, Sql::connect(&url).await)
}

/// The parts are separated by the character 31.
const SQLITE_STRUCTURE: &[&str] = &[
    "select m.name || char(31) || c.name || char(31) || char(31) || c.type || ' null: ' || (c.\"notnull\" = 0)
        || ' key: ' || c.pk || ' default: ' || coalesce(c.dflt_value, '')
     from pragma_table_list m join pragma_table_xinfo(m.name) c
     where m.schema = 'main' and m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'
        and m.name not like '\\_sqlx%' escape '\\'",
    "select m.name || char(31) || char(31) || char(31) || 'without rowid: ' || m.wr
     from pragma_table_list m
     where m.schema = 'main' and m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'",
    "select m.name || char(31) || f.\"from\" || char(31) || f.\"table\" || char(31) || coalesce(f.\"to\", '') || ' '
        || f.on_delete || ' ' || f.on_update
     from pragma_table_list m join pragma_foreign_key_list(m.name) f where m.schema = 'main'",
    "select m.name || char(31) || coalesce(substr(s.sql, instr(s.sql, '(')), (
            select group_concat(x.name || ' ' || x.\"desc\" || ' ' || x.coll) from pragma_index_xinfo(i.name) x where x.key))
        || char(31) || char(31) || 'unique: ' || i.\"unique\" || ' from: ' || i.origin
     from pragma_table_list m join pragma_index_list(m.name) i left join sqlite_master s on s.name = i.name
     where m.schema = 'main' and m.type = 'table'",
];

const POSTGRES_STRUCTURE: &[&str] = &[
    "select table_name || chr(31) || column_name || chr(31) || chr(31) || data_type || ' null: ' || is_nullable
        || ' collation: ' || coalesce(collation_name, '') || ' default: '
        || case when column_default like 'nextval(%' then 'sequence' else coalesce(column_default, '') end
     from information_schema.columns where table_schema = 'public' and not starts_with(table_name, '_sqlx')",
    "select cast(cast(c.conrelid as regclass) as text) || chr(31) || (
            select string_agg(a.attname, ', ' order by k.position) from unnest(c.conkey) with ordinality k (number, position)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number)
        || chr(31) || case when c.confrelid = 0 then '' else cast(cast(c.confrelid as regclass) as text) end || chr(31)
        || concat_ws(' ', c.contype, c.confdeltype, c.confupdtype) || ' ' || coalesce(cast(c.confkey as text), '')
     from pg_constraint c where c.contype in ('p', 'u', 'f') and connamespace = cast('public' as regnamespace)",
    "select cast(cast(i.indrelid as regclass) as text) || chr(31)
        || regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '') || chr(31) || chr(31) || 'unique: ' || i.indisunique
     from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = cast('public' as regnamespace)",
];

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
            let mut found: Vec<String> = found.iter().map(|row| sorted(row, |_| None, |_, _| None)).collect();
            found.sort();
            rows.insert(table, found);
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

    /// The columns, keys and indexes of each table, without the names of constraints and indexes.
    pub async fn structure(&mut self) -> BTreeSet<TablePart> {
        let queries = match self {
            Self::Sqlite(_) => SQLITE_STRUCTURE,
            Self::Postgres(_) => POSTGRES_STRUCTURE,
        };
        let mut parts = BTreeSet::new();
        for query in queries {
            for text in self.texts(query).await {
                let part: Vec<String> = text
                    .split('\u{1f}')
                    .map(|field| field.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect();
                parts.insert(part.try_into().unwrap_or_else(|part| panic!("{query}: {part:?}")));
            }
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
