//! `marquee delivery` and `marquee host`: show delivery status and servers that do not respond.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Subcommand;

use super::{find, say};
use crate::flows::App;
use crate::store::delivery_status::{self, ActivityDeliveryStatus, FailedDelivery};
use crate::store::hosts;

/// Maximum number of deferred and of failed deliveries to show.
const MOST_LISTED: u32 = 20;

/// Maximum number of hosts to show.
const MOST_HOSTS: u32 = 200;

/// Width of the progress bar in characters.
const BAR: u64 = 40;

#[derive(Debug, Subcommand)]
pub(super) enum Delivery {
    /// Show how many inboxes have received a review, which will be retried when, and which failed and why.
    Status {
        /// Id, slug or URL of the review.
        review: String,
        /// Wait until every server that responds has received it.
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Host {
    /// List servers that do not respond, and when they will be tried again.
    List,
}

pub(super) async fn run(app: &App, command: Delivery) -> anyhow::Result<()> {
    let Delivery::Status { review, wait } = command;
    let review = find(app, &review).await?;
    let article = app.origin.article(review.id);
    if wait {
        watch(app, &article).await?;
    }
    let all = delivery_status::list_for_object(&app.db, &article).await?;
    if all.is_empty() {
        say("nothing has been sent for this review")?;
    }
    for sent in all {
        tell(app, &sent).await?;
    }
    Ok(())
}

async fn tell(app: &App, sent: &ActivityDeliveryStatus) -> anyhow::Result<()> {
    let more = if sent.is_expanding { ", still adding inboxes" } else { "" };
    let (done, queued, failed) = (sent.done(), sent.queued(), sent.failed());
    say(&format!(
        "{} at {}: {done} delivered, {queued} queued, {failed} failed{more}",
        sent.kind, sent.created_at
    ))?;
    if std::io::stdout().is_terminal() {
        say(&format!("    {}", bar(sent)))?;
    }
    let line = |what: &str, trouble: &FailedDelivery| {
        let FailedDelivery { inbox, attempts, at, error } = trouble;
        let error = error.as_deref().unwrap_or("no response");
        let error = error.trim_end_matches([':', ' ']);
        let times = if *attempts == 1 { "attempt" } else { "attempts" };
        format!("    {what} {at}  {inbox}  after {attempts} {times}: {error}")
    };
    let deferred = delivery_status::list_deferred(&app.db, sent.id, MOST_LISTED).await?;
    for trouble in &deferred {
        say(&line("retry at", trouble))?;
    }
    // Where not all that are deferred are listed, nobody knows how many are not.
    let others = queued.saturating_sub(deferred.len() as u64);
    if others > 0 && deferred.len() < MOST_LISTED as usize {
        say(&format!("    {others} more in flight or queued behind another delivery to the same server"))?;
    }
    for trouble in delivery_status::list_failed(&app.db, sent.id, MOST_LISTED).await? {
        say(&line("failed", &trouble))?;
    }
    Ok(())
}

fn bar(sent: &ActivityDeliveryStatus) -> String {
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
        let all = delivery_status::list_for_object(&app.db, article).await?;
        let mut is_over = true;
        for sent in &all {
            is_over &= !sent.is_expanding
                && !delivery_status::is_in_transit(&app.db, sent.id, app.clock.now()).await?;
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
    let all = hosts::list_failing(&app.db, MOST_HOSTS).await?;
    if all.is_empty() {
        say("all servers respond")?;
    }
    for host in all {
        let since = host.failing_since.map(|at| format!("since {at}")).unwrap_or_default();
        let next = host.closed_until.map(|at| format!(", next attempt {at}")).unwrap_or_default();
        let error = host.last_error.unwrap_or_default();
        let failures = if host.failures == 1 { "failure" } else { "failures" };
        say(&format!("{}  {} {failures} {since}{next}: {error}", host.host, host.failures))?;
    }
    Ok(())
}
