//! The command line. Each command can be run while a server is running on the same database.

mod preview;
mod quote;
mod report;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use url::Url;

mod block;
mod comment;
mod critic;
mod delivery;
mod follower;
mod insights;

use crate::app::{self, Role, SystemClock};
use crate::config::{self, Config, DEFAULT_FILE};
use crate::domain;
use crate::domain::critic::Critic;
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::flows::review_media::{self, ReviewMedia};
use crate::flows::{App, ingest, publish, release, retract, revise};
use crate::sources::review_markdown;
use crate::store::{critics, feed_log, feeds, reviews};

/// A fediverse server for film critics.
#[derive(Debug, Parser)]
#[command(version, about)]
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
    Serve {
        /// Role of this process if several share a PostgreSQL database.
        #[arg(long, value_enum, default_value_t = Role::All)]
        role: Role,
    },
    /// Publish a review from a Markdown file with front matter.
    Publish {
        /// The Markdown file.
        file: PathBuf,
        /// Handle of the author; required if the site has several critics.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Replace the contents of a review and send the update to followers.
    Revise {
        /// Id, slug or URL of the review.
        review: String,
        /// The Markdown file.
        file: PathBuf,
    },
    /// Retract a review permanently.
    Retract {
        /// Id, slug or URL of the review.
        review: String,
    },
    /// Show how a review will look on Mastodon.
    Preview {
        /// Id, slug or URL of a review, or the path of a Markdown file.
        review: String,
        /// Handle of the author of the file; required if the site has several critics.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Poll feeds and show what was imported.
    #[command(subcommand)]
    Feed(FeedCommand),
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
    /// List, accept and remove followers.
    #[command(subcommand)]
    Follower(follower::FollowerCommand),
    /// Show delivery status.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Show servers that do not respond.
    #[command(subcommand)]
    Host(delivery::HostCommand),
    /// Show reads, likes, boosts, replies, servers and followers over time.
    Insights(insights::InsightsArgs),
    /// Move critics to other accounts and rotate signing keys.
    #[command(subcommand)]
    Critic(critic::CriticCommand),
    /// Check whether the server is ready, for use in health checks.
    Health,
}

#[derive(Debug, Subcommand)]
enum FeedCommand {
    /// Show what was decided about each entry, and why.
    Log {
        /// Name of the feed [default: all feeds].
        name: Option<String>,
        /// Number of most recent lines to show.
        #[arg(long, default_value_t = 200)]
        lines: u32,
    },
    /// Poll feeds now and show what was decided.
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

/// Runs the command and adds advice to an error that means that the disk is full.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config.clone();
    dispatch(cli)
        .await
        .map_err(|error| if is_disk_full(&error) { error.context(disk_full_message(&file)) } else { error })
}

/// Whether the error means that the disk is full.
fn is_disk_full(error: &anyhow::Error) -> bool {
    let is_io_full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
    error.chain().any(|cause| {
        cause.downcast_ref::<sqlx::Error>().is_some_and(crate::store::is_disk_full)
            || cause.downcast_ref::<std::io::Error>().is_some_and(is_io_full)
    })
}

/// Tells the user what to do about a full disk.
fn disk_full_message(file: &Path) -> String {
    let Ok(config) = config::load(file) else { return "the disk is full".to_owned() };
    let folder = config.data_dir.display();
    let database = if config.database_url.starts_with("sqlite:") { "" } else { " or the database" };
    format!("the disk that holds {folder}{database} is full: free some space and run the command again")
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config;
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    match cli.command {
        Command::Serve { role } => serve(&file, role).await,
        Command::Publish { file: review, critic } => {
            publish_file(&open(&file).await?, &review, critic.as_deref()).await
        }
        Command::Revise { review, file: revised } => {
            let app = open(&file).await?;
            let review = require_review(&app, &review).await?;
            let (content, media) = read_review_file(&app, &revised).await?;
            let review = revise::revise(&app, review.id, content, media).await?;
            print_line(&format!("Revised: {}", app.origin.review_page(&review)))
        }
        Command::Retract { review } => {
            let app = open(&file).await?;
            let review = require_review(&app, &review).await?;
            let review = retract::retract(&app, review.id).await?;
            print_line(&format!("Retracted: {}", app.origin.review_page(&review)))
        }
        Command::Preview { review, critic } => preview::run(&file, &review, critic.as_deref()).await,
        Command::Feed(feed) => run_feed(&file, feed).await,
        Command::Quote(command) => quote::run(&open(&file).await?, command).await,
        Command::Report(command) => report::run(&open(&file).await?, command).await,
        Command::Comment(command) => comment::run(&file, command).await,
        Command::Block(command) => block::run(&file, command).await,
        Command::Follower(command) => follower::run(&file, command).await,
        Command::Delivery(command) => delivery::run(&open(&file).await?, command).await,
        Command::Host(command) => delivery::run_host(&open(&file).await?, command).await,
        Command::Insights(args) => insights::run(&file, args).await,
        Command::Critic(command) => critic::run(&file, command).await,
        Command::Health => check_health(&config::load(&file)?).await,
    }
}

async fn run_feed(file: &Path, feed: FeedCommand) -> anyhow::Result<()> {
    match feed {
        FeedCommand::Log { name, lines } => {
            init_logging("warn");
            let app = app::open_read_only(&config::load(file)?, Arc::new(SystemClock)).await?;
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
async fn select_feeds(app: &App, name: Option<&str>) -> anyhow::Result<Vec<domain::feed::Feed>> {
    let mut all = feeds::list_all(&app.db).await?;
    let names: Vec<String> = all.iter().map(|feed| feed.name.clone()).collect();
    all.retain(|feed| name.is_none_or(|name| feed.name == name));
    if let (true, Some(name)) = (all.is_empty(), name) {
        bail!("no feed named {name:?}; the config has: {}", names.join(", "));
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

async fn open(file: &Path) -> anyhow::Result<App> {
    let config = config::load(file)?;
    init_logging("warn");
    app::open(&config, Arc::new(SystemClock)).await
}

/// Prints a line; unlike `println!`, returns an error if the pipe is closed.
fn print_line(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn init_logging(default: &str) {
    use tracing_subscriber::EnvFilter;

    let filter = EnvFilter::try_from_env("MARQUEE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

async fn serve(file: &Path, role: Role) -> anyhow::Result<()> {
    let stop = shutdown_signal()?;
    let config = config::load(file)?;
    init_logging("warn,marquee=info");
    #[cfg(unix)]
    raise_open_file_limit();
    let app = app::open(&config, Arc::new(SystemClock)).await?;
    let address = config.server.listen;
    let listener = match role {
        Role::Worker => None,
        Role::All | Role::Web => {
            let bound = TcpListener::bind(address).await;
            let bound =
                bound.with_context(|| format!("config: server.listen: cannot listen on {address}"))?;
            Some((bound, config.server.trusted_proxies.as_slice()))
        }
    };
    print_welcome(&app, &config, role).await?;
    app::run(app, listener, role != Role::Web, stop).await
}

/// Raises the soft limit for open files to the hard limit, since every connection takes a file descriptor and the default
/// soft limit is low.
#[cfg(unix)]
fn raise_open_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let allowed = getrlimit(Resource::RLIMIT_NOFILE);
    if let Err(error) = allowed.and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most)) {
        tracing::warn!(%error, "could not raise the open-file limit");
    }
}

/// Prints the origin and, on a trial site, what to do next.
async fn print_welcome(app: &App, config: &Config, role: Role) -> anyhow::Result<()> {
    if role == Role::Worker {
        return print_line(&format!("Processing jobs for {}", app.origin));
    }
    print_line(&format!("Serving {} on {}", app.origin, config.server.listen))?;
    if app.origin.is_localhost() {
        let critics = critics::list_all(&app.db).await?;
        let handle = critics.first().map_or("critic", |critic| critic.profile.handle.as_str());
        let feeds: Vec<String> = feeds::list_all(&app.db).await?.into_iter().map(|feed| feed.name).collect();
        let reviews = match feeds.as_slice() {
            [] => "publish a review with `marquee publish FILE`".to_owned(),
            [feed] => format!("reviews from the feed {feed} will appear shortly"),
            _ => format!("reviews from the feeds {} will appear shortly", feeds.join(", ")),
        };
        print_line(&format!(
            "\n  Open {}/ in a browser: {reviews}.\n  \
             Other servers cannot reach localhost, so nobody can follow @{handle} yet. To see what following looks like:\n\n    \
             cargo run --release --example follower -- --handle {handle}@{}\n",
            app.origin,
            app.origin.authority()
        ))?;
        if config.federation.allow_networks.is_empty() {
            print_line(
                "  The example runs on this machine, so allow local connections: [federation] allow_networks = [\"127.0.0.0/8\"]\n",
            )?;
        }
    }
    Ok(())
}

/// Returns a future that resolves on SIGTERM and Ctrl-C. The signal handlers are installed immediately, so that the process
/// can be stopped as soon as it has printed that it is ready.
fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

async fn publish_file(app: &App, file: &Path, handle: Option<&str>) -> anyhow::Result<()> {
    let critic = select_critic(app, handle).await?;
    let (content, media) = read_review_file(app, file).await?;
    let review = publish::publish(app, &critic, content, media).await?;
    match review.state {
        ReviewState::Scheduled => {
            let at = review.released_at;
            print_line(&format!("Scheduled for {at}: {}", app.origin.review_page(&review)))
        }
        _ => print_line(&format!(
            "Published: {} (the server will deliver it)",
            app.origin.review_page(&review)
        )),
    }
}

async fn select_critic(app: &App, handle: Option<&str>) -> anyhow::Result<Critic> {
    if let Some(handle) = handle {
        let handle = handle.trim_start_matches('@');
        return critics::find_by_handle(&app.db, handle)
            .await?
            .with_context(|| format!("no critic with the handle {handle}"));
    }
    let mut all = critics::list_all(&app.db).await?;
    match all.len() {
        0 => bail!("no critics configured: add [[critics]] to the config"),
        1 => Ok(all.remove(0)),
        _ => {
            let handles: Vec<&str> = all.iter().map(|critic| critic.profile.handle.as_str()).collect();
            bail!("the site has several critics; select one with --critic: {}", handles.join(", "))
        }
    }
}

async fn read_review_file(app: &App, file: &Path) -> anyhow::Result<(ReviewContent, ReviewMedia)> {
    let path = std::fs::canonicalize(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", file.display()))?;
    let base = Url::from_file_path(&path).ok().context("the path is not absolute")?;
    let mut content = review_markdown::parse(&text, &base, &app.site.timezone)
        .with_context(|| file.display().to_string())?;
    let media = review_media::fetch_review_media(app, &mut content, path.parent()).await;
    // A missing picture is an error here: unlike a feed, the file is in the author's hands.
    let media = media.require_complete().with_context(|| file.display().to_string())?;
    Ok((content, media))
}

/// The review that an argument refers to.
async fn require_review(app: &App, argument: &str) -> anyhow::Result<Review> {
    find_review(app, argument)
        .await?
        .with_context(|| format!("no review found for {argument:?}: use its id, slug or URL"))
}

async fn find_review(app: &App, argument: &str) -> anyhow::Result<Option<Review>> {
    let last = argument.trim_end_matches('/').rsplit('/').next().unwrap_or(argument);
    Ok(match last.parse() {
        Ok(id) => reviews::find(&app.db, id).await?,
        Err(_) => reviews::find_by_slug(&app.db, last).await?,
    })
}

/// Requests `/health/ready` from the server on this machine.
async fn check_health(config: &Config) -> anyhow::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut address = config.server.listen;
    if address.ip().is_unspecified() {
        let loopback =
            if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        address.set_ip(loopback);
    }
    let request = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let host = config.server.origin.authority();
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        stream.take(4096).read_to_end(&mut response).await?;
        anyhow::Ok(String::from_utf8_lossy(&response).into_owned())
    };
    let response = tokio::time::timeout(std::time::Duration::from_secs(5), request)
        .await
        .with_context(|| format!("no response from {address} within 5 seconds"))?
        .with_context(|| format!("cannot connect to {address}"))?;
    if response.starts_with("HTTP/1.1 200") { print_line("ready") } else { bail!("not ready") }
}
