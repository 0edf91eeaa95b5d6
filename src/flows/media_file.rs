//! Stores images under names that are hashes of their content, so that a reader's browser never fetches from a third
//! party.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use bytes::Bytes;
use http::StatusCode;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::App;
use super::local_file::read_regular_file;
use crate::domain::hash::sha256_hex;
use crate::domain::id::{CriticId, MediaId};
use crate::domain::review::Media;
use crate::domain::time::Timestamp;
use crate::net::NetError;
use crate::net::http_client::GetRequest;
use crate::store::{Tx, avatars, critics, media};

/// Bytes of an image.
const MAX_IMAGE_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of an avatar.
pub(super) const MAX_AVATAR_BYTES: usize = 512 * 1024;

/// Width and height of an image.
const MAX_PIXELS: usize = 12_000;

/// An image whose file is stored already, and whose row is not.
#[derive(Debug, Clone)]
pub struct MediaFile {
    media: Media,
    size: usize,
    /// Its content, unless the image was stored before: an archive refers to thousands. Another transaction may delete the file
    /// before the row is stored; then the file is written again.
    bytes: Option<Bytes>,
    folder: Arc<dyn ObjectStore>,
}

/// Why an image could not be fetched, apart from [`NetError`] and what is wrong with the image itself.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum ImageError {
    /// Its server did not send it.
    #[error("the server responded with {0}")]
    Status(StatusCode),
    /// Its server did not respond a short time ago.
    #[error("the server did not respond; it is asked again at {until}")]
    HostPaused {
        /// Until when it is left alone.
        until: Timestamp,
    },
    /// There was no time left for this image.
    #[error("fetching the images of the review took too long")]
    OutOfTime,
}

/// Whether an attempt was made at all.
pub(super) fn was_attempted(error: &anyhow::Error) -> bool {
    !matches!(error.downcast_ref(), Some(ImageError::HostPaused { .. } | ImageError::OutOfTime))
}

/// Whether a later attempt may succeed.
pub(super) fn is_temporary(error: &anyhow::Error) -> bool {
    use NetError::{Connect, Dns, InvalidResponse, Timeout, Tls};
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(ImageError::Status(status)), _) => {
            status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
        }
        (Some(ImageError::HostPaused { .. } | ImageError::OutOfTime), _) => true,
        (None, net) => matches!(net, Some(Dns | Connect | Tls | Timeout | InvalidResponse)),
    }
}

/// Locks an image name until the transaction ends, so that no other transaction stores or deletes that image.
pub(super) async fn lock_name(tx: &mut Tx, name: &str) -> crate::store::Result<()> {
    tx.lock(&format!("image {name}")).await
}

impl MediaFile {
    /// Its metadata.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Its name under `/media/`, the hash of its content.
    pub(super) fn name(&self) -> &str {
        &self.media.name
    }

    /// Stores it as the critic's avatar.
    pub async fn set_as_avatar(self, tx: &mut Tx, critic: CriticId, now: Timestamp) -> anyhow::Result<()> {
        let media = self.save(tx, now).await?;
        critics::set_avatar(tx, critic, &media.name, &media.media_type).await?;
        Ok(())
    }

    /// Stores its row, and its file if that has been deleted since.
    pub(super) async fn save(self, tx: &mut Tx, now: Timestamp) -> anyhow::Result<Media> {
        lock_name(tx, &self.media.name).await?;
        let id = media::upsert(tx, &self.media, now).await?;
        let path = StorePath::from(self.media.name.as_str());
        if self.folder.head(&path).await.is_err() {
            let bytes = self.bytes.context("the image was deleted meanwhile")?;
            self.folder.put(&path, bytes.into()).await.context("could not store the image")?;
        }
        Ok(Media { id, ..self.media })
    }
}

/// Fetches an image and stores its file. A `file:` URL may only lead into `folder`.
pub(super) async fn fetch_media(
    app: &App,
    source: &url::Url,
    folder: Option<&Path>,
) -> anyhow::Result<MediaFile> {
    match find_media(app, source, folder).await? {
        Some(image) => Ok(image),
        None => download_media(app, source).await,
    }
}

