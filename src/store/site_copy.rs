//! Copies what decides about the entries of feeds into another database, where it can change without consequences.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _};

use super::db::Pools;
use super::{Db, Result, with_db};

/// The tables that are copied. An entry is copied before its review: one that is added meanwhile has no entry then.
const TABLES: [&str; 8] = [
    "critics",
    "media",
    "feeds",
    "feed_entries",
    "left_out_entries",
    "reviews",
    "slugs",
    "review_fingerprints",
];

/// Copies these tables from the database of a site, if there is one, into one on SQLite that was just made. The copy need not survive
/// a crash, and does not check references, since it has no other tables.
pub async fn copy_site(from: Option<&Db>, to: &Db) -> Result<()> {
    let Pools::Sqlite { write, .. } = &to.pools else {
        return Err(sqlx::Error::Configuration("the copy of a site must be on SQLite".into()));
    };
    let mut connection = write.acquire().await?;
    sqlx::raw_sql("pragma foreign_keys = off; pragma synchronous = off").execute(&mut *connection).await?;
    let Some(from) = from else { return Ok(()) };
    sqlx::raw_sql("begin immediate").execute(&mut *connection).await?;
    for table in TABLES {
        with_db!(from, |c| {
            let mut rows = sqlx::query(AssertSqlSafe(format!("select * from {table}"))).fetch(c);
            while let Some(row) = rows.try_next().await? {
                let columns: Vec<&str> = row.columns().iter().map(sqlx::Column::name).collect();
                let mut insert = sqlx::query(AssertSqlSafe(insert_statement(table, &columns)));
                for at in 0..columns.len() {
                    let kind = row.try_get_raw(at)?.type_info().name().to_owned();
                    insert = match kind.as_str() {
                        "INT8" | "INTEGER" => insert.bind(row.try_get::<Option<i64>, _>(at)?),
                        "BYTEA" | "BLOB" => insert.bind(row.try_get::<Option<Vec<u8>>, _>(at)?),
                        _ => insert.bind(row.try_get::<Option<String>, _>(at)?),
                    };
                }
                insert.execute(&mut *connection).await?;
            }
        });
    }
    sqlx::raw_sql("commit").execute(&mut *connection).await?;
    Ok(())
}

fn insert_statement(table: &str, columns: &[&str]) -> String {
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    format!("insert into {table} ({}) values ({})", columns.join(", "), values.join(", "))
}
