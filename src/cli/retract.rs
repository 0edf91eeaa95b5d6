//! `marquee retract`: retract a review permanently.

use std::path::Path;

use super::arguments::require_review;
use super::open;
use super::output::print_line;
use crate::flows::retract;

#[derive(Debug, clap::Args)]
pub(super) struct RetractArgs {
    /// Id, slug or URL of the review.
    review: String,
}

pub(super) async fn run(config: &Path, args: RetractArgs) -> anyhow::Result<()> {
    let app = open(config).await?;
    let review = require_review(&app, &args.review).await?;
    let review = retract::retract(&app, review.id).await?;
    print_line(&format!("Retracted: {}", app.origin.review_page(&review)))
}
