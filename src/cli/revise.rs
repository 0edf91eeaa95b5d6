//! `marquee revise`: replace the contents of a review.

use std::path::{Path, PathBuf};

use super::arguments::require_review;
use super::open;
use super::output::print_line;
use super::review_file::read_review_file;
use crate::flows::revise;

#[derive(Debug, clap::Args)]
pub(super) struct ReviseArgs {
    /// Id, slug or URL of the review.
    review: String,
    /// The Markdown file.
    file: PathBuf,
}

pub(super) async fn run(config: &Path, args: ReviseArgs) -> anyhow::Result<()> {
    let app = open(config).await?;
    let review = require_review(&app, &args.review).await?;
    let (content, media) = read_review_file(&app, &args.file).await?;
    let review = revise::revise(&app, review.id, content, media).await?;
    print_line(&format!("Revised: {}", app.origin.review_page(&review)))
}
