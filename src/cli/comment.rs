//! `marquee comment`: what others say under the reviews, and what the critic says to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::{find, find_review, log_to_stderr, open, say, the_critic};
use crate::app::{self, SystemClock};
use crate::config;
use crate::domain::comment::Answer;
use crate::domain::id::ReviewId;
use crate::domain::text::one_line;
use crate::flows::App;
use crate::flows::answer::{self, Under};
use crate::flows::moderate::{self, Decision};
use crate::sources::html;
use crate::store::moderation::{self, Case, Listed};

/// Characters of a comment that a list shows.
const BEGINNING: usize = 160;

/// A larger text is no answer.
const MOST_BYTES: u64 = 1_000_000;

#[derive(Debug, Subcommand)]
pub(super) enum Comment {
    /// The comments, the newest first.
    List {
        /// The review: its slug, its id or the address of its page; all reviews where it is left out.
        review: Option<String>,
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How many, counted from the newest.
        #[arg(long, default_value_t = 100)]
        lines: u32,
    },
    /// Answer a comment or a review, in public.
    #[command(override_usage = "marquee comment reply [OPTIONS] <TO> <FILE|--text <TEXT>>")]
    Reply {
        /// The comment (its id, or an address that leads to it) or the review (its slug, id or page).
        to: String,
        #[command(flatten)]
        text: Text,
        /// The handle of the critic who answers; whoever wrote the review where it is left out.
        #[arg(long)]
        critic: Option<String>,
    },
    /// Replace what an answer of the critic says; its readers are told.
    #[command(override_usage = "marquee comment edit [OPTIONS] <COMMENT> <FILE|--text <TEXT>>")]
    Edit {
        /// The answer: its id, or an address that leads to it.
        comment: String,
        #[command(flatten)]
        text: Text,
    },
    /// Delete an answer of the critic, or take the words of somebody else's comment away; for good.
    Delete {
        /// The comment: its id, or an address that leads to it.
        comment: String,
    },
    /// Take a comment off the page.
    Hide {
        /// The comment: its id, or an address that leads to it.
        comment: String,
    },
    /// Show a comment that is hidden.
    Show {
        /// The comment: its id, or an address that leads to it.
        comment: String,
    },
    /// Let a held comment through, and with it all that its author writes, so far and from now on.
    Approve {
        /// The comment: its id, or an address that leads to it.
        comment: String,
    },
    /// Do not let a held comment through.
    Reject {
        /// The comment: its id, or an address that leads to it.
        comment: String,
    },
}

/// A text in Markdown.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Text {
    /// A file with the text in Markdown; `-` reads the standard input.
    file: Option<PathBuf>,
    /// The text itself, in Markdown.
    #[arg(long)]
    text: Option<String>,
}

/// Where a comment stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum State {
    /// On the page.
    Shown,
    /// Waiting for the critic's decision.
    Held,
    /// Taken off the page.
    Hidden,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Held => "held",
            Self::Hidden => "hidden",
        }
    }
}

pub(super) async fn run(file: &Path, command: Comment) -> anyhow::Result<()> {
    match command {
        Comment::List { review, state, lines } => list(file, review.as_deref(), state, lines).await,
        Comment::Reply { to, text, critic } => {
            let app = open(file).await?;
            let answer = reply(&app, &to, &text.read()?, critic.as_deref()).await?;
            say(&format!("Answered: {} (the server delivers it)", answer.page))
        }
        Comment::Edit { comment, text } => {
            let app = open(file).await?;
            let comment = comment_named(&app, &comment).await?;
            let answer = answer::edit(&app, comment.id, &text.read()?).await?;
            say(&format!("Edited: {}", answer.page))
        }
        Comment::Delete { comment } => {
            let app = open(file).await?;
            let comment = comment_named(&app, &comment).await?;
            if comment.critic_id.is_some() {
                answer::take_back(&app, comment.id).await?;
                return say(&format!("Deleted: {}", comment.uri));
            }
            moderate::remove(&app, comment.id).await?;
            say(&format!("Removed here: {} (it still stands on its author's server)", comment.uri))
        }
        Comment::Hide { comment } => decide(file, &comment, Decision::Hide).await,
        Comment::Show { comment } => decide(file, &comment, Decision::Show).await,
        Comment::Approve { comment } => decide(file, &comment, Decision::Approve).await,
        Comment::Reject { comment } => decide(file, &comment, Decision::Reject).await,
    }
}

