//! What a critic decides about the comments of others.

use anyhow::{Context, bail, ensure};

use super::{App, resolve};
use crate::domain::comment::parse_comment_anchor;
use crate::domain::id::CommentId;
use crate::store::Tx;
use crate::store::comments;
use crate::store::moderation::{self, ModeratedComment};

/// A decision about one comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentAction {
    /// It is not shown any more.
    Hide,
    /// It is shown.
    Show,
    /// It is let through, and with it whatever its author writes, from now on and so far.
    Approve,
    /// It is not let through.
    Reject,
}

/// Applies a decision; gives how many further comments of the same author are shown by it.
///
/// # Errors
/// Where the comment is not in a state that the decision is about.
pub async fn apply_action(app: &App, id: CommentId, decision: CommentAction) -> anyhow::Result<u64> {
    let case = case(app, id).await?;
    ensure!(
        case.critic_id.is_none(),
        "a critic of this site wrote it: `marquee comment delete` takes it back"
    );
    if decision == CommentAction::Approve && matches!(case.state.as_str(), "held" | "hidden") {
        // Of a post that was met on the way to another one the author may not be known yet.
        let author = url::Url::parse(&case.actor)?;
        resolve::resolve_actor(app, &author).await.with_context(|| unknown(&case.actor))?;
    }
    let mut tx = app.db.begin().await?;
    // What its author sends meanwhile waits: it is held or shown by what is decided here.
    tx.lock(&case.actor).await?;
    let state = moderation::find_state(&mut tx, id).await?.context("no such comment")?;
    let to = match (decision, state.as_str()) {
        (CommentAction::Hide, "shown" | "held" | "withheld") | (CommentAction::Reject, "held") => "hidden",
        (CommentAction::Show, "hidden") | (CommentAction::Approve, "held" | "hidden") => "shown",
        (_, state) => bail!("{}", refusal(decision, state)),
    };
    moderation::transition(&mut tx, id, &state, to).await?;
    let more = if decision == CommentAction::Approve { let_through(&mut tx, &case).await? } else { 0 };
    tx.commit().await?;
    app.wake.notify();
    Ok(more)
}

async fn let_through(tx: &mut Tx, case: &ModeratedComment) -> anyhow::Result<u64> {
    ensure!(moderation::trust_actor(tx, &case.actor).await?, unknown(&case.actor));
    Ok(moderation::show_held_by_actor(tx, &case.actor).await?)
}

fn unknown(actor: &str) -> String {
    format!("its author {actor} is not known here and cannot be let through; try again later")
}

fn refusal(decision: CommentAction, state: &str) -> String {
    match (decision, state) {
        (_, "deleted") => "its author deleted it".to_owned(),
        (_, "withheld") => "its author blocks the critic".to_owned(),
        (_, "removed") => "its words were removed for good".to_owned(),
        (CommentAction::Show, "held") => {
            "it is held: `marquee comment approve` lets it, and its author, through".to_owned()
        }
        (CommentAction::Reject, "shown") => {
            "it is shown, not held: `marquee comment hide` takes it off the page".to_owned()
        }
        (_, state) => format!("it is {state} already"),
    }
}

/// Takes every word of somebody else's comment away, for good.
pub async fn remove_comment(app: &App, id: CommentId) -> anyhow::Result<()> {
    let case = case(app, id).await?;
    ensure!(case.critic_id.is_none(), "a critic of this site wrote it");
    ensure!(case.state != "removed", "its words were removed already");
    ensure!(case.state != "deleted", "its author deleted it");
    let mut tx = app.db.begin().await?;
    tx.lock(&case.actor).await?;
    comments::mark_removed(&mut tx, id).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

async fn case(app: &App, id: CommentId) -> anyhow::Result<ModeratedComment> {
    moderation::find(&app.db, id).await?.context("no such comment")
}

/// The comment that a text means: its id here, its id or its page on the fediverse, or its place on our page.
pub async fn find_comment(app: &App, named: &str) -> anyhow::Result<Option<ModeratedComment>> {
    let named = named.trim();
    if let Ok(id) = named.parse() {
        return Ok(moderation::find(&app.db, id).await?);
    }
    let fragment = named.rsplit_once('#').map_or(named, |(_, fragment)| fragment);
    if let Some(id) = parse_comment_anchor(fragment) {
        return Ok(moderation::find(&app.db, id).await?);
    }
    let Ok(mut address) = url::Url::parse(named) else { return Ok(None) };
    if let Some(found) = moderation::find_by_url(&app.db, &address).await? {
        return Ok(Some(found));
    }
    address.set_fragment(None);
    Ok(moderation::find_by_url(&app.db, &address).await?)
}
