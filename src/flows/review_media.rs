//! Stores the images of a review before the review is stored: its poster, the images of its body and the stills of its
//! trailers. From then on the body refers only to images of this site.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::App;
use super::media_file::{self, MediaFile};
use crate::domain::review::{Media, ReviewContent};
use crate::domain::time::Timestamp;
use crate::net::http_client::GetRequest;
use crate::sources::html::{self, ImageAction, ImageSlot, LocalImage, MAX_IMAGES, video_embed};
use crate::store::Tx;

/// Trailers of a body that get a still.
const MAX_TRAILERS: usize = 4;

/// Images of a body that are fetched at a time.
const MAX_PARALLEL_FETCHES: usize = 4;

/// Bytes of all images of a body together.
const MAX_TOTAL_BYTES: usize = 32 * 1024 * 1024;

/// Time for all images of a body together.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes of an oEmbed response about a trailer.
const MAX_OEMBED_BYTES: usize = 64 * 1024;

/// The images of a review, whose files are stored already.
#[derive(Debug, Default)]
pub struct ReviewMedia {
    poster: Option<MediaFile>,
    /// The images of the body, by their source URLs.
    body: BTreeMap<String, MediaFile>,
    missing: Vec<MissingMedia>,
}

/// An image that could not be fetched.
#[derive(Debug)]
pub struct MissingMedia {
    /// Whether it is the poster.
    pub is_poster: bool,
    /// Its URL.
    pub url: String,
    /// Why it could not be fetched.
    pub error: anyhow::Error,
}

impl ReviewMedia {
    /// The images that could not be fetched.
    pub fn missing(&self) -> &[MissingMedia] {
        &self.missing
    }

    /// Fails if an image is missing.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub fn require_complete(mut self) -> anyhow::Result<Self> {
        match self.missing.pop() {
            None => Ok(self),
            Some(MissingMedia { is_poster, url, error: why }) => {
                Err(why.context(format!("{}: {url}", if is_poster { "poster" } else { "image" })))
            }
        }
    }

    /// The file name of the poster.
    pub(super) fn poster(&self) -> Option<&str> {
        self.poster.as_ref().map(MediaFile::name)
    }

    /// Stores their rows; returns the poster.
    pub(super) async fn save(self, tx: &mut Tx, now: Timestamp) -> anyhow::Result<Option<Media>> {
        let mut poster = None;
        let posters = self.poster.into_iter().map(|image| (true, image));
        let mut all: Vec<_> = self.body.into_values().map(|image| (false, image)).chain(posters).collect();
        // Names are locked in one order everywhere, so that no two transactions wait for each other.
        all.sort_by(|(_, a), (_, b)| a.name().cmp(b.name()));
        for (is_poster, image) in all {
            let media = image.save(tx, now).await?;
            poster = poster.or(Some(media).filter(|_| is_poster));
        }
        Ok(poster)
    }
}

/// Fetches the images of a review and makes its body refer to the stored ones; images that cannot be fetched are left
/// out. `file:` URLs may only lead into `folder`.
pub async fn fetch_review_media(
    app: &App,
    content: &mut ReviewContent,
    folder: Option<&Path>,
) -> ReviewMedia {
    let mut fetched = ReviewMedia::default();
    if let Some(poster) = &content.poster {
        match media_file::fetch_media(app, &poster.url, folder).await {
            Ok(image) => fetched.poster = Some(image),
            Err(why) => fetched.add_missing(true, poster.url.to_string(), why),
        }
    }
    let mut placed = BTreeMap::new();
    for (wanted, image) in fetch_all(app, wanted(&content.body), folder).await {
        match image {
            // The size that the source declares can be wrong or missing.
            Ok(image) if is_ornament(image.media()) => {}
            Ok(image) => {
                placed.insert(wanted, image.media().clone());
                fetched.body.insert(image.media().source.clone(), image);
            }
            // A trailer without a still is shown as a link.
            Err(why) if wanted.is_trailer => {
                tracing::info!(
                    page = wanted.url,
                    error = format!("{why:#}"),
                    "could not fetch trailer still"
                );
            }
            Err(why) => fetched.add_missing(false, wanted.url, why),
        }
    }
    content.body = html::replace_images(&content.body, |slot| match placed.get(&ImageRef::from_slot(slot)) {
        Some(media) => ImageAction::Show(LocalImage {
            url: app.origin.media_url(media),
            width: media.width,
            height: media.height,
        }),
        None => ImageAction::Remove,
    });
    fetched
}

