//! Reports from other servers.

use sqlx::FromRow;

use super::column_types::{from_json, to_json, to_unsigned};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::ReportId;
use crate::domain::time::Timestamp;

/// A report to store.
#[derive(Debug)]
pub struct NewReport<'a> {
    /// The actor who sent it: usually the instance actor of a server.
    pub actor: &'a url::Url,
    /// The id of the Flag.
    pub activity: Option<&'a url::Url>,
    /// The ids of the reported objects.
    pub objects: &'a [url::Url],
    /// The reason, plain text.
    pub content: &'a str,
}

/// Whether the same report is stored already.
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

/// Counts the reports from a host since that time.
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

/// Counts the open reports.
pub async fn count_open(tx: &mut Tx) -> Result<u64> {
    let total: i64 =
        with_tx!(tx, |c| sqlx::query_scalar("select count(*) from reports where state = 'open'")
            .fetch_one(c)
            .await)?;
    Ok(to_unsigned(total))
}

/// Deletes closed reports from before that time.
pub async fn delete_old_closed(tx: &mut Tx, before: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query("delete from reports where state = 'closed' and created_at <= $1").bind(before)
    )?;
    Ok(())
}

/// Inserts an open report.
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

/// An open report.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// The actor who sent it.
    pub actor: String,
    /// The ids of the reported objects.
    pub objects: Vec<String>,
    /// The reason, plain text.
    pub content: String,
    /// When it was received.
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

/// Lists open reports, the oldest first.
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

/// Closes a report. Returns false if it is not open.
pub async fn close(tx: &mut Tx, id: ReportId) -> Result<bool> {
    execute!(tx, sqlx::query("update reports set state = 'closed' where id = $1 and state = 'open'").bind(id))
        .map(|rows| rows > 0)
}
