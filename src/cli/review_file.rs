//! Reviews in Markdown files.

use std::path::Path;

use anyhow::{Context, bail};
use url::Url;

use crate::domain::review::{Review, ReviewContent};
use crate::flows::review_media::{ReviewMedia, TOTAL_TIMEOUT, fetch_review_media};
use crate::flows::{App, revise};
use crate::sources::review_markdown::{self, MarkdownContext};

/// What the site says about values that a file leaves open.
pub(super) fn markdown_context<'a>(app: &'a App, base: &'a Url) -> MarkdownContext<'a> {
    MarkdownContext { base, zone: &app.site.timezone, rating_scale: app.site.rating_scale }
}

/// Reads a review and its images from a file. If it replaces a review, that one's poster is not fetched again.
///
/// # Errors
/// If it is not a review, is not public, or refers to an image that cannot be read.
pub(super) async fn read_review_file(
    app: &App,
    file: &Path,
    replaced: Option<&Review>,
) -> anyhow::Result<(ReviewContent, ReviewMedia)> {
    let path = std::fs::canonicalize(file).with_context(|| format!("could not read {}", file.display()))?;
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", file.display()))?;
    let read = read_review_text(app, &text, &path, replaced).await;
    read.with_context(|| file.display().to_string())
}

/// Reads a review and its images from a text that is, or could be, in the file at `path`.
///
/// # Errors
/// See [`read_review_file`].
pub(super) async fn read_review_text(
    app: &App,
    text: &str,
    path: &Path,
    replaced: Option<&Review>,
) -> anyhow::Result<(ReviewContent, ReviewMedia)> {
    let base = Url::from_file_path(path).ok().context("the path is not absolute")?;
    let parsed = review_markdown::parse(text, &markdown_context(app, &base))?;
    if let Some(reason) = parsed.not_public {
        bail!(
            "{reason} says that this review is not public, so nothing was done; remove the line to publish it"
        );
    }
    let mut content = parsed.content;
    let kept = replaced.and_then(|review| revise::kept_poster(app, review, &content));
    if kept.is_some() {
        content.poster = None;
    }
    let media = fetch_review_media(app, &mut content, path.parent(), TOTAL_TIMEOUT).await;
    if kept.is_some() {
        content.poster = kept;
    }
    // A missing image is an error here: unlike a feed, the file is in the author's hands.
    Ok((content, media.require_complete()?))
}

/// A review in the form that `marquee revise` takes.
pub(super) fn to_markdown(app: &App, review: &Review) -> String {
    // The file of a local poster may be anywhere, so the review refers to the copy.
    let declared = review.content.poster.as_ref().filter(|poster| poster.url.scheme() == "file");
    let poster = declared.and(review.poster.as_ref()).map(|media| app.origin.media_url(media));
    if revise::is_poster_shown(review) {
        review_markdown::write(&review.content, poster.as_ref())
    } else {
        review_markdown::write(&ReviewContent { poster: None, ..review.content.clone() }, None)
    }
}
