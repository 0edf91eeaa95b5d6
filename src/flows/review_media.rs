//! The pictures of a draft come into our own folder before it is written down: its poster, those between its
//! paragraphs, and the stills of its trailers. From then on its body names ours alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::App;
use super::media::{self, MediaFile};
use crate::domain::review::{Media, ReviewContent};
use crate::domain::time::Timestamp;
use crate::net::client::GetRequest;
use crate::sources::html::{self, LocalPicture, MAX_PICTURES, PictureAction, PictureSlot, trailer};
use crate::store::Tx;

/// Trailers of one body that get a still.
const MOST_TRAILERS: usize = 4;

/// Pictures of one body that are asked for at a time.
const AT_A_TIME: usize = 4;

/// All pictures of one body together, in bytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// No body waits longer for its pictures.
const LONGEST: Duration = Duration::from_mins(1);

/// What a site says about a film that it plays, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The pictures of a draft, whose files are in the folder already.
#[derive(Debug, Default)]
pub struct ReviewMedia {
    poster: Option<MediaFile>,
    /// Those of the body, each once, by where they came from.
    body: BTreeMap<String, MediaFile>,
    missing: Vec<MissingMedia>,
}

/// A picture that could not be had.
#[derive(Debug)]
pub struct MissingMedia {
    /// Whether it would be the poster.
    pub is_poster: bool,
    /// Where it should be.
    pub url: String,
    /// What was wrong.
    pub error: anyhow::Error,
}

impl ReviewMedia {
    /// What could not be had.
    pub fn missing(&self) -> &[MissingMedia] {
        &self.missing
    }

    /// The same, where none is missing.
    ///
    /// # Errors
    /// The first that is.
    pub fn require_complete(mut self) -> anyhow::Result<Self> {
        match self.missing.pop() {
            None => Ok(self),
            Some(MissingMedia { is_poster, url, error: why }) => {
                Err(why.context(format!("{}: {url}", if is_poster { "poster" } else { "picture" })))
            }
        }
    }

    /// The name of the poster.
    pub(super) fn poster(&self) -> Option<&str> {
        self.poster.as_ref().map(MediaFile::name)
    }

    /// Writes them down; gives the poster.
    pub(super) async fn save(self, tx: &mut Tx, now: Timestamp) -> anyhow::Result<Option<Media>> {
        let mut poster = None;
        let posters = self.poster.into_iter().map(|picture| (true, picture));
        let mut all: Vec<_> =
            self.body.into_values().map(|picture| (false, picture)).chain(posters).collect();
        // In one order everywhere, so that no two wait for each other.
        all.sort_by(|(_, a), (_, b)| a.name().cmp(b.name()));
        for (is_poster, picture) in all {
            let media = picture.save(tx, now).await?;
            poster = poster.or(Some(media).filter(|_| is_poster));
        }
        Ok(poster)
    }
}

/// Fetches the pictures of a draft, and makes its body name ours; those that cannot be had are left out. Files are
/// taken from `folder` alone.
pub async fn fetch_review_media(app: &App, draft: &mut ReviewContent, folder: Option<&Path>) -> ReviewMedia {
    let mut pictures = ReviewMedia::default();
    if let Some(poster) = &draft.poster {
        match media::fetch_media(app, &poster.url, folder).await {
            Ok(picture) => pictures.poster = Some(picture),
            Err(why) => pictures.miss(true, poster.url.to_string(), why),
        }
    }
    let mut placed = BTreeMap::new();
    for (wanted, picture) in fetch_all(app, wanted(&draft.body), folder).await {
        match picture {
            // What was told of its size can be wrong, or nothing.
            Ok(picture) if is_ornament(picture.media()) => {}
            Ok(picture) => {
                placed.insert(wanted, picture.media().clone());
                pictures.body.insert(picture.media().source.clone(), picture);
            }
            // A trailer is a link without its still.
            Err(why) if wanted.is_trailer => {
                tracing::info!(page = wanted.url, error = format!("{why:#}"), "a trailer has no still");
            }
            Err(why) => pictures.miss(false, wanted.url, why),
        }
    }
    draft.body = html::replace_pictures(&draft.body, |place| match placed.get(&Wanted::of(place)) {
        Some(media) => PictureAction::Show(LocalPicture {
            url: app.origin.media_url(media),
            width: media.width,
            height: media.height,
        }),
        None => PictureAction::Remove,
    });
    pictures
}

