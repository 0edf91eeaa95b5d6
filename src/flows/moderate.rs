//! What a critic decides about the comments of others.

use anyhow::{Context, bail, ensure};

use super::{App, resolve};
use crate::domain::comment::anchored;
use crate::domain::id::CommentId;
use crate::store::Tx;
use crate::store::comments;
use crate::store::moderation::{self, Case};

/// A decision about one comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
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
pub async fn decide(app: &App, id: CommentId, decision: Decision) -> anyhow::Result<u64> {
    let case = case(app, id).await?;
    ensure!(
        case.critic_id.is_none(),
        "a critic of this site wrote it: `marquee comment delete` takes it back"
    );
    if decision == Decision::Approve && matches!(case.state.as_str(), "held" | "hidden") {
        // Of a post that was met on the way to another one the author may not be known yet.
        let author = url::Url::parse(&case.actor)?;
        resolve::actor(app, &author).await.with_context(|| unknown(&case.actor))?;
    }
    let mut tx = app.db.begin().await?;
    // What its author sends meanwhile waits: it is held or shown by what is decided here.
    tx.lock(&case.actor).await?;
    let state = moderation::state(&mut tx, id).await?.context("no such comment")?;
    let to = match (decision, state.as_str()) {
        (Decision::Hide, "shown" | "held" | "withheld") | (Decision::Reject, "held") => "hidden",
        (Decision::Show, "hidden") | (Decision::Approve, "held" | "hidden") => "shown",
        (_, state) => bail!("{}", refusal(decision, state)),
    };
    moderation::change(&mut tx, id, &state, to).await?;
    let more = if decision == Decision::Approve { let_through(&mut tx, &case).await? } else { 0 };
    tx.commit().await?;
    app.wake.up();
    Ok(more)
}

async fn let_through(tx: &mut Tx, case: &Case) -> anyhow::Result<u64> {
    ensure!(moderation::trust(tx, &case.actor).await?, unknown(&case.actor));
    Ok(moderation::show_held_of(tx, &case.actor).await?)
}

fn unknown(actor: &str) -> String {
    format!("its author {actor} is not known here and cannot be let through; try again later")
}

fn refusal(decision: Decision, state: &str) -> String {
    match (decision, state) {
        (_, "deleted") => "its author deleted it".to_owned(),
        (_, "withheld") => "its author blocks the critic".to_owned(),
        (_, "removed") => "its words were removed for good".to_owned(),
        (Decision::Show, "held") => {
            "it is held: `marquee comment approve` lets it, and its author, through".to_owned()
        }
        (Decision::Reject, "shown") => {
            "it is shown, not held: `marquee comment hide` takes it off the page".to_owned()
        }
        (_, state) => format!("it is {state} already"),
    }
}

/// Takes every word of somebody else's comment away, for good.
pub async fn remove(app: &App, id: CommentId) -> anyhow::Result<()> {
    let case = case(app, id).await?;
    ensure!(case.critic_id.is_none(), "a critic of this site wrote it");
    ensure!(case.state != "removed", "its words were removed already");
    ensure!(case.state != "deleted", "its author deleted it");
    let mut tx = app.db.begin().await?;
    tx.lock(&case.actor).await?;
    comments::remove(&mut tx, id).await?;
    tx.commit().await?;
    app.wake.up();
    Ok(())
}

async fn case(app: &App, id: CommentId) -> anyhow::Result<Case> {
    moderation::by_id(&app.db, id).await?.context("no such comment")
}

/// The comment that a text means: its id here, its id or its page on the fediverse, or its place on our page.
pub async fn find(app: &App, named: &str) -> anyhow::Result<Option<Case>> {
    let named = named.trim();
    if let Ok(id) = named.parse() {
        return Ok(moderation::by_id(&app.db, id).await?);
    }
    let fragment = named.rsplit_once('#').map_or(named, |(_, fragment)| fragment);
    if let Some(id) = anchored(fragment) {
        return Ok(moderation::by_id(&app.db, id).await?);
    }
    let Ok(mut address) = url::Url::parse(named) else { return Ok(None) };
    if let Some(found) = moderation::by_address(&app.db, &address).await? {
        return Ok(Some(found));
    }
    address.set_fragment(None);
    Ok(moderation::by_address(&app.db, &address).await?)
}
