//! Reports from other servers.

use sqlx::FromRow;

use super::column::{from_json, to_json, to_unsigned};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::ReportId;
use crate::domain::time::Timestamp;

/// A report as it is kept.
#[derive(Debug)]
pub struct NewReport<'a> {
    /// Who sent it: mostly the actor of a whole server.
    pub actor: &'a url::Url,
    /// The id of the Flag.
    pub activity: Option<&'a url::Url>,
    /// The ids of what it is about.
    pub objects: &'a [url::Url],
    /// Why, plain text.
    pub content: &'a str,
}

/// Whether the same report is here already.
pub async fn exists(tx: &mut Tx, reported: &NewReport<'_>) -> Result<bool> {
    let known: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(
        "select id from reports where actor = $1 and (activity_uri = $2
            or (objects = $3 and content = $4 and state = 'open')) limit 1",
    )
    .bind(reported.actor.as_str())
    .bind(reported.activity.map(url::Url::as_str))
    .bind(to_json(&reported.objects))
    .bind(reported.content)
    .fetch_optional(c)
    .await)?;
    Ok(known.is_some())
}

/// How many reports came from a server since then.
pub async fn count_from_host(tx: &mut Tx, host: &str, since: Timestamp) -> Result<u64> {
    let total: i64 = with_tx!(tx, |c| sqlx::query_scalar(
        "select count(*) from reports where host = $1 and created_at > $2"
    )
    .bind(host)
    .bind(since)
    .fetch_one(c)
    .await)?;
    Ok(to_unsigned(total))
}

/// How many reports wait to be looked at.
pub async fn count_open(tx: &mut Tx) -> Result<u64> {
    let total: i64 =
        with_tx!(tx, |c| sqlx::query_scalar("select count(*) from reports where state = 'open'")
            .fetch_one(c)
            .await)?;
    Ok(to_unsigned(total))
}

/// Forgets reports from before then that were looked at.
pub async fn delete_old_closed(tx: &mut Tx, before: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query("delete from reports where state = 'closed' and created_at <= $1").bind(before)
    )?;
    Ok(())
}

/// Keeps a report for the critics to look at.
pub async fn insert(tx: &mut Tx, reported: &NewReport<'_>, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into reports (id, actor, host, activity_uri, objects, content, state, created_at)
             values ($1, $2, $3, $4, $5, $6, 'open', $7)",
        )
        .bind(ReportId::new(now))
        .bind(reported.actor.as_str())
        .bind(reported.actor.host_str())
        .bind(reported.activity.map(url::Url::as_str))
        .bind(to_json(&reported.objects))
        .bind(reported.content)
        .bind(now)
    )?;
    Ok(())
}

/// A report that waits to be looked at.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who sent it.
    pub actor: String,
    /// The ids of what it is about.
    pub objects: Vec<String>,
    /// Why, plain text.
    pub content: String,
    /// When it came.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct ReportRow {
    id: ReportId,
    actor: String,
    objects: String,
    content: String,
    created_at: Timestamp,
}

/// The reports that wait, the oldest first, at most `limit`.
pub async fn list_open(db: &Db, limit: u32) -> Result<Vec<Report>> {
    let rows: Vec<ReportRow> = with_db!(db, |c| {
        sqlx::query_as(
        "select id, actor, objects, content, created_at from reports where state = 'open' order by id limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(c)
    .await
    })?;
    rows.into_iter()
        .map(|row| {
            let objects = from_json(&row.objects)?;
            let (id, actor, content, created_at) = (row.id, row.actor, row.content, row.created_at);
            Ok(Report { id, actor, objects, content, created_at })
        })
        .collect()
}

/// A report was looked at; false where none of that id waits.
pub async fn close(tx: &mut Tx, id: ReportId) -> Result<bool> {
    execute!(tx, sqlx::query("update reports set state = 'closed' where id = $1 and state = 'open'").bind(id))
        .map(|rows| rows > 0)
}