impl Text {
    fn read(self) -> anyhow::Result<String> {
        use std::io::Read as _;

        let Some(path) = self.file else { return Ok(self.text.unwrap_or_default()) };
        let mut text = String::new();
        if path.as_os_str() == "-" {
            std::io::stdin().take(MOST_BYTES).read_to_string(&mut text)?;
            return Ok(text);
        }
        let file = std::fs::File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let read = file.take(MOST_BYTES).read_to_string(&mut text);
        read.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text)
    }
}

async fn list(file: &Path, review: Option<&str>, state: Option<State>, lines: u32) -> anyhow::Result<()> {
    log_to_stderr("warn");
    let app = app::open_to_read(&config::load(file)?, std::sync::Arc::new(SystemClock)).await?;
    let review = match review {
        Some(named) => Some(find(&app, named).await?.id),
        None => None,
    };
    let listed = moderation::list(&app.db, review, state.map(State::as_str), lines).await?;
    if listed.is_empty() {
        return say("no comments");
    }
    for comment in &listed {
        say(&line(&app, comment))?;
    }
    Ok(())
}

/// A comment on two lines: which one it is, and how it begins.
fn line(app: &App, comment: &Listed) -> String {
    let author = match (&comment.critic, &comment.handle) {
        (Some(critic), _) => format!("@{critic}@{}", app.handle_domain()),
        (None, Some(handle)) if comment.state != "deleted" => one_line(handle),
        _ => one_line(&comment.actor),
    };
    let text = match comment.state.as_str() {
        "deleted" => "(deleted by its author)".to_owned(),
        "removed" => "(removed)".to_owned(),
        _ => one_line(&html::plain(&comment.content)),
    };
    let mut beginning: String = text.chars().take(BEGINNING).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    let Listed { id, state, published_at, slug, .. } = comment;
    format!("{id}  {state:<7}  {published_at}  {author}  {slug}\n    {beginning}")
}

async fn reply(app: &App, to: &str, text: &str, critic: Option<&str>) -> anyhow::Result<Answer> {
    let (under, review) = what_is_answered(app, to).await?;
    let named = match critic {
        Some(_) => Some(the_critic(app, critic).await?),
        None => None,
    };
    let critic = answer::critic_for(app, review, named).await?;
    answer::answer(app, &critic, under, text).await
}

async fn what_is_answered(app: &App, named: &str) -> anyhow::Result<(Under, ReviewId)> {
    if let Some(comment) = moderate::find(app, named).await? {
        return Ok((Under::Comment(comment.id), comment.review_id));
    }
    let Some(review) = find_review(app, named).await? else {
        bail!(
            "no comment and no review is called {named:?}; `marquee comment list` has the comments, and a review is \
             named by its slug, its id or the address of its page"
        );
    };
    Ok((Under::Review(review.id), review.id))
}

async fn decide(file: &Path, named: &str, decision: Decision) -> anyhow::Result<()> {
    let app = open(file).await?;
    let comment = comment_named(&app, named).await?;
    let more = moderate::decide(&app, comment.id, decision).await?;
    let done = match decision {
        Decision::Hide => "Hidden",
        Decision::Show => "Shown",
        Decision::Approve => "Approved",
        Decision::Reject => "Rejected",
    };
    say(&format!("{done}: {}", comment.uri))?;
    match (decision, more) {
        (Decision::Approve, 0) => say("From now on its author's comments are shown at once."),
        (Decision::Approve, more) => say(&format!(
            "From now on its author's comments are shown at once; {more} more that were held are shown now."
        )),
        _ => Ok(()),
    }
}

async fn comment_named(app: &App, named: &str) -> anyhow::Result<Case> {
    let found = moderate::find(app, named).await?;
    found.with_context(|| {
        format!(
            "no comment is called {named:?}; give its id, which `marquee comment list` has, or its address"
        )
    })
}
