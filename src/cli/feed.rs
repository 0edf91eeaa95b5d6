//! `marquee feed`: poll feeds, show what was decided about their entries, and release held reviews.

use std::path::Path;

use anyhow::bail;
use clap::Subcommand;

use super::arguments::require_review;
use super::output::print_line;
use super::{open, open_read_only};
use crate::domain::feed::Feed;
use crate::flows::{App, ingest, release};
use crate::store::{feed_log, feeds};

#[derive(Debug, Subcommand)]
pub(super) enum FeedCommand {
    /// Show the decision about each entry, and the reason.
    Log {
        /// Name of the feed [default: all feeds].
        name: Option<String>,
        /// Number of most recent lines to show.
        #[arg(long, default_value_t = 200)]
        lines: u32,
    },
    /// Poll feeds now, and show the decision about each new or changed entry.
    Poll {
        /// Name of the feed [default: all feeds].
        name: Option<String>,
    },
    /// Publish a review that is held as a suspected duplicate.
    Release {
        /// Id or slug of the review, as shown by `marquee feed log`.
        review: String,
    },
}

pub(super) async fn run(file: &Path, feed: FeedCommand) -> anyhow::Result<()> {
    match feed {
        FeedCommand::Log { name, lines } => {
            let app = open_read_only(file).await?;
            select_feeds(&app, name.as_deref()).await?;
            for line in feed_log::list_newest(&app.db, name.as_deref(), lines).await? {
                print_line(&line.to_string())?;
            }
            Ok(())
        }
        FeedCommand::Poll { name } => poll_feeds(&open(file).await?, name.as_deref()).await,
        FeedCommand::Release { review } => {
            let app = open(file).await?;
            let review = require_review(&app, &review).await?;
            let review = release::release_held(&app, review.id).await?;
            print_line(&format!("Published: {}", app.origin.review_page(&review)))
        }
    }
}

/// All feeds of the config, or the one with this name.
async fn select_feeds(app: &App, name: Option<&str>) -> anyhow::Result<Vec<Feed>> {
    let mut all = feeds::list_all(&app.db).await?;
    let names: Vec<String> = all.iter().map(|feed| feed.name.clone()).collect();
    all.retain(|feed| name.is_none_or(|name| feed.name == name));
    if let (true, Some(name)) = (all.is_empty(), name) {
        bail!("no feed named {name:?}; configured feeds: {}", names.join(", "));
    }
    Ok(all)
}

async fn poll_feeds(app: &App, name: Option<&str>) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for feed in select_feeds(app, name).await? {
        let started = app.clock.now();
        if let Err(error) = ingest::poll_now(app, &feed).await {
            failed.push(format!("{}: {error:#}", feed.name));
            continue;
        }
        let mut lines = feed_log::list_newest(&app.db, Some(&feed.name), 500).await?;
        lines.retain(|line| line.at >= started);
        if lines.is_empty() {
            print_line(&format!("{}: nothing new", feed.name))?;
        }
        for line in lines {
            print_line(&line.to_string())?;
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!(failed.join("\n")) }
}
