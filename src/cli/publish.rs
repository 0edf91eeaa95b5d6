//! `marquee publish`: publish a review from a Markdown file.

use std::path::{Path, PathBuf};

use super::arguments::select_critic;
use super::open_or_create;
use super::output::print_line;
use super::review_file::read_review_file;
use crate::domain::review::ReviewState;
use crate::flows::publish;

#[derive(Debug, clap::Args)]
pub(super) struct PublishArgs {
    /// The Markdown file.
    file: PathBuf,
    /// Handle of the author; required if the site has several critics.
    #[arg(long)]
    critic: Option<String>,
    /// Send the review to followers even if its date is more than seven days ago. This also works for a review that is archived
    /// already.
    #[arg(long)]
    announce: bool,
}

pub(super) async fn run(config: &Path, args: PublishArgs) -> anyhow::Result<()> {
    let app = open_or_create(config).await?;
    let critic = select_critic(&app, args.critic.as_deref()).await?;
    let (content, media) = read_review_file(&app, &args.file, None).await?;
    let review = publish::publish(&app, &critic, content, media, args.announce).await?;
    match review.state {
        ReviewState::Scheduled => {
            let at = review.released_at;
            print_line(&format!("Scheduled for {at}: {}", app.origin.review_page(&review)))
        }
        ReviewState::Archive => print_line(&format!(
            "Archived, sent to nobody: {}\nIts date is more than seven days ago. To send it to followers, publish it again with --announce.",
            app.origin.review_page(&review)
        )),
        _ => print_line(&format!(
            "Published: {} (the server will deliver it)",
            app.origin.review_page(&review)
        )),
    }
}
