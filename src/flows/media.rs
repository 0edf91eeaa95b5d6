//! Pictures come into our own folder, so that no reader's browser asks a third party.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::App;
use crate::domain::hash::sha256_hex;
use crate::domain::id::{CriticId, MediaId};
use crate::domain::review::Media;
use crate::domain::time::Timestamp;
use crate::net::client::GetRequest;
use crate::store::{Tx, avatars, critics, media};

/// The largest picture that is taken.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The largest picture of somebody who comments.
const MOST_AVATAR: usize = 512 * 1024;

/// No picture of a page is wider or higher.
const MOST_PIXELS: usize = 12_000;

/// A picture whose file is in the folder already.
#[derive(Debug, Clone)]
pub struct MediaFile {
    media: Media,
    /// Its content, and where its file is: another may remove the file before the picture is written down.
    bytes: Bytes,
    folder: Arc<dyn ObjectStore>,
}

/// Whoever writes a picture of that name down, or removes it, is alone until the transaction ends.
pub(super) async fn lock_name(tx: &mut Tx, name: &str) -> crate::store::Result<()> {
    tx.lock(&format!("picture {name}")).await
}

impl MediaFile {
    /// What is known of it.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Its name under `/media/`, which tells its content.
    pub(super) fn name(&self) -> &str {
        &self.media.name
    }

    /// Writes it down as the critic's avatar.
    pub async fn set_as_avatar(self, tx: &mut Tx, critic: CriticId, now: Timestamp) -> anyhow::Result<()> {
        let media = self.save(tx, now).await?;
        critics::set_avatar(tx, critic, &media.name, &media.media_type).await?;
        Ok(())
    }

    /// Writes it down; its file is there when this ends.
    pub(super) async fn save(self, tx: &mut Tx, now: Timestamp) -> anyhow::Result<Media> {
        lock_name(tx, &self.media.name).await?;
        let id = media::upsert(tx, &self.media, now).await?;
        let place = StorePath::from(self.media.name.as_str());
        if self.folder.head(&place).await.is_err() {
            self.folder.put(&place, self.bytes.into()).await.context("it cannot be stored")?;
        }
        Ok(Media { id, ..self.media })
    }
}

/// Takes a picture from its source into our folder; a file from `folder` alone.
pub async fn fetch_media(app: &App, source: &url::Url, folder: Option<&Path>) -> anyhow::Result<MediaFile> {
    if let Some(known) = media::find_by_source(&app.db, source.as_str()).await?
        && source.scheme() != "file"
        && let Ok(file) = app.media_store.get(&StorePath::from(known.name.as_str())).await
        && let Ok(bytes) = file.bytes().await
    {
        return Ok(MediaFile { media: known, bytes, folder: Arc::clone(&app.media_store) });
    }
    let bytes = if source.scheme() == "file" {
        read_file(source, folder.context("a file, where only the web is read")?).await?
    } else {
        download(app, source, MOST_BYTES).await?
    };
    keep(app, source, bytes).await
}

/// Takes the picture of somebody who comments, which is small. What was taken before is asked for again, since it
/// may have changed.
pub(super) async fn fetch_avatar(app: &App, source: &url::Url) -> anyhow::Result<MediaFile> {
    let bytes = download(app, source, MOST_AVATAR).await?;
    let mut picture = keep(app, source, bytes).await?;
    picture.media.source = avatars::media_source(&picture.media.name);
    Ok(picture)
}

async fn download(app: &App, source: &url::Url, most: usize) -> anyhow::Result<Vec<u8>> {
    let accept = "image/png, image/jpeg, image/webp, image/gif";
    let fetched = app.http.get(GetRequest::new(source, accept, most)).await?;
    ensure!(fetched.status.is_success(), "answered {}", fetched.status);
    Ok(fetched.body.to_vec())
}

/// Puts a picture into our folder, under a name that tells its content.
async fn keep(app: &App, source: &url::Url, bytes: Vec<u8>) -> anyhow::Result<MediaFile> {
    let (ending, media_type) = kind(&bytes).context("neither PNG, JPEG, WebP nor GIF")?;
    let size = imagesize::blob_size(&bytes).context("its size cannot be read")?;
    ensure!(size.width.max(size.height) <= MOST_PIXELS, "it is larger than {MOST_PIXELS} pixels");
    let name = format!("{}.{ending}", sha256_hex(&bytes));
    let place = StorePath::from(name.as_str());
    let bytes = Bytes::from(bytes);
    app.media_store.put(&place, bytes.clone().into()).await.context("it cannot be stored")?;
    let media = Media {
        id: MediaId::new(app.clock.now()),
        name,
        media_type: media_type.to_owned(),
        width: u32::try_from(size.width)?,
        height: u32::try_from(size.height)?,
        source: source.to_string(),
    };
    Ok(MediaFile { media, bytes, folder: Arc::clone(&app.media_store) })
}

async fn read_file(source: &url::Url, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let path = source.to_file_path().ok().context("not a path")?;
    // The real places, so that neither `..` nor a link leads out of the folder.
    let path = tokio::fs::canonicalize(path).await?;
    let folder = tokio::fs::canonicalize(folder).await?;
    ensure!(path.starts_with(&folder), "it lies outside the feed's folder");
    let size = tokio::fs::metadata(&path).await?.len();
    ensure!(size <= MOST_BYTES as u64, "it is larger than {MOST_BYTES} bytes");
    Ok(tokio::fs::read(path).await?)
}

/// The ending and the type of a picture, by what it is and not by what its source calls it.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    use imagesize::ImageType;
    match imagesize::image_type(bytes).ok()? {
        ImageType::Png => Some(("png", "image/png")),
        ImageType::Jpeg => Some(("jpg", "image/jpeg")),
        ImageType::Webp => Some(("webp", "image/webp")),
        ImageType::Gif => Some(("gif", "image/gif")),
        _ => None,
    }
}