/// Removes images of other sites from a body: a reader's browser must never fetch from a third party.
pub(super) fn strip_remote_images(app: &App, body: &str) -> String {
    let ours = app.origin.url("/media/");
    html::replace_images(body, |slot| match slot {
        ImageSlot::Image(src) if !src.starts_with(ours.as_str()) => ImageAction::Remove,
        _ => ImageAction::Keep,
    })
}

impl ReviewMedia {
    fn add_missing(&mut self, is_poster: bool, url: String, why: anyhow::Error) {
        tracing::warn!(url, error = format!("{why:#}"), is_poster, "could not fetch image");
        self.missing.push(MissingMedia { is_poster, url, error: why });
    }
}

fn is_ornament(media: &Media) -> bool {
    media.width.min(media.height) < html::MIN_IMAGE_PIXELS
}

/// An image that a body refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ImageRef {
    is_trailer: bool,
    /// The URL of the image or of the trailer's page.
    url: String,
}

impl ImageRef {
    fn from_slot(slot: ImageSlot<'_>) -> Self {
        match slot {
            ImageSlot::Image(url) => Self { is_trailer: false, url: url.to_owned() },
            ImageSlot::Trailer(url) => Self { is_trailer: true, url: url.to_owned() },
        }
    }
}

/// The images of a body that are fetched, each once.
fn wanted(body: &str) -> BTreeSet<ImageRef> {
    let mut wanted = BTreeSet::new();
    html::replace_images(body, |slot| {
        let image = ImageRef::from_slot(slot);
        let limit = if image.is_trailer { MAX_TRAILERS } else { MAX_IMAGES };
        let so_far = wanted.iter().filter(|known: &&ImageRef| known.is_trailer == image.is_trailer).count();
        if so_far < limit {
            wanted.insert(image);
        }
        ImageAction::Keep
    });
    wanted
}

async fn fetch_all(
    app: &App,
    wanted: BTreeSet<ImageRef>,
    folder: Option<&Path>,
) -> Vec<(ImageRef, anyhow::Result<MediaFile>)> {
    let until = Instant::now() + TOTAL_TIMEOUT;
    let remaining = std::sync::Arc::new(AtomicUsize::new(MAX_TOTAL_BYTES));
    let fetches: Vec<_> = wanted
        .into_iter()
        .map(|wanted| {
            let (app, remaining, folder) = (app.clone(), remaining.clone(), folder.map(Path::to_owned));
            async move {
                let fetched = timeout_at(until, fetch(&app, &wanted, folder, &remaining)).await;
                let fetched = fetched.unwrap_or_else(|_| {
                    Err(anyhow::anyhow!("fetching the images of the review took too long"))
                });
                (wanted, fetched)
            }
        })
        .collect();
    futures_util::stream::iter(fetches).buffered(MAX_PARALLEL_FETCHES).collect().await
}

async fn fetch(
    app: &App,
    wanted: &ImageRef,
    folder: Option<PathBuf>,
    remaining: &AtomicUsize,
) -> anyhow::Result<MediaFile> {
    const TOO_LARGE: &str = "the images of the review are too large in total";
    ensure!(remaining.load(Ordering::Relaxed) > 0, TOO_LARGE);
    let url = Url::parse(&wanted.url).context("not a valid URL")?;
    let image = if wanted.is_trailer {
        media_file::fetch_media(app, &fetch_still_url(app, &url).await?, None).await?
    } else {
        media_file::fetch_media(app, &url, folder.as_deref()).await?
    };
    let taken = remaining
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |remaining| remaining.checked_sub(image.size()));
    if taken.is_err() {
        // Images that were not begun are not fetched.
        remaining.store(0, Ordering::Relaxed);
        anyhow::bail!(TOO_LARGE);
    }
    Ok(image)
}

/// The URL of a trailer's still, from the oEmbed endpoint of its site.
async fn fetch_still_url(app: &App, page: &Url) -> anyhow::Result<Url> {
    let endpoint = video_embed::oembed_url(page).context("the site has no oEmbed endpoint")?;
    let response = app.http.get(GetRequest::new(&endpoint, "application/json", MAX_OEMBED_BYTES)).await?;
    ensure!(response.status.is_success(), "{endpoint} responded with {}", response.status);
    video_embed::thumbnail_url(&response.body, page).context("the oEmbed response has no thumbnail")
}
