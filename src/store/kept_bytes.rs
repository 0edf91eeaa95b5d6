//! Bytes of activities that were stored, by day and owner. They survive a restart, as what they count does.

use std::collections::BTreeMap;

use super::bulk_statement::BulkStatement;
use super::{Db, Result, Tx, execute, with_db, with_tx};

static SELECT: BulkStatement = BulkStatement::with(
    1,
    "select owner, bytes from kept_bytes where day = $1 and owner in (values",
    "(#1)",
    1,
    ")",
);

/// Adds to rows, or inserts them. No row may be given twice.
static ADD: BulkStatement = BulkStatement::with(
    1,
    "insert into kept_bytes (day, owner, bytes) values",
    "($1, #1, #2)",
    2,
    "on conflict (day, owner) do update set bytes = kept_bytes.bytes + excluded.bytes",
);

/// The bytes of those of these owners that have any on that day, which is counted from 1970 in UTC.
pub async fn load(tx: &mut Tx, day: i64, owners: &[String]) -> Result<BTreeMap<String, u64>> {
    let mut loaded = BTreeMap::new();
    for (text, _, part) in SELECT.parts(owners) {
        let found: Vec<(String, i64)> = with_tx!(tx, |c| {
            let query = sqlx::query_as(text).bind(day);
            part.fold(query, sqlx::query::QueryAs::bind).fetch_all(c).await
        })?;
        loaded.extend(
            found.into_iter().map(|(owner, bytes)| (owner, u64::try_from(bytes).unwrap_or_default())),
        );
    }
    Ok(loaded)
}

/// Adds bytes to owners, in one order everywhere, so that no two processes wait for each other.
pub async fn add(tx: &mut Tx, day: i64, added: &BTreeMap<String, u64>) -> Result<()> {
    let rows: Vec<(&String, i64)> =
        added.iter().map(|(owner, bytes)| (owner, i64::try_from(*bytes).unwrap_or(i64::MAX))).collect();
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        // Parts of exactly these sizes are not filled up.
        let size = 1 << rest.len().min(64).ilog2();
        let (part, after) = rest.split_at(size);
        rest = after;
        for (text, _, part) in ADD.parts(part) {
            with_tx!(tx, |c| {
                let query = sqlx::query(text).bind(day);
                part.fold(query, |query, (owner, bytes)| query.bind(*owner).bind(*bytes))
                    .execute(c)
                    .await
                    .map(|_| ())
            })?;
        }
    }
    Ok(())
}

/// The bytes of an owner on that day.
pub async fn of_owner(db: &Db, day: i64, owner: &str) -> Result<u64> {
    let query = "select bytes from kept_bytes where day = $1 and owner = $2";
    let bytes: Option<i64> =
        with_db!(db, |c| sqlx::query_scalar(query).bind(day).bind(owner).fetch_optional(c).await)?;
    Ok(u64::try_from(bytes.unwrap_or_default()).unwrap_or_default())
}

/// Deletes what was counted before that day.
pub async fn delete_before(tx: &mut Tx, day: i64) -> Result<()> {
    execute!(tx, sqlx::query("delete from kept_bytes where day < $1").bind(day))?;
    Ok(())
}
