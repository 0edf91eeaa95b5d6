//! `marquee feed`: check and poll feeds, show what was decided about their entries, list and release held reviews, and accept
//! changes that were kept back.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;

use super::arguments::require_review;
use super::config_hint::with_config;
use super::feed_check::{self, CheckArgs};
use super::output::{print_line, print_list_line};
use super::{open, open_or_create, open_read_only};
use crate::domain::feed::{Feed, HoldReason, PendingReason};
use crate::domain::id::FeedId;
use crate::domain::review::{ContentField, Review, ReviewState};
use crate::domain::sanitize_text::single_line;
use crate::flows::ingest::kept_changes::{KeptChange, list_kept_changes};
use crate::flows::{App, ingest, release};
use crate::store::feed_log::{self, FeedLogLine};
use crate::store::review_list::{self, ReviewFilter};
use crate::store::{feed_entries, feeds, reviews};

#[derive(Debug, Subcommand)]
pub(super) enum FeedCommand {
    /// Show what a poll would do with each entry of a feed, which need not be in the config yet. Nothing is stored or sent.
    Check(CheckArgs),
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
        /// Read all its pages again. Reviews on older pages are archived.
        #[arg(long, requires = "name")]
        all: bool,
    },
    /// Show the reviews that are held, and the changes of entries that are kept back.
    Held {
        /// Name of the feed [default: all feeds].
        name: Option<String>,
    },
    /// Publish a review that is held.
    Release(ReleaseArgs),
    /// Apply a change of a review's entry that was kept back.
    Accept {
        /// Id or slug of the review, as shown by `marquee feed held`.
        review: String,
        /// Import the change as a new review, which the entry belongs to from now on. The old review stays as it is.
        #[arg(long)]
        as_new: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArgs {
    /// Id or slug of the review, as shown by `marquee feed log`.
    #[arg(conflicts_with = "all_as_archive")]
    review: Option<String>,
    /// Send the review to followers even if it is old. This also works for a review that is archived already.
    #[arg(long, conflicts_with = "all_as_archive")]
    announce: bool,
    /// Put all reviews that feeds hold into the archive, which is sent to nobody.
    #[arg(long)]
    all_as_archive: bool,
    /// Only those of the feed with this name.
    #[arg(long, value_name = "NAME", requires = "all_as_archive")]
    feed: Option<String>,
    /// Only those that are dated in this year.
    #[arg(long, requires = "all_as_archive")]
    year: Option<i16>,
}

pub(super) async fn run(file: &Path, feed: FeedCommand) -> anyhow::Result<()> {
    match feed {
        FeedCommand::Check(args) => feed_check::run(file, args).await,
        FeedCommand::Log { name, lines } => {
            let app = open_read_only(file).await?;
            select_feeds(&app, name.as_deref()).await?;
            let lines = feed_log::list_newest(&app.db, name.as_deref(), lines).await?;
            if lines.is_empty() {
                return print_line("no entries have been read yet");
            }
            print_log(lines, file)
        }
        FeedCommand::Poll { name, all } => poll_feeds(file, name.as_deref(), all).await,
        FeedCommand::Held { name } => {
            let app = open_read_only(file).await?;
            select_feeds(&app, name.as_deref()).await?;
            list_held(&app, name, file).await
        }
        FeedCommand::Release(args) => release(&open(file).await?, args).await,
        FeedCommand::Accept { review, as_new } => accept(file, &review, as_new).await,
    }
}

/// Lists the reviews that are held, the oldest first, and the changes that are kept back, each with what to do.
async fn list_held(app: &App, feed: Option<String>, file: &Path) -> anyhow::Result<()> {
    let changes = list_kept_changes(app, feed.as_deref()).await?;
    let filter = ReviewFilter { state: Some(ReviewState::Held), feed, ..ReviewFilter::default() };
    let mut held = review_list::list(&app.db, &filter, |_| true, usize::MAX).await?;
    held.reverse();
    if held.is_empty() && changes.is_empty() {
        return print_line("no reviews are held");
    }
    let reasons = feed_entries::list_hold_reasons(&app.db).await?;
    let feeds = feeds::list_all(&app.db).await?;
    for review in &held {
        let day = review.date.to_jiff().to_zoned(app.site.timezone.clone()).date();
        let (reason, is_for_critic) = match reasons.get(&review.id) {
            Some(HoldReason::NextPoll) => {
                match feeds.iter().find(|feed| Some(&feed.name) == review.feed.as_ref()) {
                    Some(feed) if feed.never_sends() => ("max_publish_per_poll is 0", true),
                    Some(_) => ("a later poll publishes it", false),
                    None => ("its feed is not in the config", true),
                }
            }
            Some(HoldReason::Similar) => ("similar to another review", true),
            None => ("waits until you release it", true),
        };
        print_line(&format!("{day}  {}  {reason}", review.slug))?;
        print_line(&format!("    {}", single_line(&review.title)))?;
        if is_for_critic {
            let command = with_config(&format!("marquee feed release {}", review.slug), file);
            print_line(&format!("    to publish it: {command}"))?;
        }
    }
    for change in &changes {
        for line in describe_change(app, change, file) {
            print_line(&line)?;
        }
    }
    Ok(())
}

/// A change that is kept back: its review, why it waits, what it would change, and how to apply it.
fn describe_change(app: &App, change: &KeptChange, file: &Path) -> Vec<String> {
    let Review { slug, content, original_date, .. } = &change.review;
    let day = original_date.to_jiff().to_zoned(app.site.timezone.clone()).date();
    let other_title = change.other_title.as_ref().filter(|_| change.reason == PendingReason::Lossy);
    let reason = match (change.reason, change.loss) {
        _ if other_title.is_some() => "it may be another review under the same id or link".to_owned(),
        (PendingReason::UpdateLimit, _) if change.never_sends => "max_publish_per_poll is 0".to_owned(),
        (PendingReason::UpdateLimit, _) => "a later poll applies it".to_owned(),
        (PendingReason::Corrected, _) => "you have revised the text, too".to_owned(),
        (PendingReason::Lossy, Some(loss)) => loss.to_string(),
        (PendingReason::Lossy, None) => {
            "it would take most of the review away, or it is another review under the same id or link"
                .to_owned()
        }
    };
    let mut lines = vec![
        format!("{day}  {slug}  change kept back"),
        format!("    {}", single_line(&content.title)),
        format!("    reason: {reason}"),
    ];
    let fields: Option<Vec<&str>> =
        change.fields.as_ref().map(|fields| fields.iter().map(|field| field_name(*field)).collect());
    match fields {
        Some(fields) => {
            if !fields.is_empty() {
                lines.push(format!("    would change: {}", fields.join(", ")));
            }
            let accept = with_config(&format!("marquee feed accept {slug}"), file);
            match other_title {
                Some(title) => lines.extend([
                    format!("    headline now: {}", single_line(title)),
                    format!("    to import it as a new review: {accept} --as-new"),
                    format!("    to replace this review by it: {accept}"),
                ]),
                None => lines.push(format!("    to apply it: {accept}")),
            }
        }
        None => lines.push("    it is too large to be kept; revise the review by hand".to_owned()),
    }
    lines
}

/// What a field is called in lists.
const fn field_name(field: ContentField) -> &'static str {
    match field {
        ContentField::Title => "headline",
        ContentField::Subtitle => "subtitle",
        ContentField::Body => "text",
        ContentField::Film => "film",
        ContentField::Rating => "rating",
        ContentField::Tags => "tags",
        ContentField::Language => "language",
        ContentField::CanonicalUrl => "canonical URL",
        ContentField::Spoilers => "spoiler warning",
        ContentField::Poster => "poster",
        ContentField::Published => "date",
    }
}

