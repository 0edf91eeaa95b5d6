//! `marquee critic`: move critics to other accounts and rotate signing keys.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::arguments::select_critic;
use super::open;
use super::output::print_line;
use crate::flows::{key_rotation, lookup, move_account};

#[derive(Debug, Subcommand)]
pub(super) enum CriticCommand {
    /// Move a critic to another account. Followers' servers are asked to follow the new account instead. Published reviews
    /// stay online, but nothing new can be published here. This cannot be undone: other servers honour a move only once.
    ///
    /// First add this account to the aliases of the other one (on Mastodon: Preferences, Account, "Moving from a
    /// different account").
    Move {
        /// `@user@host`, or the URL of the other account.
        target: String,
        /// Handle of the critic; required if the site has several critics.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Create a new signing key. It is published immediately; the old key keeps signing during the overlap.
    RotateKey {
        /// Handle of the critic; required if the site has several critics.
        #[arg(conflicts_with = "instance")]
        handle: Option<String>,
        /// Rotate the site's own key, which signs GET requests to other servers.
        #[arg(long)]
        instance: bool,
        /// How long the old key keeps signing; use 0s if it has been compromised.
        #[arg(long, value_name = "DURATION", value_parser = parse_overlap, default_value = "10m")]
        overlap: Duration,
    },
}

pub(super) async fn run(file: &Path, command: CriticCommand) -> anyhow::Result<()> {
    let app = open(file).await?;
    match command {
        CriticCommand::Move { target, critic } => {
            let critic = select_critic(&app, critic.as_deref()).await?;
            let target = lookup::find_actor_id(&app, &target).await?;
            move_account::move_account(&app, &critic, &target).await?;
            let handle = critic.profile.handle;
            print_line(&format!("Moved: @{handle} to {target} (the server will notify the followers)"))
        }
        CriticCommand::RotateKey { handle, instance, overlap } => {
            let critic = if instance { None } else { Some(select_critic(&app, handle.as_deref()).await?) };
            let key = key_rotation::rotate(&app, critic.as_ref(), overlap).await?;
            print_line(&format!("New key: {key}"))
        }
    }
}

/// Parses a duration such as `10m`. At most a day is allowed: deliveries are retried for a week and must not outlive both
/// keys.
fn parse_overlap(text: &str) -> anyhow::Result<Duration> {
    let time: jiff::SignedDuration = text.parse().context("must be a duration such as 10m")?;
    let time = Duration::try_from(time).context("must not be negative")?;
    ensure!(time <= Duration::from_hours(24), "must be at most one day");
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_flow() {
        assert_eq!(parse_overlap("10m").unwrap(), key_rotation::KEY_OVERLAP);
        for wrong in ["", "ten", "-1m", "25h"] {
            assert!(parse_overlap(wrong).is_err(), "{wrong}");
        }
    }
}
