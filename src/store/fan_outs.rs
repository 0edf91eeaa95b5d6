//! Fan-outs: an activity on its way to all followers, from which deliveries are created in chunks.

use sqlx::FromRow;

use super::{Db, Result, Tx, claim_rows, execute, with_db, with_tx};
use crate::domain::activity::ActivityKind;
use crate::domain::id::ActivityId;
use crate::domain::time::Timestamp;

/// The number of deliveries that one transaction of a fan-out inserts.
const CHUNK_SIZE: i64 = 1_000;

/// A fan-out that this transaction expands.
#[derive(Debug, FromRow)]
pub struct FanOut {
    /// The activity.
    pub activity_id: ActivityId,
    /// Its type.
    pub kind: ActivityKind,
    /// Its object.
    pub object_uri: String,
    /// The last inbox that has a delivery.
    pub cursor: String,
}

/// Whether a fan-out is waiting.
pub async fn has_any(db: &Db) -> Result<bool> {
    let query = "select activity_id from fanouts limit 1";
    let waiting: Option<String> = with_db!(db, |c| sqlx::query_scalar(query).fetch_optional(c).await)?;
    Ok(waiting.is_some())
}

/// Locks the oldest fan-out. A fan-out about an object comes after all older ones about it.
pub async fn claim(tx: &mut Tx) -> Result<Option<FanOut>> {
    claim_rows!(
        tx,
        "select f.activity_id, a.kind, a.object_uri, f.cursor from fanouts f join activities a on a.id = f.activity_id
         where not exists (
            select 1 from fanouts e join activities b on b.id = e.activity_id
            where b.object_uri = a.object_uri and e.activity_id < f.activity_id)
         order by f.activity_id limit 1",
        "",
        |query, c| sqlx::query_as(query).fetch_optional(c).await
    )
}

/// Inserts the next deliveries of a fan-out, and deletes the fan-out after the last inbox. A forwarded activity is not
/// delivered to the server that it came from.
pub async fn expand(tx: &mut Tx, fan_out: &FanOut, now: Timestamp) -> Result<()> {
    let last: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(
        "select max(inbox) from (
            select i.inbox from follower_inboxes i join activities a on a.critic_id = i.critic_id
            where a.id = $1 and i.inbox > $2 and i.followers > 0
                and not (a.kind = 'Forward' and a.object_uri like 'https://' || i.host || '/%')
            order by i.inbox limit $3) chunk",
    )
    .bind(fan_out.activity_id)
    .bind(&fan_out.cursor)
    .bind(CHUNK_SIZE)
    .fetch_one(c)
    .await)?;
    let Some(last) = last else {
        execute!(tx, sqlx::query("delete from fanouts where activity_id = $1").bind(fan_out.activity_id))?;
        return Ok(());
    };
    let statements = [
        "insert into deliveries (activity_id, inbox, host, object_uri, kind, state, attempts, next_attempt_at,
            created_at)
         select a.id, i.inbox, i.host, a.object_uri, a.kind, 'queued', 0, $4, $4
         from follower_inboxes i join activities a on a.critic_id = i.critic_id
         where a.id = $1 and i.inbox > $2 and i.inbox <= $3 and i.followers > 0
            and not (a.kind = 'Forward' and a.object_uri like 'https://' || i.host || '/%')
         on conflict (activity_id, inbox) do nothing",
        "insert into hosts (host, signature_scheme, updated_at, due_at)
         select distinct i.host, 'cavage', $4, $4 from follower_inboxes i join activities a on a.critic_id = i.critic_id
         where a.id = $1 and i.inbox > $2 and i.inbox <= $3 and i.followers > 0
         order by i.host
         on conflict (host) do update set due_at = case
            when hosts.due_at <= excluded.due_at then hosts.due_at
            when hosts.retry_at > excluded.due_at then hosts.retry_at
            else excluded.due_at end",
    ];
    for statement in statements {
        execute!(
            tx,
            sqlx::query(statement).bind(fan_out.activity_id).bind(&fan_out.cursor).bind(&last).bind(now)
        )?;
    }
    let moved = "update fanouts set cursor = $2 where activity_id = $1";
    execute!(tx, sqlx::query(moved).bind(fan_out.activity_id).bind(&last))?;
    Ok(())
}
