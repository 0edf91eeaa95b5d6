//! `marquee quote`: list and revoke quotes of reviews.

use anyhow::Context;
use clap::Subcommand;

use super::say;
use crate::flows::{App, quote};
use crate::store::authorizations;

/// Maximum number of quotes to show.
const MOST_LISTED: u32 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum Quote {
    /// List posts that were authorized to quote a review, newest first.
    List,
    /// Revoke a quote permanently. Other servers stop showing it.
    Revoke {
        /// Id of the quote, as shown by `marquee quote list`.
        id: String,
    },
}

pub(super) async fn run(app: &App, command: Quote) -> anyhow::Result<()> {
    match command {
        Quote::List => {
            let found = authorizations::list_newest(&app.db, MOST_LISTED).await?;
            if found.is_empty() {
                say("no quotes")?;
            }
            for stamp in found {
                let article = app.origin.article(stamp.review_id);
                say(&format!("{}  {}  {}  quotes {article}", stamp.id, stamp.state, stamp.note_uri))?;
            }
            Ok(())
        }
        Quote::Revoke { id } => {
            let id = id.parse().ok().with_context(|| format!("{id:?} is not the id of a quote"))?;
            quote::revoke(app, id).await?;
            say(&format!("Revoked: {}", app.origin.quote_authorization(id)))
        }
    }
}
