//! What is true of the whole site.

use super::{Result, Tx, on, run};

/// Sets it where it is not set yet; returns what holds.
pub async fn claim(tx: &mut Tx, key: &str, value: &str) -> Result<String> {
    run!(
        tx,
        sqlx::query("insert into settings (key, value) values ($1, $2) on conflict (key) do nothing")
            .bind(key)
            .bind(value)
    )?;
    on!(tx, |c| sqlx::query_scalar("select value from settings where key = $1").bind(key).fetch_one(c).await)
}
