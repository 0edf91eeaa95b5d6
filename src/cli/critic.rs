//! `marquee critic`: the accounts of the critics themselves.

use std::path::Path;

use clap::Subcommand;

use super::{open, say, the_critic};
use crate::flows::{find, profile};

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
}

pub(super) async fn run(file: &Path, command: Critic) -> anyhow::Result<()> {
    let Critic::Move { target, critic } = command;
    let app = open(file).await?;
    let critic = the_critic(&app, critic.as_deref()).await?;
    let target = find::actor(&app, &target).await?;
    profile::move_away(&app, &critic, &target).await?;
    say(&format!("Moved: @{} to {target} (the server tells the followers)", critic.profile.handle))
}
