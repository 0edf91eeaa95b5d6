//! `marquee follower`: list, accept and remove followers.

use std::path::Path;
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};

use super::{log_to_stderr, open, say, the_critic};
use crate::app::{self, SystemClock};
use crate::config;
use crate::domain::text::single_line;
use crate::flows::{App, follow_requests, lookup};
use crate::store::{actors, followers};

#[derive(Debug, Subcommand)]
pub(super) enum Follower {
    /// List follow requests, then followers, oldest first.
    List {
        /// Show only this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Maximum number for each state.
        #[arg(long, default_value_t = 1000)]
        lines: u32,
        /// Handle of the critic; required if the site has several.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Accept a follow request.
    Accept(Who),
    /// Reject a follow request.
    Reject(Who),
    /// Remove a follower, who is notified and can follow again unless blocked.
    Remove(Who),
}

#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// `@user@host`, or the URL of the account.
    who: String,
    /// Handle of the critic; required if the site has several.
    #[arg(long)]
    critic: Option<String>,
}

/// The state of a follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    /// Waiting for the critic's decision.
    Pending,
    /// Accepted.
    Following,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Following => "following",
        }
    }
}

pub(super) async fn run(file: &Path, command: Follower) -> anyhow::Result<()> {
    match command {
        Follower::List { state, lines, critic } => {
            log_to_stderr("warn");
            let app = app::open_read_only(&config::load(file)?, Arc::new(SystemClock)).await?;
            list(&app, state, lines, critic.as_deref()).await
        }
        Follower::Accept(who) => {
            let app = open(file).await?;
            let (critic, actor) = meant(&app, &who).await?;
            follow_requests::accept_follower(&app, critic, &actor).await?;
            say(&format!("Accepted: {actor}"))
        }
        Follower::Reject(who) => {
            let app = open(file).await?;
            let (critic, actor) = meant(&app, &who).await?;
            follow_requests::reject_follower(&app, critic, &actor).await?;
            say(&format!("Rejected: {actor}"))
        }
        Follower::Remove(who) => {
            let app = open(file).await?;
            let (critic, actor) = meant(&app, &who).await?;
            follow_requests::reject_follower(&app, critic, &actor).await?;
            say(&format!("Removed: {actor}"))
        }
    }
}

async fn meant(app: &App, who: &Who) -> anyhow::Result<(crate::domain::id::CriticId, url::Url)> {
    let critic = the_critic(app, who.critic.as_deref()).await?;
    Ok((critic.id, lookup::find_actor_id(app, &who.who).await?))
}

async fn list(app: &App, state: Option<State>, lines: u32, critic: Option<&str>) -> anyhow::Result<()> {
    let critic = the_critic(app, critic).await?;
    let mut is_empty = true;
    for wanted in [State::Pending, State::Following] {
        if state.is_some_and(|state| state != wanted) {
            continue;
        }
        for follower in followers::list_by_state(&app.db, critic.id, wanted.as_str(), lines).await? {
            is_empty = false;
            let known = actors::find_by_uri(&app.db, &url::Url::parse(&follower.actor)?).await?;
            let handle = known.and_then(|known| known.handle).map(|handle| single_line(&handle));
            let handle = handle.unwrap_or_else(|| "-".to_owned());
            say(&format!("{:<9}  {}  {handle}  {}", follower.state, follower.signed_at, follower.actor))?;
        }
    }
    if is_empty { say("no followers") } else { Ok(()) }
}
