//! Moderation of comments by other servers' actors.

use anyhow::{Context, bail, ensure};

use super::erasure::erase_from_files;
use super::stored_url::parse_stored_url;
use super::{App, resolve};
use crate::domain::comment::CommentState;
use crate::domain::id::CommentId;
use crate::store::comment_moderation::{self, ModeratedComment};
use crate::store::{Tx, activities, actors, comments, inbox_activities};

/// A moderation action on one comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentAction {
    /// Hide it.
    Hide,
    /// Show it again.
    Show,
    /// Approve it and trust its author: held comments of the author are shown, and so are later ones.
    Approve,
    /// Reject it while it is held.
    Reject,
}

/// Applies an action; returns how many further comments of the same author it showed.
///
/// # Errors
/// If the comment is in a state that the action does not apply to.
pub async fn apply_action(app: &App, id: CommentId, action: CommentAction) -> anyhow::Result<u64> {
    let comment = comment(app, id).await?;
    ensure!(
        comment.critic_id.is_none(),
        "the comment was written by a critic of this site; use `marquee comment delete` instead"
    );
    if action == CommentAction::Approve && matches!(comment.state, CommentState::Held | CommentState::Hidden)
    {
        // The author of a comment that was fetched as part of a thread may not be stored yet.
        let author = parse_stored_url("comments.actor", &comment.actor)?;
        resolve::resolve_actor(app, &author).await.with_context(|| unknown(&comment.actor))?;
    }
    let mut tx = app.db.begin().await?;
    // Activities of the author wait until the action has decided whether they are held or shown.
    tx.lock(&comment.actor).await?;
    let state = comment_moderation::find_state(&mut tx, id).await?.context("no such comment")?;
    let to = match (action, state) {
        (CommentAction::Hide, CommentState::Shown | CommentState::Held | CommentState::Withheld)
        | (CommentAction::Reject, CommentState::Held) => CommentState::Hidden,
        (CommentAction::Show, CommentState::Hidden)
        | (CommentAction::Approve, CommentState::Held | CommentState::Hidden) => CommentState::Shown,
        (_, state) => bail!("{}", explain_conflict(action, state)),
    };
    comment_moderation::transition(&mut tx, id, state, to).await?;
    let more = if action == CommentAction::Approve { trust_author(&mut tx, &comment).await? } else { 0 };
    tx.commit().await?;
    app.wake.notify();
    Ok(more)
}

async fn trust_author(tx: &mut Tx, comment: &ModeratedComment) -> anyhow::Result<u64> {
    ensure!(actors::trust(tx, &comment.actor).await?, unknown(&comment.actor));
    Ok(comment_moderation::show_held_by_actor(tx, &comment.actor).await?)
}

fn unknown(actor: &str) -> String {
    format!("could not fetch the author {actor}, so they cannot be approved; try again later")
}

fn explain_conflict(action: CommentAction, state: CommentState) -> String {
    match (action, state) {
        (_, CommentState::Deleted) => "the comment was deleted by its author".to_owned(),
        (_, CommentState::Withheld) => "the author of the comment has blocked the critic".to_owned(),
        (_, CommentState::Removed) => "the text of the comment was removed permanently".to_owned(),
        (CommentAction::Show, CommentState::Held) => {
            "the comment is held; use `marquee comment approve`, which also approves its author".to_owned()
        }
        (CommentAction::Reject, CommentState::Shown) => {
            "the comment is shown, not held; use `marquee comment hide` instead".to_owned()
        }
        (_, state) => format!("the comment is already {state}"),
    }
}

/// Permanently removes the text of another server's comment.
pub async fn remove_comment(app: &App, id: CommentId) -> anyhow::Result<()> {
    let comment = comment(app, id).await?;
    ensure!(comment.critic_id.is_none(), "the comment was written by a critic of this site");
    ensure!(comment.state != CommentState::Removed, "the text of the comment has already been removed");
    ensure!(comment.state != CommentState::Deleted, "the comment was deleted by its author");
    let mut tx = app.db.begin().await?;
    tx.lock(&comment.actor).await?;
    let actor = parse_stored_url("comments.actor", &comment.actor)?;
    let uri = parse_stored_url("comments.uri", &comment.uri)?;
    // The activities that contained the text are kept for a while.
    activities::cancel_forwards(&mut tx, &actor, Some(&uri), app.clock.now()).await?;
    inbox_activities::erase_bodies(&mut tx, &actor).await?;
    comments::mark_removed(&mut tx, id).await?;
    tx.commit().await?;
    app.wake.notify();
    erase_from_files(app).await;
    Ok(())
}

async fn comment(app: &App, id: CommentId) -> anyhow::Result<ModeratedComment> {
    comment_moderation::find(&app.db, id).await?.context("no such comment")
}
