//! `marquee host`: show servers that do not respond, and what a server uses.

use clap::Subcommand;

use super::output::print_line;
use super::owner_usage::print_usage;
use crate::domain::owner::Owner;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::hosts;

/// Maximum number of hosts to show.
const MAX_LISTED: u32 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum HostCommand {
    /// List servers that do not respond, and when they will be tried again.
    List,
    /// Show what a server has used of its budgets.
    Show {
        /// The host name.
        host: String,
    },
}

pub(super) async fn run(app: &App, command: HostCommand) -> anyhow::Result<()> {
    match command {
        HostCommand::List => list(app).await,
        HostCommand::Show { host } => {
            print_usage(app, &Owner::of_host(&host.trim().to_ascii_lowercase())).await
        }
    }
}

async fn list(app: &App) -> anyhow::Result<()> {
    let all = hosts::list_failing(&app.db, MAX_LISTED).await?;
    if all.is_empty() {
        print_line("all servers are responding")?;
    }
    for host in all {
        let since = host.failing_since.map(|at| format!("since {at}")).unwrap_or_default();
        let next = host.retry_at.map(|at| format!(", next attempt {at}")).unwrap_or_default();
        let error = host.last_error.unwrap_or_default();
        let failures = if host.failures == 1 { "failure" } else { "failures" };
        let (name, error) = (Untrusted::new(&host.host), Untrusted::new(&error));
        print_line(&format!("{name}  {} {failures} {since}{next}: {error}", host.failures))?;
    }
    Ok(())
}
