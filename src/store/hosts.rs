//! How other servers like to be spoken to. Only those have a row that do not like what everyone else does.

use super::{Db, Result, Tx, read, run};
use crate::domain::signing::Form;
use crate::domain::time::Timestamp;

/// Nobody federates with more; whoever makes up names does not fill the disk with them.
const MOST: i64 = 100_000;

/// The form of signature that a host took last, where that is not the usual one.
pub async fn form(db: &Db, host: &str) -> Result<Option<Form>> {
    let form: Option<String> =
        read!(db, |c| sqlx::query_scalar("select signature from hosts where host = $1")
            .bind(host)
            .fetch_optional(c)
            .await)?;
    Ok(form.as_deref().and_then(Form::parse))
}

/// A host took this form where it refused the other one.
pub async fn learn(tx: &mut Tx, host: &str, form: Form, now: Timestamp) -> Result<()> {
    if form == Form::default() {
        return unlearn(tx, host).await;
    }
    run!(
        tx,
        sqlx::query(
            "insert into hosts (host, signature, updated_at)
             select $1, $2, $3 where (select count(*) from hosts) < $4
             on conflict (host) do update set signature = excluded.signature, updated_at = excluded.updated_at",
        )
        .bind(host)
        .bind(form.as_str())
        .bind(now)
        .bind(MOST)
    )?;
    Ok(())
}

/// A host takes neither form; the next time begins as with a stranger.
pub async fn unlearn(tx: &mut Tx, host: &str) -> Result<()> {
    run!(tx, sqlx::query("delete from hosts where host = $1").bind(host))?;
    Ok(())
}

/// Forgets what was learned before that: servers are updated.
pub async fn forget(tx: &mut Tx, before: Timestamp) -> Result<()> {
    run!(tx, sqlx::query("delete from hosts where updated_at <= $1").bind(before))?;
    Ok(())
}
