//! `marquee review`: list reviews, show and edit them as Markdown, and hold scheduled ones.

use std::path::Path;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::arguments::{require_review, select_critic};
use super::config_hint::with_config;
use super::missing_part::{MissingPart, ReviewParts};
use super::output::{print_document, print_json, print_line, print_list_line};
use super::review_file::to_markdown;
use super::{open, open_read_only, review_edit};
use crate::domain::feed::PendingReason;
use crate::domain::review::ReviewState;
use crate::domain::sanitize_text::single_line;
use crate::flows::{App, release};
use crate::store::feeds;
use crate::store::review_list::{self, ReviewFilter, ReviewListItem};

#[derive(Debug, Subcommand)]
pub(super) enum ReviewCommand {
    /// List reviews in all states, newest first, with what is missing in them.
    List(ListArgs),
    /// Show a review as Markdown, in the form that `marquee revise` takes.
    Show {
        /// Id, slug or URL of the review.
        review: String,
    },
    /// Edit a review in `$VISUAL` or `$EDITOR`, and send the update to followers.
    Edit {
        /// Id, slug or URL of the review.
        review: String,
    },
    /// Hold a scheduled review, so that it is not published at its time.
    Unschedule {
        /// Id, slug or URL of the review.
        review: String,
    },
}

/// Which reviews are listed, and how.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Show only reviews in this state.
    #[arg(long, value_enum)]
    state: Option<ReviewStateFilter>,
    /// Show only reviews of this feed.
    #[arg(long)]
    feed: Option<String>,
    /// Show only reviews by this critic.
    #[arg(long)]
    critic: Option<String>,
    /// Show only reviews in which this is missing.
    #[arg(long, value_enum)]
    missing: Option<MissingPart>,
    /// Maximum number of reviews to show.
    #[arg(long, default_value_t = 100)]
    lines: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The state of a review.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ReviewStateFilter {
    /// Waiting for the critic or for a later poll.
    Held,
    /// Dated in the future.
    Scheduled,
    /// Public, but delivered to nobody.
    Archive,
    /// Public and delivered.
    Published,
    /// Deleted.
    Retracted,
}

impl ReviewStateFilter {
    const fn to_review_state(self) -> ReviewState {
        match self {
            Self::Held => ReviewState::Held,
            Self::Scheduled => ReviewState::Scheduled,
            Self::Archive => ReviewState::Archive,
            Self::Published => ReviewState::Published,
            Self::Retracted => ReviewState::Retracted,
        }
    }
}

pub(super) async fn run(file: &Path, command: ReviewCommand) -> anyhow::Result<()> {
    match command {
        ReviewCommand::List(args) => list(&open_read_only(file).await?, args).await,
        ReviewCommand::Show { review } => {
            let app = open_read_only(file).await?;
            let review = require_review(&app, &review).await?;
            print_document(to_markdown(&app, &review).trim_end())
        }
        ReviewCommand::Edit { review } => {
            let app = open(file).await?;
            let review = require_review(&app, &review).await?;
            review_edit::edit(&app, &review).await
        }
        ReviewCommand::Unschedule { review } => {
            let app = open(file).await?;
            let review = require_review(&app, &review).await?;
            let review = release::unschedule(&app, review.id).await?;
            let command = with_config(&format!("marquee feed release {}", review.slug), file);
            print_line(&format!("Held: {} (`{command}` publishes it)", app.origin.review_page(&review)))
        }
    }
}

async fn list(app: &App, args: ListArgs) -> anyhow::Result<()> {
    let mut filter =
        ReviewFilter { state: args.state.map(ReviewStateFilter::to_review_state), ..ReviewFilter::default() };
    if let Some(name) = args.feed {
        let names: Vec<String> = feeds::list_all(&app.db).await?.into_iter().map(|feed| feed.name).collect();
        if !names.contains(&name) {
            bail!("no feed named {name:?}; configured feeds: {}", names.join(", "));
        }
        filter.feed = Some(name);
    }
    if args.critic.is_some() {
        filter.critic = Some(select_critic(app, args.critic.as_deref()).await?.profile.handle);
    }
    let is_match =
        |item: &ReviewListItem| args.missing.is_none_or(|part| part.is_missing_in(&item_parts(item)));
    let items = review_list::list(&app.db, &filter, is_match, args.lines).await?;
    if args.json {
        let items: Vec<serde_json::Value> = items.iter().map(|item| to_json(app, item)).collect();
        return print_json(&serde_json::Value::from(items));
    }
    if items.is_empty() {
        return print_line("no reviews");
    }
    for item in &items {
        for line in format_item(app, item) {
            print_list_line(&line)?;
        }
    }
    Ok(())
}

fn item_parts(item: &ReviewListItem) -> ReviewParts<'_> {
    ReviewParts {
        film: &item.film,
        has_rating: item.rating.is_some(),
        has_poster: item.has_poster,
        has_tags: !item.tags.is_empty(),
    }
}

/// A review on two lines: its metadata and its headline.
fn format_item(app: &App, item: &ReviewListItem) -> [String; 2] {
    let day = item.date.to_jiff().to_zoned(app.site.timezone.clone()).date();
    let mut parts = vec![format!("{}  {:<9}  {day}  {}", item.id, item.state.to_string(), item.slug)];
    parts.extend(item.feed.as_ref().map(|feed| format!("feed {feed}")));
    parts.extend(item.kept_change.map(|_| "change kept back".to_owned()));
    let missing = MissingPart::all_in(&item_parts(item));
    if !missing.is_empty() {
        parts.push(format!("missing: {}", missing.join(", ")));
    }
    let film = match (item.film.title.as_str(), item.film.year) {
        ("", _) => String::new(),
        (title, Some(year)) => format!(" · {} ({year})", single_line(title)),
        (title, None) => format!(" · {}", single_line(title)),
    };
    let rating = item.rating.as_ref().map(|rating| format!(" · {rating}")).unwrap_or_default();
    [parts.join("  "), format!("    {}{film}{rating}", single_line(&item.title))]
}

fn to_json(app: &App, item: &ReviewListItem) -> serde_json::Value {
    json!({
        "id": item.id.to_string(), "slug": item.slug, "state": item.state.to_string(), "title": item.title,
        "page": app.origin.url(&format!("/reviews/{}", item.slug)).as_str(), "date": item.date.to_string(),
        "film": item.film.title, "year": item.film.year, "directors": item.film.directors, "rating": item.rating,
        "tags": item.tags, "feed": item.feed, "critic": item.critic, "missing": MissingPart::all_in(&item_parts(item)),
        "kept_change": item.kept_change.map(PendingReason::as_str),
    })
}
