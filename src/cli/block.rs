//! `marquee block`: block accounts and servers.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::config_hint::with_config;
use super::output::print_line;
use super::{open, open_or_create, open_read_only};
use crate::domain::domain_rules::DomainRule;
use crate::domain::sanitize_text::single_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::blocklist_import::{self, BlocklistImport};
use crate::flows::{App, block, lookup};
use crate::sources::blocklist;
use crate::store::blocks;
use crate::store::severed_relations::SeveredCounts;

#[derive(Debug, Subcommand)]
pub(super) enum BlockCommand {
    /// Block an account: remove it as a follower, hide its comments and reject its activities.
    Account {
        /// `@user@host`, or the URL of the account.
        account: String,
        /// A private note.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Block or silence a server and its subdomains.
    Domain {
        /// Domain, such as example.org.
        host: String,
        /// Let its users follow, but hold their comments for approval.
        #[arg(long)]
        silence: bool,
        /// A private note.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Allow a server in allow-list mode, or as an exception to a blocked domain.
    Allow {
        /// Domain, such as example.org.
        host: String,
        /// A private note.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Import a blocklist: a CSV file from Mastodon, or one domain per line. If any line is invalid, nothing is imported.
    Import {
        /// Path of the blocklist.
        file: PathBuf,
    },
    /// List blocks and rules.
    List,
    /// Remove a block or rule. Comments that it hid stay hidden until you run `marquee comment show`.
    Remove {
        /// Domain, `@user@host`, or the URL of the account.
        subject: String,
    },
}

pub(super) async fn run(file: &Path, command: BlockCommand) -> anyhow::Result<()> {
    match command {
        BlockCommand::Account { account, reason } => {
            let app = open_or_create(file).await?;
            let actor = lookup::find_actor_id(&app, &account).await?;
            let ended = block::block_account(&app, &actor, reason.as_deref()).await?;
            print_line(&format!("Blocked: {} ({})", Untrusted::new(&actor), format_severed(ended)))
        }
        BlockCommand::Domain { host, silence, reason } => {
            let app = open_or_create(file).await?;
            let host = block::parse_domain(&app, &host)?;
            let rule = if silence { DomainRule::Silence } else { DomainRule::Block };
            let (before, ended) = block::set_domain_rule(&app, &host, rule, reason.as_deref()).await?;
            let before = describe_replaced(before, rule);
            match rule {
                DomainRule::Block => print_line(&format!(
                    "Blocked: {host} and its subdomains ({}){before}",
                    format_severed(ended)
                )),
                _ => print_line(&format!(
                    "Silenced: {host} and its subdomains (new comments will be held){before}"
                )),
            }
        }
        BlockCommand::Allow { host, reason } => {
            let app = open_or_create(file).await?;
            let host = block::parse_domain(&app, &host)?;
            let (before, _) =
                block::set_domain_rule(&app, &host, DomainRule::Allow, reason.as_deref()).await?;
            print_line(&format!(
                "Allowed: {host} and its subdomains{}",
                describe_replaced(before, DomainRule::Allow)
            ))
        }
        BlockCommand::Import { file: list } => {
            let app = open_or_create(file).await?;
            import(&app, &list).await
        }
        BlockCommand::List => list(file).await,
        BlockCommand::Remove { subject } => remove(file, &subject).await,
    }
}

/// Describes the rule that the new one replaces, if there was one.
fn describe_replaced(before: Option<DomainRule>, rule: DomainRule) -> String {
    match before {
        None => String::new(),
        Some(before) if before == rule => "; the rule already existed".to_owned(),
        Some(before) => format!("; this replaces the rule to {} it", before.as_str()),
    }
}

fn format_severed(ended: SeveredCounts) -> String {
    let many = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{} removed, {} hidden", many(ended.followers, "follower"), many(ended.comments, "comment"))
}

async fn import(app: &App, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let context = || format!("{}: nothing was imported", path.display());
    let listed = blocklist::parse(&bytes).with_context(context)?;
    let imported = blocklist_import::import_blocklist(app, &listed).await.with_context(context)?;
    let BlocklistImport { blocked, silenced, kept, noop, own, obfuscated, ended } = imported;
    print_line(&format!("Imported: {blocked} blocked, {silenced} silenced ({})", format_severed(ended)))?;
    if kept > 0 {
        print_line(&format!("{kept} unchanged because they already have a rule"))?;
    }
    if noop > 0 {
        print_line(&format!("{noop} skipped because the list does not restrict them"))?;
    }
    if own > 0 {
        print_line(&format!("{own} skipped: this site's own domain"))?;
    }
    if !obfuscated.is_empty() {
        print_line(&format!(
            "{} skipped because their names are obfuscated: {}",
            obfuscated.len(),
            obfuscated.join(", ")
        ))?;
    }
    Ok(())
}

async fn list(file: &Path) -> anyhow::Result<()> {
    let app = open_read_only(file).await?;
    let all = blocks::list_all(&app.db).await?;
    if all.is_empty() {
        return print_line("no blocks or rules");
    }
    for entry in &all {
        let reason = entry.reason.as_deref().map(|reason| format!("  {}", single_line(reason)));
        let reason = reason.unwrap_or_default();
        print_line(&format!(
            "{:<8} {}  {}{reason}",
            entry.kind,
            entry.created_at,
            Untrusted::new(&entry.subject)
        ))?;
    }
    Ok(())
}

async fn remove(file: &Path, argument: &str) -> anyhow::Result<()> {
    let app = &open(file).await?;
    let subject = match block::parse_domain(app, argument) {
        Ok(host) => host,
        Err(_) => lookup::find_actor_id(app, argument).await?.to_string(),
    };
    if !block::remove_rule(app, &subject).await? {
        bail!("no block or rule for {subject}: run `marquee block list` to see all of them");
    }
    let command = with_config("marquee comment show", file);
    print_line(&format!(
        "Removed the rule for {subject}. Hidden comments stay hidden until you run `{command}`."
    ))
}
