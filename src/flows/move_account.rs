//! Moves a critic to another account: the followers receive a Move, and nothing new is published from here.

use anyhow::{Context, bail, ensure};
use url::Url;

use super::profile::{actor_document, fingerprint, send_to_followers};
use super::{App, resolve};
use crate::domain::activity::ActivityKind;
use crate::domain::critic::Critic;
use crate::domain::id::ActivityId;
use crate::federation::vocab::actor_activity;
use crate::store::critics;

/// Moves a critic to another account: the followers receive a Move, and nothing new is published here.
///
/// # Errors
/// If the other account does not list the critic in `alsoKnownAs`.
pub async fn move_account(app: &App, critic: &Critic, target: &Url) -> anyhow::Result<()> {
    let own_id = app.origin.actor(critic.id);
    if let Some(moved_to) = &critic.moved_to {
        bail!("@{} has already moved to {moved_to}", critic.profile.handle);
    }
    ensure!(!app.origin.owns(target), "{target} is an account of this site");
    let (found, aliases) = resolve::refresh_actor_with_aliases(app, target)
        .await
        .with_context(|| format!("could not fetch {target}"))?;
    ensure!(
        aliases.contains(&own_id),
        "{target} does not list this account as an alias: add @{}@{} ({own_id}) to its aliases first (on Mastodon: \
         Preferences, Account, \"Moving from a different account\"), then run this command again",
        critic.profile.handle,
        app.handle_domain()
    );
    let moved = Critic { moved_to: Some(found.uri.clone()), ..critic.clone() };
    let fingerprint = fingerprint(&actor_document(app, &moved).await?);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    ensure!(critics::set_moved_to(&mut tx, critic.id, &found.uri).await?, "the account has already moved");
    // Servers that receive the Move fetch the profile again.
    critics::set_announced_fingerprint(&mut tx, critic.id, &fingerprint).await?;
    let id = ActivityId::new(now);
    let body = actor_activity::move_actor(&app.origin, id, critic.id, &found.uri);
    send_to_followers(app, &mut tx, id, critic.id, ActivityKind::Move, &body, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// Fails if the critic has moved to another account.
pub(super) fn ensure_not_moved(critic: &Critic) -> anyhow::Result<()> {
    if let Some(target) = &critic.moved_to {
        bail!("@{} has moved to {target}: nothing new can be published on this site", critic.profile.handle);
    }
    Ok(())
}
