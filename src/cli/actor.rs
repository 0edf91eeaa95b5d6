//! `marquee actor`: show what an account of another server uses.

use clap::Subcommand;

use super::output::print_line;
use super::owner_usage::print_usage;
use crate::domain::owner::Owner;
use crate::flows::{App, lookup};
use crate::store::comments;

#[derive(Debug, Subcommand)]
pub(super) enum ActorCommand {
    /// Show what an account has used of its budgets, and its comments.
    Show {
        /// `@user@host`, or the URL of the account.
        account: String,
    },
}

pub(super) async fn run(app: &App, command: ActorCommand) -> anyhow::Result<()> {
    let ActorCommand::Show { account } = command;
    let actor = lookup::find_actor_id(app, &account).await?;
    print_line(actor.as_str())?;
    let counts = comments::count_by_actor(&app.db, &actor).await?;
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    print_line(&format!(
        "comments: {}",
        if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
    ))?;
    print_usage(app, &[Owner::actor(&actor)]).await
}
