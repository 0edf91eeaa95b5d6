//! `marquee quote`: who quotes the reviews.

use anyhow::Context;
use clap::Subcommand;

use super::say;
use crate::flows::{App, quote};
use crate::store::stamps;

/// Lines that are listed.
const MOST_LISTED: u32 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum Quote {
    /// The posts that were let quote a review, the newest first.
    List,
    /// Take a quote back, for good: other servers show it no longer.
    Revoke {
        /// The quote's id, which the list names.
        id: String,
    },
}

pub(super) async fn run(app: &App, command: Quote) -> anyhow::Result<()> {
    match command {
        Quote::List => {
            let found = stamps::newest(&app.db, MOST_LISTED).await?;
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
            let id = id.parse().ok().with_context(|| format!("{id:?} is no quote's id"))?;
            quote::revoke(app, id).await?;
            say(&format!("Revoked: {}", app.origin.stamp(id)))
        }
    }
}
