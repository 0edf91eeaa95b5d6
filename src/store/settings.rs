//! Values for the whole site, by key.

use super::{Db, Result, Tx, execute, with_db, with_tx};

/// Inserts a value unless the key has one. Returns the value that is stored.
pub async fn get_or_insert(tx: &mut Tx, key: &str, value: &str) -> Result<String> {
    execute!(
        tx,
        sqlx::query("insert into settings (key, value) values ($1, $2) on conflict (key) do nothing")
            .bind(key)
            .bind(value)
    )?;
    with_tx!(tx, |c| sqlx::query_scalar("select value from settings where key = $1")
        .bind(key)
        .fetch_one(c)
        .await)
}

/// Finds a value.
pub async fn get(db: &Db, key: &str) -> Result<Option<String>> {
    let query = "select value from settings where key = $1";
    with_db!(db, |c| sqlx::query_scalar(query).bind(key).fetch_optional(c).await)
}

/// Inserts or replaces a value.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into settings (key, value) values ($1, $2)
             on conflict (key) do update set value = excluded.value",
        )
        .bind(key)
        .bind(value)
    )?;
    Ok(())
}
