//! Critics and their profiles.

use sqlx::FromRow;

use super::column_types::{from_json, parse_url, to_json};
use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::critic::{Critic, CriticProfile};
use crate::domain::id::CriticId;
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct CriticRow {
    id: CriticId,
    handle: String,
    name: String,
    summary: String,
    avatar_source: Option<String>,
    avatar_name: Option<String>,
    avatar_type: Option<String>,
    links: String,
    also_known_as: String,
    attribution_domains: String,
    hide_followers: i64,
    moved_to: Option<String>,
    created_at: Timestamp,
}

impl CriticRow {
    fn critic(self) -> Result<Critic> {
        Ok(Critic {
            id: self.id,
            profile: CriticProfile {
                handle: self.handle,
                name: self.name,
                summary: self.summary,
                avatar: self.avatar_source,
                links: from_json(&self.links)?,
                also_known_as: from_json(&self.also_known_as)?,
                attribution_domains: from_json(&self.attribution_domains)?,
                hide_followers: self.hide_followers != 0,
            },
            avatar: self.avatar_name.zip(self.avatar_type),
            moved_to: self.moved_to.as_deref().map(parse_url).transpose()?,
            created_at: self.created_at,
        })
    }
}

/// Lists all critics, the oldest first.
pub async fn list_all(db: &Db) -> Result<Vec<Critic>> {
    let rows: Vec<CriticRow> =
        with_db!(db, |c| sqlx::query_as("select * from critics order by created_at, id").fetch_all(c).await)?;
    rows.into_iter().map(CriticRow::critic).collect()
}

/// Finds a critic.
pub async fn find(db: &Db, id: CriticId) -> Result<Option<Critic>> {
    let row: Option<CriticRow> = with_db!(db, |c| sqlx::query_as("select * from critics where id = $1")
        .bind(id)
        .fetch_optional(c)
        .await)?;
    row.map(CriticRow::critic).transpose()
}

/// Whether a critic exists.
pub async fn exists(tx: &mut Tx, id: CriticId) -> Result<bool> {
    let query = "select id from critics where id = $1";
    let found: Option<String> = with_tx!(tx, |c| sqlx::query_scalar(query).bind(id).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Finds a critic by handle, ignoring case.
pub async fn find_by_handle(db: &Db, handle: &str) -> Result<Option<Critic>> {
    let row: Option<CriticRow> =
        with_db!(db, |c| sqlx::query_as("select * from critics where handle_key = $1")
            .bind(handle.to_ascii_lowercase())
            .fetch_optional(c)
            .await)?;
    row.map(CriticRow::critic).transpose()
}

/// Inserts or updates a critic from the config file. Returns the id.
pub async fn upsert_from_config(tx: &mut Tx, profile: &CriticProfile, now: Timestamp) -> Result<CriticId> {
    with_tx!(tx, |c| {
        sqlx::query_scalar(
        "insert into critics (id, handle, handle_key, name, summary, avatar_source, links, also_known_as, attribution_domains,
            hide_followers, managed, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11)
         on conflict (handle_key) do update set handle = excluded.handle, name = excluded.name,
            summary = excluded.summary, avatar_source = excluded.avatar_source, links = excluded.links,
            also_known_as = excluded.also_known_as, attribution_domains = excluded.attribution_domains,
            hide_followers = excluded.hide_followers, managed = 1
         returning id",
    )
    .bind(CriticId::new(now))
    .bind(&profile.handle)
    .bind(profile.handle.to_ascii_lowercase())
    .bind(&profile.name)
    .bind(&profile.summary)
    .bind(&profile.avatar)
    .bind(to_json(&profile.links))
    .bind(to_json(&profile.also_known_as))
    .bind(to_json(&profile.attribution_domains))
    .bind(i64::from(profile.hide_followers))
    .bind(now)
    .fetch_one(c)
    .await
    })
}

/// Sets the file that is served as the critic's avatar.
pub async fn set_avatar(tx: &mut Tx, critic: CriticId, name: &str, media_type: &str) -> Result<()> {
    execute!(
        tx,
        sqlx::query("update critics set avatar_name = $2, avatar_type = $3 where id = $1")
            .bind(critic)
            .bind(name)
            .bind(media_type)
    )?;
    Ok(())
}

/// Removes the critic's avatar.
pub async fn clear_avatar(tx: &mut Tx, critic: CriticId) -> Result<()> {
    let statement = "update critics set avatar_name = null, avatar_type = null where id = $1";
    execute!(tx, sqlx::query(statement).bind(critic))?;
    Ok(())
}

/// The fingerprint of the profile that was last sent to the followers.
pub async fn announced_fingerprint(tx: &mut Tx, critic: CriticId) -> Result<Option<String>> {
    with_tx!(tx, |c| sqlx::query_scalar("select announced_hash from critics where id = $1")
        .bind(critic)
        .fetch_one(c)
        .await)
}

/// Sets that fingerprint.
pub async fn set_announced_fingerprint(tx: &mut Tx, critic: CriticId, fingerprint: &str) -> Result<()> {
    let statement = "update critics set announced_hash = $2 where id = $1";
    execute!(tx, sqlx::query(statement).bind(critic).bind(fingerprint))?;
    Ok(())
}

/// Records that the critic has moved to another account. Returns false if it had moved before.
pub async fn set_moved_to(tx: &mut Tx, critic: CriticId, target: &url::Url) -> Result<bool> {
    let statement = "update critics set moved_to = $2 where id = $1 and moved_to is null";
    execute!(tx, sqlx::query(statement).bind(critic).bind(target.as_str())).map(|rows| rows == 1)
}
