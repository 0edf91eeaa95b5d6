//! `marquee report`: list and close reports.

use anyhow::{Context, ensure};
use clap::Subcommand;

use super::output::print_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::App;
use crate::store::reports;

/// Maximum number of reports to show.
const MAX_LISTED: u32 = 200;

/// Characters of a report that are shown.
const MAX_CONTENT_CHARACTERS: usize = 2000;

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// List open reports, oldest first.
    List,
    /// Close a report.
    Close {
        /// Id of the report, as shown by `marquee report list`.
        id: String,
    },
}

pub(super) async fn run(app: &App, command: ReportCommand) -> anyhow::Result<()> {
    match command {
        ReportCommand::List => {
            let found = reports::list_open(&app.db, MAX_LISTED).await?;
            if found.is_empty() {
                print_line("no open reports")?;
            }
            for report in found {
                print_line(&format!(
                    "{}  {}  by {}",
                    report.id,
                    report.created_at,
                    Untrusted::new(&report.actor)
                ))?;
                for object in &report.objects {
                    print_line(&format!("    about {}", Untrusted::new(object)))?;
                }
                print_line(&format!("    {}", Untrusted::up_to(MAX_CONTENT_CHARACTERS, &report.content)))?;
            }
            Ok(())
        }
        ReportCommand::Close { id } => {
            let parsed = id.parse().ok().with_context(|| {
                format!("{id:?} is not the id of a report; run `marquee report list` to see all ids")
            })?;
            let mut tx = app.db.begin().await?;
            ensure!(
                reports::close(&mut tx, parsed).await?,
                "no open report with the id {id}; run `marquee report list` to see all open reports"
            );
            tx.commit().await?;
            print_line(&format!("Closed: {id}"))
        }
    }
}
