//! Reviews in Markdown files.

use std::path::Path;

use anyhow::Context;
use url::Url;

use crate::domain::review::ReviewContent;
use crate::flows::App;
use crate::flows::review_media::{self, ReviewMedia};
use crate::sources::review_markdown;

pub(super) async fn read_review_file(app: &App, file: &Path) -> anyhow::Result<(ReviewContent, ReviewMedia)> {
    let path = std::fs::canonicalize(file).with_context(|| format!("could not read {}", file.display()))?;
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", file.display()))?;
    let base = Url::from_file_path(&path).ok().context("the path is not absolute")?;
    let mut content = review_markdown::parse(&text, &base, &app.site.timezone)
        .with_context(|| file.display().to_string())?;
    let media = review_media::fetch_review_media(app, &mut content, path.parent()).await;
    // A missing image is an error here: unlike a feed, the file is in the author's hands.
    let media = media.require_complete().with_context(|| file.display().to_string())?;
    Ok((content, media))
}
