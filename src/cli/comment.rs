//! `marquee comment`: moderate comments and reply to them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::arguments::{find_review, require_review, select_critic};
use super::output::print_line;
use super::{open, open_read_only};
use crate::domain::comment::{CommentState, CriticReply};
use crate::domain::id::ReviewId;
use crate::domain::sanitize_text::single_line;
use crate::domain::untrusted::Untrusted;
use crate::flows::critic_reply::{self, ReplyTarget};
use crate::flows::moderate::{self, CommentAction};
use crate::flows::{App, lookup};
use crate::sources::html;
use crate::store::comment_moderation::{self, CommentListItem, ModeratedComment};

/// Characters of a comment that are shown in a list.
const EXCERPT_CHARS: usize = 160;

/// Bytes of a reply that are read; longer texts are cut off here and rejected later.
const MAX_REPLY_BYTES: u64 = 1_000_000;

#[derive(Debug, Subcommand)]
pub(super) enum CommentCommand {
    /// List comments, newest first.
    List {
        /// Id, slug or URL of the review [default: all reviews].
        review: Option<String>,
        /// Show only comments in this state.
        #[arg(long, value_enum)]
        state: Option<CommentStateFilter>,
        /// Maximum number of comments to show.
        #[arg(long, default_value_t = 100)]
        lines: u32,
    },
    /// Reply publicly to a comment or a review.
    #[command(override_usage = "marquee comment reply [OPTIONS] <TO> <FILE|--text <TEXT>>")]
    Reply {
        /// Id or URL of the comment, or id, slug or URL of the review.
        to: String,
        #[command(flatten)]
        text: ReplyText,
        /// Handle of the critic who replies [default: the author of the review].
        #[arg(long)]
        critic: Option<String>,
    },
    /// Edit a reply by the critic and send the update.
    #[command(override_usage = "marquee comment edit [OPTIONS] <COMMENT> <FILE|--text <TEXT>>")]
    Edit {
        /// Id or URL of the reply.
        comment: String,
        #[command(flatten)]
        text: ReplyText,
    },
    /// Permanently delete a reply by the critic, or remove the text of someone else's comment.
    Delete {
        /// Id or URL of the comment.
        comment: String,
    },
    /// Hide a comment.
    Hide {
        /// Id or URL of the comment.
        comment: String,
    },
    /// Show a hidden comment.
    Show {
        /// Id or URL of the comment.
        comment: String,
    },
    /// Approve a held comment and its author, and show the author's other held comments.
    Approve {
        /// Id or URL of the comment.
        comment: String,
    },
    /// Reject a held comment.
    Reject {
        /// Id or URL of the comment.
        comment: String,
    },
}

/// A text in Markdown.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct ReplyText {
    /// Markdown file with the text, or `-` for standard input.
    file: Option<PathBuf>,
    /// The text, in Markdown.
    #[arg(long)]
    text: Option<String>,
}

/// The state of a comment.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CommentStateFilter {
    /// Visible on the page.
    Shown,
    /// Waiting for the critic's decision.
    Held,
    /// Hidden by the critic.
    Hidden,
}

impl CommentStateFilter {
    const fn to_comment_state(self) -> CommentState {
        match self {
            Self::Shown => CommentState::Shown,
            Self::Held => CommentState::Held,
            Self::Hidden => CommentState::Hidden,
        }
    }
}

pub(super) async fn run(file: &Path, command: CommentCommand) -> anyhow::Result<()> {
    match command {
        CommentCommand::List { review, state, lines } => list(file, review.as_deref(), state, lines).await,
        CommentCommand::Reply { to, text, critic } => {
            let app = open(file).await?;
            let reply = create_reply(&app, &to, &text.read()?, critic.as_deref()).await?;
            print_line(&format!("Replied: {} (the server will deliver it)", reply.url))
        }
        CommentCommand::Edit { comment, text } => {
            let app = open(file).await?;
            let comment = require_comment(&app, &comment).await?;
            let reply = critic_reply::edit(&app, comment.id, &text.read()?).await?;
            print_line(&format!("Edited: {}", reply.url))
        }
        CommentCommand::Delete { comment } => {
            let app = open(file).await?;
            let comment = require_comment(&app, &comment).await?;
            if comment.critic_id.is_some() {
                critic_reply::delete(&app, comment.id).await?;
                return print_line(&format!("Deleted: {}", Untrusted::new(&comment.uri)));
            }
            moderate::remove_comment(&app, comment.id).await?;
            print_line(&format!(
                "Removed here: {} (the original is still on its author's server)",
                Untrusted::new(&comment.uri)
            ))
        }
        CommentCommand::Hide { comment } => apply_action(file, &comment, CommentAction::Hide).await,
        CommentCommand::Show { comment } => apply_action(file, &comment, CommentAction::Show).await,
        CommentCommand::Approve { comment } => apply_action(file, &comment, CommentAction::Approve).await,
        CommentCommand::Reject { comment } => apply_action(file, &comment, CommentAction::Reject).await,
    }
}

