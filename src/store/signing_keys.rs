//! Private keys of the critics and of the instance actor. One key of an owner is published; older ones sign until they
//! retire. A retired key loses its private half, and its row stays, so that no two keys ever have the same id.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::KeyId;
use crate::domain::time::Timestamp;

/// The owner of the instance actor's key.
pub const INSTANCE_OWNER: &str = "instance";

/// A private key that has not retired.
#[derive(Debug, Clone)]
pub struct StoredSigningKey {
    /// Its id.
    pub id: KeyId,
    /// PKCS #8.
    pub private_key: Vec<u8>,
    /// Whether it is the owner's first one.
    pub is_first: bool,
}

#[derive(FromRow)]
struct KeyRow {
    id: KeyId,
    private_key: Vec<u8>,
    older: i64,
}

impl KeyRow {
    fn key(self) -> StoredSigningKey {
        StoredSigningKey {
            id: self.id,
            private_key: self.private_key,
            is_first: to_unsigned(self.older) == 0,
        }
    }
}

const ACTIVE_KEYS: &str = "select k.id, k.private_key,
        (select count(*) from signing_keys o where o.owner = k.owner and o.id < k.id) as older
     from signing_keys k where k.owner = $1 and (k.retires_at is null or k.retires_at > $2) order by k.id";

/// Lists the keys of an owner that have not retired, the oldest first. The last one is published.
pub async fn list_active(db: &Db, owner: &str, now: Timestamp) -> Result<Vec<StoredSigningKey>> {
    let rows: Vec<KeyRow> =
        with_db!(db, |c| sqlx::query_as(ACTIVE_KEYS).bind(owner).bind(now).fetch_all(c).await)?;
    Ok(rows.into_iter().map(KeyRow::key).collect())
}

/// The same inside a transaction.
pub async fn list_active_in_tx(tx: &mut Tx, owner: &str, now: Timestamp) -> Result<Vec<StoredSigningKey>> {
    let rows: Vec<KeyRow> =
        with_tx!(tx, |c| sqlx::query_as(ACTIVE_KEYS).bind(owner).bind(now).fetch_all(c).await)?;
    Ok(rows.into_iter().map(KeyRow::key).collect())
}

/// Inserts a key (PKCS #8), unless the owner has one that is published.
pub async fn insert(tx: &mut Tx, owner: &str, pkcs8: &[u8], now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into signing_keys (id, owner, private_key, created_at) values ($1, $2, $3, $4)
             on conflict (owner) where retires_at is null do nothing",
        )
        .bind(KeyId::new(now))
        .bind(owner)
        .bind(pkcs8)
        .bind(now)
    )?;
    Ok(())
}

/// Lets all keys of an owner retire at that time, or earlier.
pub async fn retire(tx: &mut Tx, owner: &str, at: Timestamp) -> Result<()> {
    let statement = "update signing_keys set retires_at = $2 where owner = $1 and (retires_at is null or retires_at > $2)";
    execute!(tx, sqlx::query(statement).bind(owner).bind(at))?;
    Ok(())
}

/// Erases the private halves of retired keys.
pub async fn erase_retired_private_keys(tx: &mut Tx, now: Timestamp) -> Result<()> {
    let statement =
        "update signing_keys set private_key = $2 where retires_at <= $1 and length(private_key) > 0";
    execute!(tx, sqlx::query(statement).bind(now).bind(&b""[..]))?;
    Ok(())
}