async fn release(app: &App, args: ReleaseArgs) -> anyhow::Result<()> {
    let Some(review) = args.review else {
        ensure!(
            args.all_as_archive,
            "name a review, as `marquee feed held` does, or put all that are held into the archive with --all-as-archive"
        );
        let feed = find_feed(app, args.feed.as_deref()).await?;
        let count = release::archive_held(app, feed, args.year).await?;
        return match count {
            0 => print_line("no such reviews are held"),
            1 => print_line("Archived 1 review, sent to nobody"),
            _ => print_line(&format!("Archived {count} reviews, sent to nobody")),
        };
    };
    let review = require_review(app, &review).await?;
    let review = release::release_held(app, review.id, args.announce).await?;
    let page = app.origin.review_page(&review);
    match review.state {
        ReviewState::Archive => print_line(&format!(
            "Archived, sent to nobody: {page}\nIt is older than publish_since. To send it to followers, release it again with --announce."
        )),
        _ => print_line(&format!("Published: {page}")),
    }
}

async fn accept(file: &Path, review: &str, as_new: bool) -> anyhow::Result<()> {
    let app = &open(file).await?;
    let started = app.clock.now();
    let old = require_review(app, review).await?;
    let id = ingest::accept_kept_change(app, &old, as_new).await?;
    let id = id.context("no change of this review's entry was kept back")?;
    let review = reviews::find(&app.db, id).await?.context("no such review")?;
    let page = app.origin.review_page(&review);
    if !as_new {
        return print_line(&format!("Revised: {page}"));
    }
    if review.id.created_at() < started {
        return print_line(&format!("Already imported: {page}"));
    }
    match review.state {
        ReviewState::Archive => {
            let release = with_config(&format!("marquee feed release {} --announce", review.slug), file);
            print_line(&format!("Archived, sent to nobody: {page}\nTo send it to followers, run: {release}"))
        }
        _ => print_line(&format!("Imported: {page}")),
    }
}

/// The id of the feed with this name, if a name is given.
async fn find_feed(app: &App, name: Option<&str>) -> anyhow::Result<Option<FeedId>> {
    if name.is_none() {
        return Ok(None);
    }
    Ok(select_feeds(app, name).await?.first().map(|feed| feed.id))
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

async fn poll_feeds(file: &Path, name: Option<&str>, all: bool) -> anyhow::Result<()> {
    let app = open_or_create(file).await?;
    let mut failed = Vec::new();
    for feed in select_feeds(&app, name).await? {
        let started = app.clock.now();
        if let Err(error) = ingest::poll_now(&app, &feed, all).await {
            failed.push(format!("{}: {error:#}", feed.name));
            continue;
        }
        let mut lines = feed_log::list_newest(&app.db, Some(&feed.name), 500).await?;
        lines.retain(|line| line.at >= started);
        if lines.is_empty() {
            print_line(&format!("{}: nothing new", feed.name))?;
        }
        print_log(lines, file)?;
    }
    if failed.is_empty() { Ok(()) } else { bail!(failed.join("\n")) }
}

fn print_log(lines: Vec<FeedLogLine>, file: &Path) -> anyhow::Result<()> {
    for line in lines {
        let reason = with_config(&line.reason, file);
        print_list_line(&FeedLogLine { reason, ..line }.to_string())?;
    }
    Ok(())
}
