//! Outbound activities, in the exact bytes that are sent.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, deliveries, execute, with_db, with_tx};
use crate::domain::activity::ActivityKind;
use crate::domain::feed::Feed;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;

/// An outbound activity to store.
#[derive(Debug, Clone)]
pub struct NewActivity<'a> {
    /// Its id.
    pub id: ActivityId,
    /// The critic whose activity it is.
    pub critic: CriticId,
    /// Its type.
    pub kind: ActivityKind,
    /// The id of its object.
    pub object: &'a url::Url,
    /// Its exact bytes.
    pub body: &'a str,
}

/// Inserts an activity. If one with this id exists, nothing changes.
pub async fn insert(tx: &mut Tx, activity: &NewActivity<'_>, now: Timestamp) -> Result<()> {
    execute!(tx, sqlx::query(
        "insert into activities (id, critic_id, kind, object_uri, body, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do nothing",
    )
    .bind(activity.id)
    .bind(activity.critic)
    .bind(activity.kind)
    .bind(activity.object.as_str())
    .bind(activity.body)
    .bind(now))?;
    Ok(())
}

/// Inserts an activity that goes to all followers of its critic. It supersedes queued deliveries about the same object.
pub async fn insert_for_followers(tx: &mut Tx, activity: &NewActivity<'_>, now: Timestamp) -> Result<()> {
    insert(tx, activity, now).await?;
    deliveries::supersede(tx, activity.id, activity.kind, activity.object, now).await?;
    fan_out(tx, activity.id).await
}

/// Inserts the row that a worker later expands into deliveries.
async fn fan_out(tx: &mut Tx, activity: ActivityId) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into fanouts (activity_id, cursor) values ($1, '') on conflict (activity_id) do nothing",
        )
        .bind(activity)
    )?;
    Ok(())
}

/// Counts the Updates of a feed's reviews that were stored after that time, whoever caused them.
pub async fn count_updates_since(tx: &mut Tx, feed: &Feed, since: Timestamp) -> Result<u64> {
    // The id of an Article ends with that of its review, which has 26 characters.
    let query = "select count(*) from activities a
         join reviews r on r.id = substr(a.object_uri, length(a.object_uri) - 25)
         where a.critic_id = $1 and a.id > $2 and a.kind = 'Update' and r.feed_id = $3";
    let count: i64 = with_tx!(tx, |c| sqlx::query_scalar(query)
        .bind(feed.critic)
        .bind(ActivityId::first_at(since))
        .bind(feed.id)
        .fetch_one(c)
        .await)?;
    Ok(to_unsigned(count))
}

/// Counts the Updates of an object that were stored after that time, whoever caused them.
pub async fn count_updates_of(
    tx: &mut Tx,
    critic: CriticId,
    object: &url::Url,
    since: Timestamp,
) -> Result<u64> {
    let query = "select count(*) from activities where object_uri = $1 and critic_id = $2 and kind = 'Update' and created_at > $3";
    let count: i64 = with_tx!(tx, |c| sqlx::query_scalar(query)
        .bind(object.as_str())
        .bind(critic)
        .bind(since)
        .fetch_one(c)
        .await)?;
    Ok(to_unsigned(count))
}

/// A stored activity.
#[derive(Debug, FromRow)]
pub struct StoredActivity {
    /// The critic whose activity it is.
    pub critic_id: CriticId,
    /// Its type.
    pub kind: ActivityKind,
    /// Its exact bytes.
    pub body: String,
}

/// Finds an activity.
pub async fn find(db: &Db, id: ActivityId) -> Result<Option<StoredActivity>> {
    with_db!(db, |c| sqlx::query_as("select critic_id, kind, body from activities where id = $1")
        .bind(id)
        .fetch_optional(c)
        .await)
}

/// Finds the id of an activity's object.
pub async fn find_object(db: &Db, id: ActivityId) -> Result<Option<url::Url>> {
    let object: Option<String> =
        with_db!(db, |c| sqlx::query_scalar("select object_uri from activities where id = $1")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    object.as_deref().map(super::column_types::parse_url).transpose()
}

/// Deletes forwarded activities that are older and have no delivery left.
pub async fn delete_old_forwards(tx: &mut Tx, before: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "delete from activities where kind = 'Forward' and created_at <= $1
                and not exists (select 1 from deliveries d where d.activity_id = activities.id)
                and not exists (select 1 from fanouts f where f.activity_id = activities.id)",
        )
        .bind(before)
    )?;
    Ok(())
}

/// Stops forwarding an actor's comments, or one of them, and erases the forwarded bytes.
pub async fn cancel_forwards(
    tx: &mut Tx,
    actor: &url::Url,
    comment: Option<&url::Url>,
    now: Timestamp,
) -> Result<()> {
    let statements = [
        "update deliveries set state = 'superseded', finished_at = $3
         where kind = 'Forward' and state = 'queued' and object_uri in (
            select uri from comments where actor = $1 and ($2 = '' or uri = $2) and state <> 'deleted')",
        "delete from fanouts where $3 is not null and activity_id in (
            select id from activities where kind = 'Forward' and object_uri in (
                select uri from comments where actor = $1 and ($2 = '' or uri = $2) and state <> 'deleted'))",
        "update activities set body = '' where $3 is not null and kind = 'Forward' and object_uri in (
            select uri from comments where actor = $1 and ($2 = '' or uri = $2) and state <> 'deleted')",
    ];
    for statement in statements {
        execute!(
            tx,
            sqlx::query(statement).bind(actor.as_str()).bind(comment.map_or("", url::Url::as_str)).bind(now)
        )?;
    }
    Ok(())
}

/// Erases the text of a deleted reply from the activities that created and edited it.
pub async fn erase_versions(tx: &mut Tx, object: &url::Url) -> Result<()> {
    let query = "update activities set body = '' where object_uri = $1 and kind in ('Create', 'Update')";
    let rows = execute!(tx, sqlx::query(query).bind(object.as_str()))?;
    tx.record_erasure(rows);
    Ok(())
}

/// Whether the critic has sent an activity of this type about the object since that time.
pub async fn exists_since(
    tx: &mut Tx,
    critic: CriticId,
    kind: ActivityKind,
    object: &url::Url,
    since: Timestamp,
) -> Result<bool> {
    let found: Option<i64> = with_tx!(tx, |c| sqlx::query_scalar(
        "select created_at from activities
         where object_uri = $1 and critic_id = $2 and kind = $3 and created_at > $4 limit 1",
    )
    .bind(object.as_str())
    .bind(critic)
    .bind(kind)
    .bind(since)
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}

/// Deletes some older Accepts and Rejects that no follow, authorization or delivery refers to.
pub async fn delete_old_responses(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "delete from activities where id in (
                select a.id from activities a where a.kind in ('Accept', 'Reject') and a.created_at <= $1
                and not exists (select 1 from followers f where f.accept_id = a.id)
                and not exists (select 1 from authorizations s where s.accept_id = a.id and s.state = 'granted')
                and not exists (select 1 from deliveries d where d.activity_id = a.id)
                and not exists (select 1 from fanouts o where o.activity_id = a.id)
                order by a.created_at limit $2)",
        )
        .bind(before)
        .bind(i64::from(limit))
    )?;
    Ok(())
}
