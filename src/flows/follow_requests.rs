//! Accepts and rejects followers on the critic's behalf.

use anyhow::{Context, bail};
use url::Url;

use super::App;
use super::stored_url::parse_stored_url;
use crate::domain::activity::ActivityKind;
use crate::domain::follower::FollowState;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;
use crate::federation::vocab::follow_response;
use crate::store::activities::{self, NewActivity};
use crate::store::{Tx, actors, deliveries, followers};

/// Accepts a follow request and sends the Accept. An actor that is a follower already stays one.
///
/// # Errors
/// If the actor has not asked to follow.
pub async fn accept_follower(app: &App, critic: CriticId, actor: &Url) -> anyhow::Result<()> {
    let inbox = find_inbox(app, actor).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(actor.as_str()).await?;
    let before = followers::find(&mut tx, critic, actor).await?;
    let before = before.with_context(|| {
        format!("no follow request from {actor}; run `marquee follower list` to see all requests")
    })?;
    match before.state {
        FollowState::Following => return Ok(()),
        FollowState::Pending => {}
        FollowState::Gone | FollowState::Preempted => {
            bail!("no follow request from {actor}; run `marquee follower list` to see all requests")
        }
    }
    let follow = before.follow_uri.as_deref();
    let follow = follow.map(|id| parse_stored_url("followers.follow_uri", id)).transpose()?;
    let id = ActivityId::new(now);
    write_follow_response(app, &mut tx, id, ActivityKind::Accept, critic, actor, follow.as_ref(), now)
        .await?;
    followers::accept(&mut tx, critic, actor, id).await?;
    deliveries::enqueue(&mut tx, id, &inbox, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// Rejects a follow request or removes a follower, and sends the Reject. A Follow that the actor signs later is a new
/// request.
///
/// # Errors
/// If the actor neither follows nor has asked to.
pub async fn reject_follower(app: &App, critic: CriticId, actor: &Url) -> anyhow::Result<()> {
    let inbox = find_inbox(app, actor).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(actor.as_str()).await?;
    let before = followers::find(&mut tx, critic, actor).await?;
    let before = before.filter(|before| before.state.is_active());
    let before = before.with_context(|| format!("{actor} is not a follower and has not asked to follow"))?;
    let follow = before.follow_uri.as_deref();
    let follow = follow.map(|id| parse_stored_url("followers.follow_uri", id)).transpose()?;
    let id = ActivityId::new(now);
    write_follow_response(app, &mut tx, id, ActivityKind::Reject, critic, actor, follow.as_ref(), now)
        .await?;
    // Signed dates have whole seconds, and the actor may ask again within this one.
    followers::unfollow(&mut tx, critic, actor, now.truncate_to_second().max(before.signed_at)).await?;
    deliveries::enqueue(&mut tx, id, &inbox, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

async fn find_inbox(app: &App, actor: &Url) -> anyhow::Result<Url> {
    let known = actors::find_by_uri(&app.db, actor).await?;
    Ok(known
        .with_context(|| {
            format!("unknown account: {actor}; run `marquee follower list` to see followers and requests")
        })?
        .inbox)
}

/// Stores the Accept or Reject of a Follow.
#[expect(clippy::too_many_arguments, reason = "the members of one response")]
pub(super) async fn write_follow_response(
    app: &App,
    tx: &mut Tx,
    id: ActivityId,
    kind: ActivityKind,
    critic: CriticId,
    follower: &Url,
    follow: Option<&Url>,
    now: Timestamp,
) -> crate::store::Result<()> {
    let compose = if kind == ActivityKind::Reject {
        follow_response::reject_follow
    } else {
        follow_response::accept_follow
    };
    let body = compose(&app.origin, id, critic, follower, follow).to_string();
    activities::insert(tx, &NewActivity { id, critic, kind, object: follower, body: &body }, now).await?;
    Ok(())
}
