//! A critic's word about who follows: yes to one who waits, no to one who waits or follows.

use anyhow::{Context, bail};
use url::Url;

use super::App;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;
use crate::federation::vocab::activity;
use crate::store::activities::{self, NewActivity};
use crate::store::{Tx, actors, deliveries, followers};

/// Accepts one who waits; the Accept goes out. One who follows already is left as it is.
///
/// # Errors
/// Where the actor does not ask to follow.
pub async fn accept_follower(app: &App, critic: CriticId, actor: &Url) -> anyhow::Result<()> {
    let inbox = inbox_of(app, actor).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(actor.as_str()).await?;
    let before = followers::find(&mut tx, critic, actor).await?;
    let before = before.with_context(|| format!("{actor} does not ask to follow"))?;
    match before.state.as_str() {
        "following" => return Ok(()),
        "pending" => {}
        _ => bail!("{actor} does not ask to follow"),
    }
    let follow = before.follow_uri.as_deref().map(Url::parse).transpose()?;
    let id = ActivityId::new(now);
    write_follow_response(app, &mut tx, id, ActivityKind::Accept, critic, actor, follow.as_ref(), now)
        .await?;
    followers::accept(&mut tx, critic, actor, id).await?;
    deliveries::enqueue(&mut tx, id, &inbox, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// Refuses one who waits, or removes one who follows; the Reject goes out. A Follow that they sign later is a
/// new one.
///
/// # Errors
/// Where the actor neither follows nor asks to.
pub async fn reject_follower(app: &App, critic: CriticId, actor: &Url) -> anyhow::Result<()> {
    let inbox = inbox_of(app, actor).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(actor.as_str()).await?;
    let before = followers::find(&mut tx, critic, actor).await?;
    let before = before.filter(|before| matches!(before.state.as_str(), "following" | "pending"));
    let before = before.with_context(|| format!("{actor} does not follow"))?;
    let follow = before.follow_uri.as_deref().map(Url::parse).transpose()?;
    let id = ActivityId::new(now);
    write_follow_response(app, &mut tx, id, ActivityKind::Reject, critic, actor, follow.as_ref(), now)
        .await?;
    // They may ask again within the second.
    followers::unfollow(&mut tx, critic, actor, now.truncate_to_second().max(before.signed_at)).await?;
    deliveries::enqueue(&mut tx, id, &inbox, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

async fn inbox_of(app: &App, actor: &Url) -> anyhow::Result<Url> {
    let known = actors::find_by_uri(&app.db, actor).await?;
    Ok(known.with_context(|| format!("{actor} is not known here"))?.inbox)
}

/// Writes down what answers a Follow.
#[expect(clippy::too_many_arguments, reason = "the members of one answer")]
pub(super) async fn write_follow_response(
    app: &App,
    tx: &mut Tx,
    id: ActivityId,
    kind: ActivityKind,
    critic: CriticId,
    follower: &Url,
    follow: Option<&Url>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let compose =
        if kind == ActivityKind::Reject { activity::reject_follow } else { activity::accept_follow };
    let body = compose(&app.origin, id, critic, follower, follow).to_string();
    activities::insert(tx, &NewActivity { id, critic, kind, object: follower, body: &body }, now).await?;
    Ok(())
}