/// Finds an image that can be had without a request: one that is stored already, or a local file, which may only be in
/// `folder`.
pub(super) async fn find_media(
    app: &App,
    source: &url::Url,
    folder: Option<&Path>,
) -> anyhow::Result<Option<MediaFile>> {
    if source.scheme() == "file" {
        let folder = folder.context("local files are not allowed here; use a URL")?;
        return Ok(Some(store_file(app, source, read_file(source, folder).await?).await?));
    }
    if let Some(known) = media::find_by_source(&app.db, source.as_str()).await?
        && let Ok(stored) = stored_file(app, known).await
    {
        return Ok(Some(stored));
    }
    let name = source.as_str().strip_prefix(app.origin.url("/media/").as_str());
    if let Some(name) = name
        && let Some(known) = media::find_by_name(&app.db, name).await?
    {
        // One of our own copies, in a review that is revised.
        return Ok(Some(stored_file(app, known).await?));
    }
    Ok(None)
}

/// An image that is stored, if its file is still there.
async fn stored_file(app: &App, media: Media) -> anyhow::Result<MediaFile> {
    let file = app.media_store.head(&StorePath::from(media.name.as_str())).await?;
    let size = usize::try_from(file.size)?;
    Ok(MediaFile { media, size, bytes: None, folder: Arc::clone(&app.media_store) })
}

/// Downloads an image and stores its file.
pub(super) async fn download_media(app: &App, source: &url::Url) -> anyhow::Result<MediaFile> {
    store_file(app, source, download(app, source, MAX_IMAGE_BYTES).await?).await
}

/// Fetches an avatar, which must be small, and stores its file. It is fetched even if it is stored, since it may have
/// changed.
pub(super) async fn fetch_avatar(app: &App, source: &url::Url) -> anyhow::Result<MediaFile> {
    let bytes = download(app, source, MAX_AVATAR_BYTES).await?;
    let mut image = store_file(app, source, bytes).await?;
    image.media.source = avatars::media_source(&image.media.name);
    Ok(image)
}

async fn download(app: &App, source: &url::Url, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let accept = "image/png, image/jpeg, image/webp, image/gif";
    let fetched = app.http.get(GetRequest::new(source, accept, max_bytes)).await?;
    ensure!(fetched.status.is_success(), ImageError::Status(fetched.status));
    Ok(fetched.body.to_vec())
}

/// Stores the file of an image under the hash of its content.
async fn store_file(app: &App, source: &url::Url, bytes: Vec<u8>) -> anyhow::Result<MediaFile> {
    let (ending, media_type) =
        image_type(&bytes).context("the image is not in PNG, JPEG, WebP or GIF format")?;
    let size = imagesize::blob_size(&bytes).context("could not read the dimensions of the image")?;
    ensure!(
        size.width.max(size.height) <= MAX_PIXELS,
        "the image is wider or taller than {MAX_PIXELS} pixels"
    );
    let name = format!("{}.{ending}", sha256_hex(&bytes));
    let path = StorePath::from(name.as_str());
    let bytes = Bytes::from(bytes);
    app.media_store.put(&path, bytes.clone().into()).await.context("could not store the image")?;
    let media = Media {
        id: MediaId::new(app.clock.now()),
        name,
        media_type: media_type.to_owned(),
        width: u32::try_from(size.width)?,
        height: u32::try_from(size.height)?,
        source: source.to_string(),
    };
    Ok(MediaFile { media, size: bytes.len(), bytes: Some(bytes), folder: Arc::clone(&app.media_store) })
}

async fn read_file(source: &url::Url, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let path = source.to_file_path().ok().context("not a file path")?;
    // Resolved paths are compared, so that neither `..` nor a link leads out of the folder.
    let path = tokio::fs::canonicalize(path).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("there is no such file"),
        _ => error.into(),
    })?;
    let folder = tokio::fs::canonicalize(folder).await?;
    ensure!(path.starts_with(&folder), "the file is outside the feed's folder");
    read_regular_file(&path, MAX_IMAGE_BYTES).await
}

/// The extension and media type of an image, by its content and not by what its source declares.
fn image_type(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    use imagesize::ImageType;
    match imagesize::image_type(bytes).ok()? {
        ImageType::Png => Some(("png", "image/png")),
        ImageType::Jpeg => Some(("jpg", "image/jpeg")),
        ImageType::Webp => Some(("webp", "image/webp")),
        ImageType::Gif => Some(("gif", "image/gif")),
        _ => None,
    }
}
