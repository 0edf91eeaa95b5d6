//! `marquee report`: list and close reports.

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::say;
use crate::flows::App;
use crate::store::reports;

/// Maximum number of reports to show.
const MOST_LISTED: u32 = 200;

#[derive(Debug, Subcommand)]
pub(super) enum Report {
    /// List open reports, oldest first.
    List,
    /// Close a report.
    Close {
        /// Id of the report, as shown by `marquee report list`.
        id: String,
    },
}

pub(super) async fn run(app: &App, command: Report) -> anyhow::Result<()> {
    match command {
        Report::List => {
            let found = reports::list_open(&app.db, MOST_LISTED).await?;
            if found.is_empty() {
                say("no reports")?;
            }
            for report in found {
                say(&format!("{}  {}  by {}", report.id, report.created_at, report.actor))?;
                for object in &report.objects {
                    say(&format!("    about {object}"))?;
                }
                say(&format!("    {}", report.content))?;
            }
            Ok(())
        }
        Report::Close { id } => {
            let parsed = id.parse().ok().with_context(|| format!("{id:?} is not the id of a report"))?;
            let mut tx = app.db.begin().await?;
            ensure!(reports::close(&mut tx, parsed).await?, "no open report with the id {id}");
            tx.commit().await?;
            say(&format!("Closed: {id}"))
        }
    }
}
