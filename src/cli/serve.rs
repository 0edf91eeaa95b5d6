//! `marquee serve`: run the server.

use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use super::config_hint::with_config;
use super::logging::init_logging;
use super::output::print_line;
use super::shutdown_signal::shutdown_signal;
use crate::app::{self, Role, SystemClock, WebListener};
use crate::config::{self, Config};
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::{critics, feeds};

/// The open files that a process may have at least, if the system does not say more.
const UNKNOWN_OPEN_FILE_LIMIT: u64 = 1024;

#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// Role of this process if several share a PostgreSQL database.
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

pub(super) async fn run(file: &Path, args: ServeArgs) -> anyhow::Result<()> {
    let role = args.role;
    let mut stop = Box::pin(shutdown_signal()?);
    let config = config::load(file)?;
    init_logging("warn,marquee=info");
    let open_files = raise_open_file_limit();
    // The port is taken before anything is stored, and connections are accepted once the database is open.
    let socket = match role {
        Role::Worker => None,
        Role::All | Role::Web => Some(bind(&config)?),
    };
    app::restrict_existing_files(&config);
    // An upgrade of the database can take minutes. If it is interrupted, the database stays as it was.
    let opening = Box::pin(open(&config, socket));
    let (app, listener) = tokio::select! {
        opened = opening => opened?,
        () = &mut stop => {
            tracing::info!("stopped before the database was open");
            return Ok(());
        }
    };
    let listener = listener.map(|listener| WebListener {
        listener,
        trusted_proxies: config.server.trusted_proxies.clone(),
        open_files,
    });
    print_welcome(&app, file, &config, role).await?;
    app::run(app, listener, role != Role::Web, stop).await
}

/// Connections that the system accepts before this process does.
const BACKLOG: u32 = 1024;

fn bind(config: &Config) -> anyhow::Result<TcpSocket> {
    let address = config.server.listen;
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As the standard library does, so that the server can be restarted at once.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|error| listen_error(config, error))
}

fn listen_error(config: &Config, error: std::io::Error) -> anyhow::Error {
    let address = config.server.listen;
    anyhow::Error::new(error).context(format!("config: server.listen: could not listen on {address}"))
}

async fn open(config: &Config, socket: Option<TcpSocket>) -> anyhow::Result<(App, Option<TcpListener>)> {
    let app = app::open_for_server(config, Arc::new(SystemClock)).await?;
    let listener = socket.map(|socket| socket.listen(BACKLOG)).transpose();
    let listener = listener.map_err(|error| listen_error(config, error))?;
    app::prepare(&app, config).await?;
    Ok((app, listener))
}

/// Raises the soft limit for open files to the hard limit, since every connection takes a file descriptor and the default
/// soft limit is low. Returns the limit.
#[cfg(unix)]
fn raise_open_file_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (allowed, most) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(limits) => limits,
        Err(error) => {
            tracing::warn!(error = ?Untrusted::chain(&error), "could not read the open-file limit");
            return UNKNOWN_OPEN_FILE_LIMIT;
        }
    };
    match setrlimit(Resource::RLIMIT_NOFILE, most, most) {
        Ok(()) => most,
        Err(error) => {
            tracing::warn!(error = ?Untrusted::chain(&error), "could not raise the open-file limit");
            allowed
        }
    }
}

#[cfg(not(unix))]
const fn raise_open_file_limit() -> u64 {
    UNKNOWN_OPEN_FILE_LIMIT
}

/// Prints the origin and, on a trial site, what to do next.
async fn print_welcome(app: &App, file: &Path, config: &Config, role: Role) -> anyhow::Result<()> {
    if role == Role::Worker {
        return print_line(&format!("Processing jobs for {}", app.origin));
    }
    print_line(&format!("Serving {} on {}", app.origin, config.server.listen))?;
    if app.origin.is_localhost() {
        let critics = critics::list_all(&app.db).await?;
        let handle = critics.first().map_or("critic", |critic| critic.profile.handle.as_str());
        let feeds: Vec<String> = feeds::list_all(&app.db).await?.into_iter().map(|feed| feed.name).collect();
        let reviews = match feeds.as_slice() {
            [] => format!("publish a review with `{}`", with_config("marquee publish FILE", file)),
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
