//! Reviews in Markdown files.

use std::path::Path;

use anyhow::{Context, bail};
use url::Url;

use crate::domain::review::ReviewContent;
use crate::flows::App;
use crate::flows::review_media::{self, ReviewMedia};
use crate::sources::review_markdown::{self, MarkdownContext};

/// What the site says about values that a file leaves open.
pub(super) fn markdown_context<'a>(app: &'a App, base: &'a Url) -> MarkdownContext<'a> {
    MarkdownContext { base, zone: &app.site.timezone, rating_scale: app.site.rating_scale }
}

/// Reads a review and its images from a file.
///
/// # Errors
/// If it is not a review, is not public, or refers to an image that cannot be read.
pub(super) async fn read_review_file(app: &App, file: &Path) -> anyhow::Result<(ReviewContent, ReviewMedia)> {
    let path = std::fs::canonicalize(file).with_context(|| format!("could not read {}", file.display()))?;
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", file.display()))?;
    let base = Url::from_file_path(&path).ok().context("the path is not absolute")?;
    let parsed = review_markdown::parse(&text, &markdown_context(app, &base))
        .with_context(|| file.display().to_string())?;
    if let Some(reason) = parsed.not_public {
        bail!(
            "{}: {reason} says that this review is not public, so nothing was done; remove the line to publish it",
            file.display()
        );
    }
    let mut content = parsed.content;
    let media = review_media::fetch_review_media(app, &mut content, path.parent()).await;
    // A missing image is an error here: unlike a feed, the file is in the author's hands.
    let media = media.require_complete().with_context(|| file.display().to_string())?;
    Ok((content, media))
}
