//! `marquee block`: whom the critics do not want to hear.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{log_to_stderr, open, say};
use crate::app::{self, SystemClock};
use crate::config;
use crate::domain::moderation::Rule;
use crate::domain::text::one_line;
use crate::flows::block::{self, Imported};
use crate::flows::{App, find};
use crate::sources::blocklist;
use crate::store::blocks::{self, Ended};

#[derive(Debug, Subcommand)]
pub(super) enum Block {
    /// Block an account: it follows no longer, its comments are hidden, nothing it sends is taken.
    Account {
        /// `@user@host`, or the address of the account.
        who: String,
        /// A note of your own, which nobody else sees.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Block a server and its subdomains, or silence it.
    Domain {
        /// The domain, like example.org.
        host: String,
        /// Its people may still follow; what they write waits for you.
        #[arg(long)]
        silence: bool,
        /// A note of your own, which nobody else sees.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Allow a server: where only named servers are heard, or under a blocked domain.
    Allow {
        /// The domain, like example.org.
        host: String,
        /// A note of your own, which nobody else sees.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take over a list: Mastodon's CSV of blocked domains, or one domain a line; whole or not at all.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// All rules and blocks.
    List,
    /// Take a rule or a block back. What it hid stays hidden until it is shown by `marquee comment show`.
    Remove {
        /// The domain, `@user@host`, or the address of the account.
        subject: String,
    },
}

pub(super) async fn run(file: &Path, command: Block) -> anyhow::Result<()> {
    match command {
        Block::Account { who, reason } => {
            let app = open(file).await?;
            let actor = find::actor(&app, &who).await?;
            let ended = block::account(&app, &actor, reason.as_deref()).await?;
            say(&format!("Blocked: {actor} ({})", told(ended)))
        }
        Block::Domain { host, silence, reason } => {
            let app = open(file).await?;
            let host = block::domain(&app, &host)?;
            let rule = if silence { Rule::Silence } else { Rule::Block };
            let (before, ended) = block::rule(&app, &host, rule, reason.as_deref()).await?;
            let before = replaced(before, rule);
            match rule {
                Rule::Block => say(&format!("Blocked: {host} and its subdomains ({}){before}", told(ended))),
                _ => say(&format!(
                    "Silenced: {host} and its subdomains (what they write from now on is held){before}"
                )),
            }
        }
        Block::Allow { host, reason } => {
            let app = open(file).await?;
            let host = block::domain(&app, &host)?;
            let (before, _) = block::rule(&app, &host, Rule::Allow, reason.as_deref()).await?;
            say(&format!("Allowed: {host} and its subdomains{}", replaced(before, Rule::Allow)))
        }
        Block::Import { file: list } => {
            let app = open(file).await?;
            import(&app, &list).await
        }
        Block::List => list(file).await,
        Block::Remove { subject } => remove(&open(file).await?, &subject).await,
    }
}

/// What a rule takes the place of.
fn replaced(before: Option<Rule>, rule: Rule) -> String {
    match before {
        None => String::new(),
        Some(before) if before == rule => "; it was so before".to_owned(),
        Some(before) => format!("; this takes the place of a rule to {} it", before.as_str()),
    }
}

fn told(ended: Ended) -> String {
    let many = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    format!("{} removed, {} hidden", many(ended.followers, "follower"), many(ended.comments, "comment"))
}

async fn import(app: &App, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let wrong = || format!("{}: nothing was imported", path.display());
    let listed = blocklist::parse(&bytes).with_context(wrong)?;
    let imported = block::import(app, &listed).await.with_context(wrong)?;
    let Imported { blocked, silenced, kept, noop, own, obfuscated, ended } = imported;
    say(&format!("Imported: {blocked} blocked, {silenced} silenced ({})", told(ended)))?;
    if kept > 0 {
        say(&format!("{kept} left as they were: there was a rule about them"))?;
    }
    if noop > 0 {
        say(&format!("{noop} skipped: the list wants nothing for them"))?;
    }
    if own > 0 {
        say(&format!("{own} skipped: this site's own"))?;
    }
    if !obfuscated.is_empty() {
        say(&format!("{} skipped, whose names are obfuscated: {}", obfuscated.len(), obfuscated.join(", ")))?;
    }
    Ok(())
}

async fn list(file: &Path) -> anyhow::Result<()> {
    log_to_stderr("warn");
    let app = app::open_to_read(&config::load(file)?, Arc::new(SystemClock)).await?;
    let all = blocks::all(&app.db).await?;
    if all.is_empty() {
        return say("no rules and no blocks");
    }
    for entry in &all {
        let reason = entry.reason.as_deref().map(|reason| format!("  {}", one_line(reason)));
        let reason = reason.unwrap_or_default();
        say(&format!("{:<8} {}  {}{reason}", entry.rule, entry.created_at, entry.subject))?;
    }
    Ok(())
}

async fn remove(app: &App, named: &str) -> anyhow::Result<()> {
    let subject = match block::domain(app, named) {
        Ok(host) => host,
        Err(_) => find::actor(app, named).await?.to_string(),
    };
    if !block::remove(app, &subject).await? {
        bail!("there is no rule about {subject}; `marquee block list` has them all");
    }
    say(&format!("Removed the rule about {subject}. What it hid stays hidden until `marquee comment show`."))
}
