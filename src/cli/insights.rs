//! `marquee insights`: show readership, as far as it is known without tracking anyone.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::{require_review, select_critic};
use super::open_read_only;
use super::output::{print_json, print_line};
use crate::flows::App;
use crate::flows::view_counts::local_day;
use crate::store::insights::{self, DailyCount};
use crate::store::{followers, review_stats, view_counts};

/// Maximum number of reviews to show, most read first.
const MAX_LISTED: u32 = 100;

/// The metrics, in the order of the columns.
const METRICS: [&str; 5] = ["reads", "likes", "boosts", "replies", "servers"];

#[derive(Debug, clap::Args)]
pub(super) struct InsightsArgs {
    /// Id, slug or URL of the review [default: all reviews of a critic].
    review: Option<String>,
    /// Handle of the critic; required if the site has several critics.
    #[arg(long, conflicts_with = "review")]
    critic: Option<String>,
    /// Number of days to show, including today.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Print the output as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(file: &Path, args: InsightsArgs) -> anyhow::Result<()> {
    let app = open_read_only(file).await?;
    let before = Duration::from_hours(24) * (args.days - 1);
    let from = local_day(&app, app.clock.now() - before);
    match &args.review {
        Some(review) => print_review(&app, review, &from, args.json).await,
        None => print_critic(&app, args.critic.as_deref(), &from, args.json).await,
    }
}

async fn print_review(app: &App, argument: &str, from: &str, as_json: bool) -> anyhow::Result<()> {
    let review = require_review(app, argument).await?;
    let stats = review_stats::for_review(&app.db, review.id).await?;
    let views = view_counts::for_review(&app.db, review.id).await?;
    let numbers = [views.views, stats.likes, stats.boosts, stats.comments, views.hosts];
    let days = insights::views_by_day(&app.db, review.id, from).await?;
    let page = app.origin.review_page(&review);
    if as_json {
        let days: Vec<Value> = days.iter().map(|on| json!({"day": on.day, "reads": on.total()})).collect();
        let output = json!({
            "slug": review.slug, "title": review.content.title, "page": page, "totals": to_json_object(numbers), "days": days,
        });
        return print_json(&format_args!("{output:#}"));
    }
    print_line(&format!("{}\n{page}\n\n{}", review.content.title, format_line(numbers)))?;
    if !days.is_empty() {
        print_line("\nday             reads")?;
    }
    for on in days {
        print_line(&format!("{}  {:>9}", on.day, on.total()))?;
    }
    Ok(())
}

async fn print_critic(app: &App, handle: Option<&str>, from: &str, as_json: bool) -> anyhow::Result<()> {
    let critic = select_critic(app, handle).await?;
    let name = format!("@{}@{}", critic.profile.handle, app.handle_domain());
    let follow = followers::count_followers(&app.db, critic.id).await?;
    let totals = insights::critic_totals(&app.db, critic.id).await?;
    let reviews = insights::list_by_review(&app.db, critic.id, MAX_LISTED).await?;
    let views = insights::critic_views_by_day(&app.db, critic.id, from).await?;
    let followed = insights::followers_by_day(&app.db, critic.id, from).await?;
    let today = local_day(app, app.clock.now());
    let mut days = days(&views, &followed);
    days.entry(&today).or_default().1 = Some(follow);
    if as_json {
        let listed: Vec<Value> = reviews
            .iter()
            .map(|insights| json!({"slug": insights.slug, "title": insights.title, "totals": to_json_object(insights.numbers())}))
            .collect();
        let days: Vec<Value> = days
            .iter()
            .map(|(day, (views, followers))| json!({"day": day, "reads": views, "followers": followers}))
            .collect();
        let output = json!({
            "critic": name, "followers": follow, "totals": to_json_object(totals), "reviews": listed, "days": days,
        });
        return print_json(&format_args!("{output:#}"));
    }
    print_line(&format!("{name}  followers {follow}\n\n{}", format_line(totals)))?;
    if !reviews.is_empty() {
        print_line(&format!("\n{}  review", METRICS.map(|metric| format!("{metric:>8}")).concat()))?;
    }
    for insights in reviews {
        let numbers = insights.numbers().map(|number| format!("{number:>8}")).concat();
        print_line(&format!("{numbers}  {} ({})", insights.title, insights.slug))?;
    }
    if !days.is_empty() {
        print_line("\nday             reads  followers")?;
    }
    for (day, (views, followers)) in days {
        let followers = followers.map_or_else(|| "-".to_owned(), |followers| followers.to_string());
        print_line(&format!("{day}  {views:>9}  {followers:>9}"))?;
    }
    Ok(())
}

/// Views and followers by day.
fn days<'a>(views: &'a [DailyCount], followers: &'a [DailyCount]) -> BTreeMap<&'a str, (u64, Option<u64>)> {
    let mut days: BTreeMap<&str, (u64, Option<u64>)> = BTreeMap::new();
    for on in views {
        days.entry(&on.day).or_default().0 = on.total();
    }
    for on in followers {
        days.entry(&on.day).or_default().1 = Some(on.total());
    }
    days
}

fn format_line(numbers: [u64; 5]) -> String {
    let parts = METRICS.iter().zip(numbers).map(|(metric, number)| format!("{metric} {number}"));
    parts.collect::<Vec<_>>().join("  ")
}

fn to_json_object(numbers: [u64; 5]) -> Value {
    METRICS.iter().zip(numbers).map(|(metric, number)| ((*metric).to_owned(), Value::from(number))).collect()
}
