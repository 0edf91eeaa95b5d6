//! `marquee delivery` and `marquee host`: how far a review has come, and who does not answer.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Subcommand;

use super::{find, say};
use crate::flows::App;
use crate::store::hosts;
use crate::store::reach::{self, Sent, Trouble};

/// Lines of each kind.
const MOST_LISTED: u32 = 20;

/// Hosts that are listed at once.
const MOST_HOSTS: u32 = 200;

/// How wide the bar is.
const BAR: u64 = 40;

#[derive(Debug, Subcommand)]
pub(super) enum Delivery {
    /// How many inboxes have a review, which wait and until when, which failed and why.
    Status {
        /// The review: its id, its slug, or the address of its page.
        review: String,
        /// Stay until it arrived wherever anybody answers.
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Host {
    /// The servers that do not answer, and when they are tried again.
    List,
}

pub(super) async fn run(app: &App, command: Delivery) -> anyhow::Result<()> {
    let Delivery::Status { review, wait } = command;
    let review = find(app, &review).await?;
    let article = app.origin.article(review.id);
    if wait {
        watch(app, &article).await?;
    }
    let all = reach::about(&app.db, &article).await?;
    if all.is_empty() {
        say("nothing was sent about it")?;
    }
    for sent in all {
        tell(app, &sent).await?;
    }
    Ok(())
}

async fn tell(app: &App, sent: &Sent) -> anyhow::Result<()> {
    let more = if sent.is_expanding { ", more inboxes are still being listed" } else { "" };
    let (done, queued, failed) = (sent.done(), sent.queued(), sent.failed());
    say(&format!(
        "{} of {}: {done} have it, {queued} wait, {failed} failed{more}",
        sent.kind, sent.created_at
    ))?;
    if std::io::stdout().is_terminal() {
        say(&format!("    {}", bar(sent)))?;
    }
    let line = |what: &str, trouble: &Trouble| {
        let Trouble { inbox, attempts, at, error } = trouble;
        let error = error.as_deref().unwrap_or("no answer");
        let error = error.trim_end_matches([':', ' ']);
        let times = if *attempts == 1 { "attempt" } else { "attempts" };
        format!("    {what} {at}  {inbox}  after {attempts} {times}: {error}")
    };
    let deferred = reach::deferred(&app.db, sent.id, MOST_LISTED).await?;
    for trouble in &deferred {
        say(&line("waits until", trouble))?;
    }
    // Where not all that are deferred are listed, nobody knows how many are not.
    let others = queued.saturating_sub(deferred.len() as u64);
    if others > 0 && deferred.len() < MOST_LISTED as usize {
        say(&format!("    {others} more are on their way, or wait behind another to the same server"))?;
    }
    for trouble in reach::failed(&app.db, sent.id, MOST_LISTED).await? {
        say(&line("failed", &trouble))?;
    }
    Ok(())
}

fn bar(sent: &Sent) -> String {
    let (over, all) = (sent.done() + sent.failed(), sent.done() + sent.failed() + sent.queued());
    let filled = (over * BAR).checked_div(all).unwrap_or(BAR);
    let cell = |place| if place < filled { '█' } else { '░' };
    format!("{} {over}/{all}", (0..BAR).map(cell).collect::<String>())
}

/// Until everything arrived, was given up, or waits for a server that does not answer. Draws as it goes.
async fn watch(app: &App, article: &url::Url) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let draws = out.is_terminal();
    loop {
        let all = reach::about(&app.db, article).await?;
        let mut is_over = true;
        for sent in &all {
            is_over &= !sent.is_expanding && !reach::is_on_its_way(&app.db, sent.id, app.clock.now()).await?;
        }
        if let (true, Some(last)) = (draws, all.last()) {
            write!(out, "\r{}", bar(last))?;
            out.flush()?;
        }
        if is_over {
            if draws {
                writeln!(out)?;
            }
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

pub(super) async fn run_host(app: &App, command: Host) -> anyhow::Result<()> {
    let Host::List = command;
    let all = hosts::failing(&app.db, MOST_HOSTS).await?;
    if all.is_empty() {
        say("all servers answer")?;
    }
    for host in all {
        let since = host.failing_since.map(|at| format!("since {at}")).unwrap_or_default();
        let next = host.closed_until.map(|at| format!(", next try {at}")).unwrap_or_default();
        let error = host.last_error.unwrap_or_default();
        let failures = if host.failures == 1 { "failure" } else { "failures" };
        say(&format!("{}  {} {failures} {since}{next}: {error}", host.host, host.failures))?;
    }
    Ok(())
}
