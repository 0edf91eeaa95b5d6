//! The avatars of remote actors: where their servers have them, and which file we have.

use sqlx::FromRow;

use super::column_types::parse_url;
use super::{Db, Result, Tx, execute, with_db, with_tx};

/// An actor who is shown, and whose current avatar has not been fetched.
#[derive(Debug)]
pub struct PendingAvatar {
    /// The actor's id.
    pub uri: url::Url,
    /// The URL of the avatar.
    pub icon: url::Url,
    /// The name of the file that we have so far.
    pub avatar: Option<String>,
}

#[derive(FromRow)]
struct AvatarRow {
    uri: String,
    icon: String,
    avatar: Option<String>,
}

/// The most actors that one scan examines: of many followers, few are shown.
const SCAN_LIMIT: i64 = 500;

/// Lists actors who comment or are in a facepile, and whose current avatar has not been fetched. Examines the actors
/// that follow the id `after`.
pub async fn list_pending(db: &Db, after: &str, limit: usize) -> Result<Vec<PendingAvatar>> {
    let rows: Vec<AvatarRow> = with_db!(db, |c| {
        sqlx::query_as(
            "select a.uri, a.icon, a.avatar from (
                select uri, icon, avatar from actors
                where icon is not null and (fetched_icon is null or fetched_icon <> icon) and deleted_at is null and uri > $1
                order by uri limit $2) a
             where exists (select 1 from facepile f where f.actor = a.uri)
                or exists (select 1 from comments c where c.actor = a.uri and c.state = 'shown')
             order by a.uri limit $3",
        )
        .bind(after)
        .bind(SCAN_LIMIT)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(c)
        .await
    })?;
    let pending = |row: AvatarRow| {
        Ok(PendingAvatar { uri: parse_url(&row.uri)?, icon: parse_url(&row.icon)?, avatar: row.avatar })
    };
    rows.into_iter().map(pending).collect()
}

/// The id after which the next scan continues, or `None` if the scan reached the end.
pub async fn next_pending_cursor(db: &Db, after: &str) -> Result<Option<String>> {
    with_db!(db, |c| {
        sqlx::query_scalar(
            "select uri from actors
             where icon is not null and (fetched_icon is null or fetched_icon <> icon) and deleted_at is null and uri > $1
             order by uri limit 1 offset $2",
        )
        .bind(after)
        .bind(SCAN_LIMIT - 1)
        .fetch_optional(c)
        .await
    })
}

/// An actor whose avatar is no longer used.
#[derive(Debug, FromRow)]
pub struct UnusedAvatar {
    /// The actor's id.
    pub uri: String,
    /// The name of the file.
    pub name: String,
}

/// Lists actors whose avatar is stored, and who are deleted, have no avatar any more, or are no longer shown. Examines
/// the actors that follow the id `after`.
pub async fn list_unused(db: &Db, after: &str, limit: usize) -> Result<Vec<UnusedAvatar>> {
    with_db!(db, |c| {
        sqlx::query_as(
            "select a.uri, a.avatar as name from (
                select uri, avatar, icon, deleted_at from actors where avatar is not null and uri > $1
                order by uri limit $2) a
             where a.deleted_at is not null or a.icon is null
                or (not exists (select 1 from facepile f where f.actor = a.uri)
                    and not exists (select 1 from comments c where c.actor = a.uri and c.state = 'shown'))
             order by a.uri limit $3",
        )
        .bind(after)
        .bind(SCAN_LIMIT)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(c)
        .await
    })
}

/// The id after which the next scan continues, or `None` if the scan reached the end.
pub async fn next_unused_cursor(db: &Db, after: &str) -> Result<Option<String>> {
    with_db!(db, |c| {
        sqlx::query_scalar(
            "select uri from actors where avatar is not null and uri > $1 order by uri limit 1 offset $2",
        )
        .bind(after)
        .bind(SCAN_LIMIT - 1)
        .fetch_optional(c)
        .await
    })
}

/// Records that an avatar was fetched, and the name of its file if that succeeded.
pub async fn record_fetch(tx: &mut Tx, actor: &url::Url, icon: &url::Url, name: Option<&str>) -> Result<()> {
    execute!(
        tx,
        sqlx::query("update actors set fetched_icon = $2, avatar = $3 where uri = $1")
            .bind(actor.as_str())
            .bind(icon.as_str())
            .bind(name)
    )?;
    Ok(())
}

/// Records that no avatar of the actor is stored.
pub async fn clear(tx: &mut Tx, actor: &str) -> Result<()> {
    let statement = "update actors set avatar = null, fetched_icon = null where uri = $1";
    execute!(tx, sqlx::query(statement).bind(actor))?;
    Ok(())
}

/// The `source` of an avatar's media row. It names the content and not the URL, so that an avatar never replaces a
/// poster, and is deleted without it.
pub fn media_source(name: &str) -> String {
    format!("avatar {name}")
}

/// Deletes an avatar's media row if no actor uses it. Returns whether the file can be deleted, too.
pub async fn delete_unused_media(tx: &mut Tx, name: &str) -> Result<bool> {
    let removed = execute!(
        tx,
        sqlx::query(
            "delete from media where name = $1 and source = $2
               and not exists (select 1 from actors a where a.avatar = $1)",
        )
        .bind(name)
        .bind(media_source(name))
    )?;
    let others = "select count(*) from media where name = $1";
    let others: i64 = with_tx!(tx, |c| sqlx::query_scalar(others).bind(name).fetch_one(c).await)?;
    Ok(removed > 0 && others == 0)
}
