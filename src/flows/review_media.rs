//! Stores the images of a review: its poster, the images of its body and the stills of its trailers. The body of a stored
//! review refers only to images of this site.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::App;
use super::media_file::{self, ImageError, MediaFile};
use crate::domain::review::{Media, Review, ReviewContent};
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::net::http_client::GetRequest;
use crate::sources::html::{self, ImageAction, ImageSlot, LocalImage, MAX_IMAGES, video_embed};
use crate::store::Tx;

/// Trailers of a body that get a still.
const MAX_TRAILERS: usize = 4;

/// Images of a body that are fetched at a time.
const MAX_PARALLEL_FETCHES: usize = 4;

/// Bytes of all images of a body together.
const MAX_TOTAL_BYTES: usize = 32 * 1024 * 1024;

/// Time for all images of a review together, if nothing waits for the review.
pub const TOTAL_TIMEOUT: Duration = Duration::from_mins(1);

/// Bytes of an oEmbed response about a trailer.
const MAX_OEMBED_BYTES: usize = 64 * 1024;

/// The images of a review, whose files are stored already.
#[derive(Debug, Default)]
pub struct ReviewMedia {
    poster: Option<MediaFile>,
    /// The images of the body, by their source URLs.
    body: BTreeMap<String, MediaFile>,
    missing: Vec<MissingMedia>,
    /// The body with the URLs of its images, if an image is missing that may be fetched later.
    pending_body: Option<String>,
}

/// An image that could not be fetched.
#[derive(Debug)]
struct MissingMedia {
    is_poster: bool,
    url: String,
    error: anyhow::Error,
    /// Whether a later attempt may succeed.
    is_temporary: bool,
}

