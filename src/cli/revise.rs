//! `marquee revise`: replace the contents of a review.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::arguments::require_review;
use super::open;
use super::output::print_line;
use super::review_file::{read_review_file, read_review_text};
use crate::domain::review::Review;
use crate::flows::{App, revise};

/// Bytes of a review that are read from standard input.
const MAX_BYTES: u64 = 4_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct ReviseArgs {
    /// Id, slug or URL of the review.
    review: String,
    /// The Markdown file, or `-` for standard input.
    file: PathBuf,
}

pub(super) async fn run(config: &Path, args: ReviseArgs) -> anyhow::Result<()> {
    let app = open(config).await?;
    let review = require_review(&app, &args.review).await?;
    let revised = if args.file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .context("could not read standard input")?;
        revise_from_text(&app, &review, &text).await?
    } else {
        let (content, media) = read_review_file(&app, &args.file, Some(&review)).await?;
        revise::revise(&app, review.id, content, media).await?
    };
    print_revision(&app, &review, revised.as_ref())
}

/// Revises a review by a text whose images are in the current folder.
pub(super) async fn revise_from_text(
    app: &App,
    review: &Review,
    text: &str,
) -> anyhow::Result<Option<Review>> {
    let folder = std::env::current_dir().context("the current folder does not exist")?;
    let (content, media) = read_review_text(app, text, &folder.join("review.md"), Some(review)).await?;
    revise::revise(app, review.id, content, media).await
}

/// Prints the result of a revision, which is `None` if nothing changed.
pub(super) fn print_revision(app: &App, before: &Review, revised: Option<&Review>) -> anyhow::Result<()> {
    match revised {
        Some(review) => print_line(&format!("Revised: {}", app.origin.review_page(review))),
        None => print_line(&format!("Nothing changed: {}", app.origin.review_page(before))),
    }
}
