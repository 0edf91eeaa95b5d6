//! `marquee quote`: list and revoke quotes of reviews.

use anyhow::Context;
use clap::Subcommand;

use super::output::print_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::{App, quote_revocation};
use crate::store::authorizations;

/// Maximum number of quotes to show.
const MAX_LISTED: u32 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum QuoteCommand {
    /// List posts that are authorized to quote a review, and revoked quotes, newest first.
    List,
    /// Revoke a quote permanently. Other servers stop showing it.
    Revoke {
        /// Id of the quote, as shown by `marquee quote list`.
        id: String,
    },
}

pub(super) async fn run(app: &App, command: QuoteCommand) -> anyhow::Result<()> {
    match command {
        QuoteCommand::List => {
            let found = authorizations::list_newest(&app.db, MAX_LISTED).await?;
            if found.is_empty() {
                print_line("no quotes")?;
            }
            for quote in found {
                let article = app.origin.article(quote.review_id);
                print_line(&format!(
                    "{}  {}  {}  quotes {article}",
                    quote.id,
                    quote.state,
                    Untrusted::new(&quote.note_uri)
                ))?;
            }
            Ok(())
        }
        QuoteCommand::Revoke { id } => {
            let id = id.parse().ok().with_context(|| {
                format!("{id:?} is not the id of a quote; run `marquee quote list` to see all ids")
            })?;
            quote_revocation::revoke(app, id).await?;
            print_line(&format!("Revoked: {}", app.origin.quote_authorization(id)))
        }
    }
}