impl ReviewMedia {
    /// Fails if an image is missing.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub fn require_complete(mut self) -> anyhow::Result<Self> {
        match self.missing.pop() {
            None => Ok(self),
            Some(MissingMedia { is_poster, url, error: why, .. }) => {
                let file = Url::parse(&url).ok().filter(|url| url.scheme() == "file");
                let path = file.and_then(|url| url.to_file_path().ok());
                let place = path.map_or_else(|| url.clone(), |path| path.display().to_string());
                Err(why.context(format!("{}: {place}", if is_poster { "poster" } else { "image" })))
            }
        }
    }

    /// The file name of the poster.
    pub(super) fn poster(&self) -> Option<&str> {
        self.poster.as_ref().map(MediaFile::name)
    }

    /// The body with the URLs of its images, if an image is missing that may be fetched later.
    pub(super) fn pending_body(&self) -> Option<&str> {
        self.pending_body.as_deref()
    }

    /// The names of its files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.poster.iter().chain(self.body.values()).map(MediaFile::name)
    }

    /// Whether a review would look different with these images and this body.
    pub(super) fn has_other_images(&self, review: &Review, body: &str) -> bool {
        let old = review.poster.as_ref().map(|poster| poster.name.as_str());
        review.content.body != body || self.poster().is_some_and(|poster| Some(poster) != old)
    }

    /// Log messages about images that could not be fetched; about those that may be fetched later only if they are given up.
    pub(super) fn describe_missing(&self, are_given_up: bool) -> Vec<String> {
        let missing = self.missing.iter().filter(|missing| are_given_up || !missing.is_temporary);
        let (posters, others): (Vec<_>, Vec<_>) = missing.partition(|missing| missing.is_poster);
        let poster = posters
            .first()
            .map(|missing| format!("could not fetch the poster, so the review has none: {}", missing.url));
        let first = others.first().map(|missing| match others.len() {
            1 => format!("could not fetch an image of the review: {}", missing.url),
            count => format!("could not fetch {count} images of the review, such as {}", missing.url),
        });
        poster.into_iter().chain(first).collect()
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

/// Fetches the images of a review within `time` and makes its body refer to the stored ones; images that cannot be fetched
/// are left out. Without time, only those that need no request are taken. `file:` URLs may only lead into `folder`.
pub async fn fetch_review_media(
    app: &App,
    content: &mut ReviewContent,
    folder: Option<&Path>,
    time: Duration,
) -> ReviewMedia {
    let budget =
        Budget { until: (!time.is_zero()).then(|| Instant::now() + time), bytes: MAX_TOTAL_BYTES.into() };
    let mut fetched = ReviewMedia::default();
    if let Some(poster) = &content.poster {
        match fetch_image(app, &poster.url, folder, &budget).await {
            Ok(image) => fetched.poster = Some(image),
            Err(why) => fetched.add_missing(true, poster.url.to_string(), why),
        }
    }
    let mut placed = BTreeMap::new();
    let mut is_still_pending = false;
    for (wanted, image) in fetch_all(app, wanted(&content.body), folder, &budget).await {
        match image {
            // The size that the source declares can be wrong or missing.
            Ok(image) if is_ornament(image.media()) => {}
            Ok(image) => {
                placed.insert(wanted, image.media().clone());
                fetched.body.insert(image.media().source.clone(), image);
            }
            // A trailer without a still is shown as a link.
            Err(why) if wanted.is_trailer => {
                is_still_pending |= media_file::is_temporary(&why);
                tracing::info!(
                    page = %Untrusted::new(&wanted.url),
                    error = ?Untrusted::chain(&why),
                    "could not fetch trailer still"
                );
            }
            Err(why) => fetched.add_missing(false, wanted.url, why),
        }
    }
    if is_still_pending || fetched.missing.iter().any(|missing| missing.is_temporary) {
        fetched.pending_body = Some(content.body.clone());
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
        let is_temporary = media_file::is_temporary(&why);
        if media_file::was_attempted(&why) {
            tracing::warn!(url = %Untrusted::new(&url), error = ?Untrusted::chain(&why), is_poster, is_temporary, "could not fetch image");
        }
        self.missing.push(MissingMedia { is_poster, url, error: why, is_temporary });
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

/// What the images of a review may still take.
struct Budget {
    /// Until when requests may run, if there may be any.
    until: Option<Instant>,
    /// The bytes that are left.
    bytes: AtomicUsize,
}

async fn fetch_all(
    app: &App,
    wanted: BTreeSet<ImageRef>,
    folder: Option<&Path>,
    budget: &Budget,
) -> Vec<(ImageRef, anyhow::Result<MediaFile>)> {
    let fetches: Vec<_> = wanted
        .into_iter()
        .map(|wanted| async move {
            let fetched = fetch(app, &wanted, folder, budget).await;
            (wanted, fetched)
        })
        .collect();
    futures_util::stream::iter(fetches).buffered(MAX_PARALLEL_FETCHES).collect().await
}

/// Fetches an image of a body, or the still of a trailer.
async fn fetch(
    app: &App,
    wanted: &ImageRef,
    folder: Option<&Path>,
    budget: &Budget,
) -> anyhow::Result<MediaFile> {
    const TOO_LARGE: &str = "the images of the review are too large in total";
    ensure!(budget.bytes.load(Ordering::Relaxed) > 0, TOO_LARGE);
    let url = Url::parse(&wanted.url).context("not a valid URL")?;
    let image = if wanted.is_trailer {
        let still = in_time(budget, fetch_still_url(app, &url)).await?;
        fetch_image(app, &still, None, budget).await?
    } else {
        fetch_image(app, &url, folder, budget).await?
    };
    let taken = budget
        .bytes
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |remaining| remaining.checked_sub(image.size()));
    if taken.is_err() {
        // Images that were not begun are not fetched.
        budget.bytes.store(0, Ordering::Relaxed);
        anyhow::bail!(TOO_LARGE);
    }
    Ok(image)
}

async fn fetch_image(
    app: &App,
    url: &Url,
    folder: Option<&Path>,
    budget: &Budget,
) -> anyhow::Result<MediaFile> {
    match media_file::find_media(app, url, folder).await? {
        Some(image) => Ok(image),
        None => in_time(budget, app.image_hosts.download(app, url)).await,
    }
}

async fn in_time<T>(budget: &Budget, request: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let until = budget.until.ok_or(ImageError::OutOfTime)?;
    timeout_at(until, request).await.map_err(|_| ImageError::OutOfTime)?
}

/// The URL of a trailer's still, from the oEmbed endpoint of its site.
async fn fetch_still_url(app: &App, page: &Url) -> anyhow::Result<Url> {
    let endpoint = video_embed::oembed_url(page).context("the site has no oEmbed endpoint")?;
    let response = app.http.get(GetRequest::new(&endpoint, "application/json", MAX_OEMBED_BYTES)).await?;
    ensure!(response.status.is_success(), "{endpoint} responded with {}", response.status);
    video_embed::thumbnail_url(&response.body, page).context("the oEmbed response has no thumbnail")
}