/// The body without pictures that are not ours, whoever made the draft: no reader's browser asks a third party.
pub(super) fn strip_remote_images(app: &App, body: &str) -> String {
    let ours = app.origin.url("/media/");
    html::replace_pictures(body, |place| match place {
        PictureSlot::Picture(src) if !src.starts_with(ours.as_str()) => PictureAction::Remove,
        _ => PictureAction::Keep,
    })
}

impl ReviewMedia {
    fn miss(&mut self, is_poster: bool, url: String, why: anyhow::Error) {
        tracing::warn!(url, error = format!("{why:#}"), is_poster, "picture left out");
        self.missing.push(MissingMedia { is_poster, url, error: why });
    }
}

fn is_ornament(media: &Media) -> bool {
    media.width.min(media.height) < html::MIN_PICTURE_PIXELS
}

/// A place that wants a picture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    is_trailer: bool,
    /// The address of the picture, or of the trailer's page.
    url: String,
}

impl Wanted {
    fn of(place: PictureSlot<'_>) -> Self {
        match place {
            PictureSlot::Picture(url) => Self { is_trailer: false, url: url.to_owned() },
            PictureSlot::Trailer(url) => Self { is_trailer: true, url: url.to_owned() },
        }
    }
}

/// What a body wants, each once, and no more of it than we ask for.
fn wanted(body: &str) -> BTreeSet<Wanted> {
    let mut wanted = BTreeSet::new();
    html::replace_pictures(body, |place| {
        let place = Wanted::of(place);
        let most = if place.is_trailer { MOST_TRAILERS } else { MAX_PICTURES };
        let so_far = wanted.iter().filter(|known: &&Wanted| known.is_trailer == place.is_trailer).count();
        if so_far < most {
            wanted.insert(place);
        }
        PictureAction::Keep
    });
    wanted
}

async fn fetch_all(
    app: &App,
    wanted: BTreeSet<Wanted>,
    folder: Option<&Path>,
) -> Vec<(Wanted, anyhow::Result<MediaFile>)> {
    let until = Instant::now() + LONGEST;
    let room = std::sync::Arc::new(AtomicUsize::new(MOST_BYTES));
    let fetches: Vec<_> = wanted
        .into_iter()
        .map(|wanted| {
            let (app, room, folder) = (app.clone(), room.clone(), folder.map(Path::to_owned));
            async move {
                let fetched = timeout_at(until, fetch(&app, &wanted, folder, &room)).await;
                let fetched = fetched.unwrap_or_else(|_| Err(anyhow::anyhow!("its review takes too long")));
                (wanted, fetched)
            }
        })
        .collect();
    futures_util::stream::iter(fetches).buffered(AT_A_TIME).collect().await
}

async fn fetch(
    app: &App,
    wanted: &Wanted,
    folder: Option<PathBuf>,
    room: &AtomicUsize,
) -> anyhow::Result<MediaFile> {
    const FULL: &str = "all pictures of its review together are too large";
    ensure!(room.load(Ordering::Relaxed) > 0, FULL);
    let url = Url::parse(&wanted.url).context("its address is not a URL")?;
    let picture = if wanted.is_trailer {
        media::fetch_media(app, &still_of(app, &url).await?, None).await?
    } else {
        media::fetch_media(app, &url, folder.as_deref()).await?
    };
    let taken =
        room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(picture.size()));
    if taken.is_err() {
        // What comes after it is not asked for.
        room.store(0, Ordering::Relaxed);
        anyhow::bail!(FULL);
    }
    Ok(picture)
}

/// Where the still of a trailer is, as the site says that plays it.
async fn still_of(app: &App, page: &Url) -> anyhow::Result<Url> {
    let place = trailer::oembed_url(page).context("nobody tells about it")?;
    let told = app.http.get(GetRequest::new(&place, "application/json", LONGEST_ANSWER)).await?;
    ensure!(told.status.is_success(), "{place} answered {}", told.status);
    trailer::thumbnail_url(&told.body, page).context("no still is named")
}
