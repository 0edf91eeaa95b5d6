//! The command line. Each command can be run while a server is running on the same database.

mod actor;
mod arguments;
mod block;
mod comment;
mod config_hint;
mod critic;
mod delivery;
mod disk_full;
mod feed;
mod feed_check;
mod follower;
mod health;
mod host;
mod insights;
mod logging;
mod missing_part;
mod output;
mod owner_usage;
mod preview;
mod publish;
mod quote;
mod repeated_lines;
mod report;
mod retract;
mod review;
mod review_edit;
mod review_file;
mod revise;
mod serve;
mod shutdown_signal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};

use self::config_hint::with_config;
use self::disk_full::{disk_full_message, is_disk_full};
use self::logging::init_logging;
use self::output::OutputClosed;
use self::shutdown_signal::shutdown_signal;
use crate::app::{self, SystemClock};
use crate::config::{self, Config, ConfigError, DEFAULT_FILE};
use crate::domain::untrusted::PrintableText;
use crate::flows::App;

/// A fediverse server for film critics.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// Path of the config file.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_FILE)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Publish a review from a Markdown file with front matter.
    Publish(publish::PublishArgs),
    /// Replace the contents of a review and send the update to followers.
    Revise(revise::ReviseArgs),
    /// Retract a review permanently.
    Retract(retract::RetractArgs),
    /// Show how a review will look on Mastodon.
    Preview(preview::PreviewArgs),
    /// List, show and edit reviews, and hold scheduled ones.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Check and poll feeds, show their log, and release held reviews.
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    /// List and revoke quotes of reviews.
    #[command(subcommand)]
    Quote(quote::QuoteCommand),
    /// List and close reports.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Moderate comments and reply to them.
    #[command(subcommand)]
    Comment(comment::CommentCommand),
    /// Block accounts and servers.
    #[command(subcommand)]
    Block(block::BlockCommand),
    /// List, accept, reject and remove followers.
    #[command(subcommand)]
    Follower(follower::FollowerCommand),
    /// Show delivery status.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Show servers that do not respond, and what a server uses.
    #[command(subcommand)]
    Host(host::HostCommand),
    /// Show what an account of another server uses.
    #[command(subcommand)]
    Actor(actor::ActorCommand),
    /// Show reads, likes, boosts, replies, servers and followers over time.
    Insights(insights::InsightsArgs),
    /// Move critics to other accounts and rotate signing keys.
    #[command(subcommand)]
    Critic(critic::CriticCommand),
    /// Check whether the server is ready, for use in health checks.
    Health,
}

/// Runs the command. A command whose output nobody reads any more ends as it is.
///
/// # Errors
/// A description of the error with its causes, with advice if the disk is full.
pub async fn run(cli: Cli) -> Result<(), String> {
    app::make_new_files_private();
    let file = cli.config.clone();
    let Err(error) = dispatch(cli).await else { return Ok(()) };
    if error.is::<OutputClosed>() {
        return Ok(());
    }
    let error = if is_disk_full(&error) { error.context(disk_full_message(&file)) } else { error };
    Err(PrintableText(&with_config(&describe(&error), &file)).to_string())
}

/// Describes an error with its causes in one line. Some errors, such as those of sqlx, repeat their cause in their own text.
fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config;
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    match cli.command {
        Command::Serve(args) => serve::run(&file, args).await,
        Command::Publish(args) => publish::run(&file, args).await,
        Command::Revise(args) => revise::run(&file, args).await,
        Command::Retract(args) => retract::run(&file, args).await,
        Command::Preview(args) => preview::run(&file, args).await,
        Command::Review(command) => review::run(&file, command).await,
        Command::Feed(command) => feed::run(&file, command).await,
        Command::Quote(command) => quote::run(&open(&file).await?, command).await,
        Command::Report(command) => report::run(&open(&file).await?, command).await,
        Command::Comment(command) => comment::run(&file, command).await,
        Command::Block(command) => block::run(&file, command).await,
        Command::Follower(command) => follower::run(&file, command).await,
        Command::Delivery(command) => delivery::run(&open(&file).await?, command).await,
        Command::Actor(command) => actor::run(&open_read_only(&file).await?, command).await,
        Command::Host(command) => host::run(&open(&file).await?, command).await,
        Command::Insights(args) => insights::run(&file, args).await,
        Command::Critic(command) => critic::run(&file, command).await,
        Command::Health => health::run(&file).await,
    }
}

/// Loads the config for a command that works without a site, too: there need not be a file where one is looked for.
fn load_or_default(file: &Path) -> Result<Config, ConfigError> {
    if file == Path::new(DEFAULT_FILE) && !file.exists() { config::defaults() } else { config::load(file) }
}

/// What a command logs: an upgrade of the database can take minutes.
const COMMAND_LOG: &str = "warn,marquee::store::upgrade=info";

/// Opens the site for a command that writes.
async fn open(file: &Path) -> anyhow::Result<App> {
    let config = config::load(file)?;
    init_logging(COMMAND_LOG);
    app::open(&config, Arc::new(SystemClock)).await
}

/// The same for a command that makes sense before the first start of the server.
async fn open_or_create(file: &Path) -> anyhow::Result<App> {
    let config = config::load(file)?;
    init_logging(COMMAND_LOG);
    app::open_or_create(&config, Arc::new(SystemClock)).await
}

/// Opens the site for a command that only reads.
async fn open_read_only(file: &Path) -> anyhow::Result<App> {
    let config = config::load(file)?;
    init_logging("warn");
    app::open_read_only(&config, Arc::new(SystemClock)).await
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_help_is_wider_than_a_hundred_columns() {
        let mut root = Cli::command();
        root.build();
        let mut commands = vec![root];
        let mut seen = 0;
        while let Some(mut command) = commands.pop() {
            let help = command.render_long_help().to_string();
            assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
            commands.extend(command.get_subcommands().cloned());
            seen += 1;
        }
        assert!(seen > 40, "{seen}");
    }

    #[test]
    fn an_error_names_each_cause_once() {
        let io = std::io::Error::other("permission denied");
        let error = anyhow::Error::new(sqlx::Error::Io(io)).context("could not open the database");
        assert_eq!(
            describe(&error),
            "could not open the database: error communicating with database: permission denied"
        );
    }
}
