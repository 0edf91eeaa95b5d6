//! Files in the media folder.

use sqlx::FromRow;

use super::column_types::to_unsigned;
use super::{Db, Result, Tx, with_db, with_tx};
use crate::domain::id::MediaId;
use crate::domain::review::Media;
use crate::domain::time::Timestamp;

#[derive(FromRow)]
struct MediaRow {
    id: MediaId,
    name: String,
    media_type: String,
    width: i64,
    height: i64,
    source: String,
}

impl MediaRow {
    fn media(self) -> Media {
        Media {
            id: self.id,
            name: self.name,
            media_type: self.media_type,
            width: u32::try_from(to_unsigned(self.width)).unwrap_or(0),
            height: u32::try_from(to_unsigned(self.height)).unwrap_or(0),
            source: self.source,
        }
    }
}

/// Finds a file by its source.
pub async fn find_by_source(db: &Db, source: &str) -> Result<Option<Media>> {
    let row: Option<MediaRow> = with_db!(db, |c| sqlx::query_as("select * from media where source = $1")
        .bind(source)
        .fetch_optional(c)
        .await)?;
    Ok(row.map(MediaRow::media))
}

/// Finds a file by its name.
pub async fn find_by_name(db: &Db, name: &str) -> Result<Option<Media>> {
    let row: Option<MediaRow> =
        with_db!(db, |c| sqlx::query_as("select * from media where name = $1 order by id limit 1")
            .bind(name)
            .fetch_optional(c)
            .await)?;
    Ok(row.map(MediaRow::media))
}

/// Finds the media type of a file by its name.
pub async fn find_media_type(db: &Db, name: &str) -> Result<Option<String>> {
    with_db!(db, |c| sqlx::query_scalar("select media_type from media where name = $1 limit 1")
        .bind(name)
        .fetch_optional(c)
        .await)
}

/// Inserts or updates a file. Returns its id, which stays the same for the same source.
pub async fn upsert(tx: &mut Tx, media: &Media, now: Timestamp) -> Result<MediaId> {
    with_tx!(tx, |c| sqlx::query_scalar(
        "insert into media (id, name, media_type, width, height, source, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (source) do update set name = excluded.name, media_type = excluded.media_type,
            width = excluded.width, height = excluded.height
         returning id",
    )
    .bind(media.id)
    .bind(&media.name)
    .bind(&media.media_type)
    .bind(i64::from(media.width))
    .bind(i64::from(media.height))
    .bind(&media.source)
    .bind(now)
    .fetch_one(c)
    .await)
}
