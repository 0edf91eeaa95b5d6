//! `marquee critic`: the accounts of the critics themselves.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::{open, say, the_critic};
use crate::flows::{find, keys, profile};

#[derive(Debug, Subcommand)]
pub(super) enum Critic {
    /// Move a critic to an account elsewhere. The followers are asked to come along; what was published stays, and
    /// nothing new goes out from here. This cannot be undone: other servers follow a move once.
    ///
    /// The other account must name this one among its aliases first (on Mastodon: Preferences, Account, "Moving from
    /// a different account").
    Move {
        /// The other account: `@user@host`, or its address.
        target: String,
        /// The handle of the critic who moves, where there are several.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Give a critic a new signing key. It is served at once; the old one signs for a while yet.
    RotateKey {
        /// The critic's handle, where there are several critics.
        #[arg(conflicts_with = "instance")]
        handle: Option<String>,
        /// Rotate the key that signs what the site itself asks.
        #[arg(long)]
        instance: bool,
        /// How long the old key goes on signing; 0s where it is no longer secret.
        #[arg(long, value_name = "TIME", value_parser = time, default_value = "10m")]
        overlap: Duration,
    },
}

pub(super) async fn run(file: &Path, command: Critic) -> anyhow::Result<()> {
    let app = open(file).await?;
    match command {
        Critic::Move { target, critic } => {
            let critic = the_critic(&app, critic.as_deref()).await?;
            let target = find::actor(&app, &target).await?;
            profile::move_away(&app, &critic, &target).await?;
            let handle = critic.profile.handle;
            say(&format!("Moved: @{handle} to {target} (the server tells the followers)"))
        }
        Critic::RotateKey { handle, instance, overlap } => {
            let critic = if instance { None } else { Some(the_critic(&app, handle.as_deref()).await?) };
            let key = keys::rotate(&app, critic.as_ref(), overlap).await?;
            say(&format!("New key: {key}"))
        }
    }
}

/// A time like `10m`, of at most a day: deliveries are retried for a week, and must not outlive both keys.
fn time(text: &str) -> anyhow::Result<Duration> {
    let time: jiff::SignedDuration = text.parse().context("must be a time like 10m")?;
    let time = Duration::try_from(time).context("must not be negative")?;
    ensure!(time <= Duration::from_hours(24), "must be a day at most");
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_flow() {
        assert_eq!(time("10m").unwrap(), keys::OVERLAP);
        for wrong in ["", "ten", "-1m", "25h"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