impl ReplyText {
    fn read(self) -> anyhow::Result<String> {
        use std::io::Read as _;

        let Some(path) = self.file else { return Ok(self.text.unwrap_or_default()) };
        let mut text = String::new();
        if path.as_os_str() == "-" {
            std::io::stdin().take(MAX_REPLY_BYTES).read_to_string(&mut text)?;
            return Ok(text);
        }
        let file =
            std::fs::File::open(&path).with_context(|| format!("could not read {}", path.display()))?;
        let read = file.take(MAX_REPLY_BYTES).read_to_string(&mut text);
        read.with_context(|| format!("could not read {}", path.display()))?;
        Ok(text)
    }
}

async fn list(
    file: &Path,
    review: Option<&str>,
    state: Option<CommentStateFilter>,
    lines: u32,
) -> anyhow::Result<()> {
    let app = open_read_only(file).await?;
    let review = match review {
        Some(argument) => Some(require_review(&app, argument).await?.id),
        None => None,
    };
    let listed =
        comment_moderation::list(&app.db, review, state.map(CommentStateFilter::to_comment_state), lines)
            .await?;
    if listed.is_empty() {
        return print_line("no comments");
    }
    for comment in &listed {
        print_line(&format_comment(&app, comment))?;
    }
    Ok(())
}

/// A comment on two lines: its metadata and an excerpt.
fn format_comment(app: &App, comment: &CommentListItem) -> String {
    let author = match (&comment.critic, &comment.handle) {
        (Some(critic), _) => format!("@{critic}@{}", app.handle_domain()),
        (None, Some(handle)) if comment.state != CommentState::Deleted => {
            Untrusted::new(&single_line(handle)).to_string()
        }
        _ => Untrusted::new(&comment.actor).to_string(),
    };
    let text = match comment.state {
        CommentState::Deleted => "(deleted by its author)".to_owned(),
        CommentState::Removed => "(removed)".to_owned(),
        _ => single_line(&html::plain_text(&comment.content)),
    };
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    let CommentListItem { id, state, published_at, slug, .. } = comment;
    format!("{id}  {state:<7}  {published_at}  {author}  {slug}\n    {excerpt}")
}

async fn create_reply(app: &App, to: &str, text: &str, critic: Option<&str>) -> anyhow::Result<CriticReply> {
    let (target, review) = resolve_target(app, to).await?;
    let selected = match critic {
        Some(_) => Some(select_critic(app, critic).await?),
        None => None,
    };
    let critic = critic_reply::critic_for_reply(app, review, selected).await?;
    critic_reply::create(app, &critic, target, text).await
}

async fn resolve_target(app: &App, argument: &str) -> anyhow::Result<(ReplyTarget, ReviewId)> {
    if let Some(comment) = lookup::find_comment(app, argument).await? {
        return Ok((ReplyTarget::Comment(comment.id), comment.review_id));
    }
    let Some(review) = find_review(app, argument).await? else {
        bail!(
            "no comment or review found for {argument:?}: use the id or URL of a comment (see `marquee comment list`), or \
             the id, slug or URL of a review"
        );
    };
    Ok((ReplyTarget::Review(review.id), review.id))
}

async fn apply_action(file: &Path, argument: &str, decision: CommentAction) -> anyhow::Result<()> {
    let app = open(file).await?;
    let comment = require_comment(&app, argument).await?;
    let more = moderate::apply_action(&app, comment.id, decision).await?;
    let done = match decision {
        CommentAction::Hide => "Hidden",
        CommentAction::Show => "Shown",
        CommentAction::Approve => "Approved",
        CommentAction::Reject => "Rejected",
    };
    print_line(&format!("{done}: {}", Untrusted::new(&comment.uri)))?;
    match (decision, more) {
        (CommentAction::Approve, 0) => {
            print_line("Comments by this author will be shown immediately from now on.")
        }
        (CommentAction::Approve, more) => {
            let comments = if more == 1 { "comment is" } else { "comments are" };
            print_line(&format!(
                "Comments by this author will be shown immediately from now on; {more} other held {comments} now shown."
            ))
        }
        _ => Ok(()),
    }
}

async fn require_comment(app: &App, argument: &str) -> anyhow::Result<ModeratedComment> {
    let found = lookup::find_comment(app, argument).await?;
    found.with_context(|| {
        format!("no comment found for {argument:?}: use its id (see `marquee comment list`) or URL")
    })
}
