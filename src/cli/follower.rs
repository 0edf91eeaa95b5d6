//! `marquee follower`: list, accept and remove followers.

use std::path::Path;

use clap::{Subcommand, ValueEnum};

use super::arguments::select_critic;
use super::output::print_line;
use super::{open, open_read_only};
use crate::domain::follower::FollowState;
use crate::domain::sanitize_text::single_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::{App, follow_requests, lookup};
use crate::store::{actors, followers};

#[derive(Debug, Subcommand)]
pub(super) enum FollowerCommand {
    /// List follow requests, then followers, oldest first.
    List {
        /// Show only followers in this state.
        #[arg(long, value_enum)]
        state: Option<FollowStateFilter>,
        /// Maximum number of followers to show in each state.
        #[arg(long, default_value_t = 1000)]
        lines: u32,
        /// Handle of the critic; required if the site has several critics.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Accept a follow request.
    Accept(FollowerArgs),
    /// Reject a follow request.
    Reject(FollowerArgs),
    /// Remove a follower, who is notified and can follow again unless blocked.
    Remove(FollowerArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct FollowerArgs {
    /// `@user@host`, or the URL of the account.
    account: String,
    /// Handle of the critic; required if the site has several critics.
    #[arg(long)]
    critic: Option<String>,
}

/// The state of a follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FollowStateFilter {
    /// Waiting for the critic's decision.
    Pending,
    /// Accepted.
    Following,
}

impl FollowStateFilter {
    const fn to_follow_state(self) -> FollowState {
        match self {
            Self::Pending => FollowState::Pending,
            Self::Following => FollowState::Following,
        }
    }
}

pub(super) async fn run(file: &Path, command: FollowerCommand) -> anyhow::Result<()> {
    match command {
        FollowerCommand::List { state, lines, critic } => {
            let app = open_read_only(file).await?;
            list(&app, state, lines, critic.as_deref()).await
        }
        FollowerCommand::Accept(args) => {
            let app = open(file).await?;
            let (critic, actor) = resolve_follower(&app, &args).await?;
            follow_requests::accept_follower(&app, critic, &actor).await?;
            print_line(&format!("Accepted: {}", Untrusted::new(&actor)))
        }
        FollowerCommand::Reject(args) => {
            let app = open(file).await?;
            let (critic, actor) = resolve_follower(&app, &args).await?;
            follow_requests::reject_follower(&app, critic, &actor).await?;
            print_line(&format!("Rejected: {}", Untrusted::new(&actor)))
        }
        FollowerCommand::Remove(args) => {
            let app = open(file).await?;
            let (critic, actor) = resolve_follower(&app, &args).await?;
            follow_requests::reject_follower(&app, critic, &actor).await?;
            print_line(&format!("Removed: {}", Untrusted::new(&actor)))
        }
    }
}

async fn resolve_follower(
    app: &App,
    args: &FollowerArgs,
) -> anyhow::Result<(crate::domain::id::CriticId, url::Url)> {
    let critic = select_critic(app, args.critic.as_deref()).await?;
    Ok((critic.id, lookup::find_actor_id(app, &args.account).await?))
}

async fn list(
    app: &App,
    state: Option<FollowStateFilter>,
    lines: u32,
    critic: Option<&str>,
) -> anyhow::Result<()> {
    let critic = select_critic(app, critic).await?;
    let mut is_empty = true;
    for wanted in [FollowStateFilter::Pending, FollowStateFilter::Following] {
        if state.is_some_and(|state| state != wanted) {
            continue;
        }
        for follower in followers::list_by_state(&app.db, critic.id, wanted.to_follow_state(), lines).await? {
            is_empty = false;
            let known = actors::find_by_uri(&app.db, &url::Url::parse(&follower.actor)?).await?;
            let handle = known
                .and_then(|known| known.handle)
                .map(|handle| Untrusted::new(&single_line(&handle)).to_string());
            let handle = handle.unwrap_or_else(|| "-".to_owned());
            print_line(&format!(
                "{:<9}  {}  {handle}  {}",
                follower.state,
                follower.signed_at,
                Untrusted::new(&follower.actor)
            ))?;
        }
    }
    if is_empty { print_line("no followers") } else { Ok(()) }
}
