//! `marquee delivery`: show delivery status.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Subcommand;

use super::arguments::require_review;
use super::output::print_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::delivery_status::{self, ActivityDeliveryStatus, FailedDelivery};

/// Maximum number of deferred and of failed deliveries to show.
const MAX_LISTED: u32 = 20;

/// Width of the progress bar in characters.
const BAR_WIDTH: u64 = 40;

#[derive(Debug, Subcommand)]
pub(super) enum DeliveryCommand {
    /// Show how many inboxes have received a review, which ones will be retried, and which ones failed.
    Status {
        /// Id, slug or URL of the review.
        review: String,
        /// Wait until every server has received it or has failed to respond.
        #[arg(long)]
        wait: bool,
    },
}

pub(super) async fn run(app: &App, command: DeliveryCommand) -> anyhow::Result<()> {
    let DeliveryCommand::Status { review, wait } = command;
    let review = require_review(app, &review).await?;
    let article = app.origin.article(review.id);
    if wait {
        wait_for_delivery(app, &article).await?;
    }
    let all = delivery_status::list_for_object(&app.db, &article).await?;
    if all.is_empty() {
        print_line("nothing has been sent for this review")?;
    }
    for sent in all {
        print_status(app, &sent).await?;
    }
    Ok(())
}

async fn print_status(app: &App, sent: &ActivityDeliveryStatus) -> anyhow::Result<()> {
    let more = if sent.is_expanding { ", still adding inboxes" } else { "" };
    let (done, queued, failed) = (sent.done(), sent.queued(), sent.failed());
    print_line(&format!(
        "{} at {}: {done} delivered, {queued} queued, {failed} failed{more}",
        sent.kind, sent.created_at
    ))?;
    if std::io::stdout().is_terminal() {
        print_line(&format!("    {}", progress_bar(sent)))?;
    }
    let line = |label: &str, delivery: &FailedDelivery| {
        let FailedDelivery { inbox, attempts, at, error } = delivery;
        let error = error.as_deref().unwrap_or("no response");
        let error = error.trim_end_matches([':', ' ']);
        let (inbox, error) = (Untrusted::new(inbox), Untrusted::chain(&error));
        let times = if *attempts == 1 { "attempt" } else { "attempts" };
        format!("    {label} {at}  {inbox}  after {attempts} {times}: {error}")
    };
    let deferred = delivery_status::list_deferred(&app.db, sent.id, MAX_LISTED).await?;
    for delivery in &deferred {
        print_line(&line("retry at", delivery))?;
    }
    // If the list of deferred deliveries is cut off, the number of the others is unknown.
    let others = queued.saturating_sub(deferred.len() as u64);
    if others > 0 && deferred.len() < MAX_LISTED as usize {
        print_line(&format!(
            "    {others} more in flight or queued behind another delivery to the same server"
        ))?;
    }
    for delivery in delivery_status::list_failed(&app.db, sent.id, MAX_LISTED).await? {
        print_line(&line("failed", &delivery))?;
    }
    Ok(())
}

fn progress_bar(sent: &ActivityDeliveryStatus) -> String {
    let (finished, all) = (sent.done() + sent.failed(), sent.done() + sent.failed() + sent.queued());
    let filled = (finished * BAR_WIDTH).checked_div(all).unwrap_or(BAR_WIDTH);
    let cell = |position| if position < filled { '█' } else { '░' };
    format!("{} {finished}/{all}", (0..BAR_WIDTH).map(cell).collect::<String>())
}

/// Waits until every delivery has arrived, failed, or been deferred. Draws a progress bar on a terminal.
async fn wait_for_delivery(app: &App, article: &url::Url) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let is_terminal = out.is_terminal();
    loop {
        let all = delivery_status::list_for_object(&app.db, article).await?;
        let mut is_finished = true;
        for sent in &all {
            is_finished &= !sent.is_expanding
                && !delivery_status::is_in_transit(&app.db, sent.id, app.clock.now()).await?;
        }
        if let (true, Some(last)) = (is_terminal, all.last()) {
            write!(out, "\r{}", progress_bar(last))?;
            out.flush()?;
        }
        if is_finished {
            if is_terminal {
                writeln!(out)?;
            }
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
