//! A critic's actor document: a changed profile is sent to the followers once, and so is a move to another account.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use url::Url;

use super::error::FlowError;
use super::signing_keys::KeyOwner;
use super::{App, fan_out, resolve};
use crate::domain::activity::ActivityKind;
use crate::domain::critic::Critic;
use crate::domain::hash::sha256_hex;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;
use crate::federation::published_keys::PublishedKeys;
use crate::federation::vocab::{actor, actor_activity};
use crate::store::activities::NewActivity;
use crate::store::{Tx, critics};

/// The actor document of a critic.
pub async fn actor_document(app: &App, critic: &Critic) -> Result<Value, FlowError> {
    let keys = app.keys_for(KeyOwner::Critic(critic.id)).await?.to_published_keys()?;
    Ok(with_keys(app, critic, &keys))
}

fn with_keys(app: &App, critic: &Critic, keys: &PublishedKeys) -> Value {
    actor::person(&app.origin, critic, keys, app.handle_domain.as_deref(), app.policy.approve_followers)
}

/// Sends the followers an Update with the critic's current keys. It carries the whole profile.
pub(super) async fn announce_keys(app: &App, tx: &mut Tx, critic: &Critic) -> anyhow::Result<()> {
    let keys = app.keys_for_in_tx(tx, KeyOwner::Critic(critic.id)).await?.to_published_keys()?;
    let person = with_keys(app, critic, &keys);
    critics::set_announced_fingerprint(tx, critic.id, &fingerprint(&person)).await?;
    let now = app.clock.now();
    let id = ActivityId::new(now);
    let update = actor_activity::update_actor(&app.origin, id, critic.id, person);
    send(app, tx, id, critic.id, ActivityKind::Update, &update, now).await
}

/// Sends the followers an Update if the critic's profile differs from the one that was sent last. At the first start
/// nothing was sent yet, and nothing is.
pub async fn announce_profile(app: &App, critic: CriticId) -> anyhow::Result<()> {
    let critic = critics::find(&app.db, critic).await?.context("no such critic")?;
    let person = actor_document(app, &critic).await?;
    let fingerprint = fingerprint(&person);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let announced = critics::announced_fingerprint(&mut tx, critic.id).await?;
    if announced.as_ref() == Some(&fingerprint) {
        return Ok(());
    }
    critics::set_announced_fingerprint(&mut tx, critic.id, &fingerprint).await?;
    if announced.is_some() {
        let id = ActivityId::new(now);
        let update = actor_activity::update_actor(&app.origin, id, critic.id, person);
        send(app, &mut tx, id, critic.id, ActivityKind::Update, &update, now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

fn fingerprint(person: &Value) -> String {
    sha256_hex(actor_activity::without_keys(person).to_string().as_bytes())
}

/// Moves a critic to another account: the followers receive a Move, and nothing new is published here.
///
/// # Errors
/// If the other account does not list the critic in `alsoKnownAs`.
pub async fn move_account(app: &App, critic: &Critic, target: &Url) -> anyhow::Result<()> {
    let me = app.origin.actor(critic.id);
    if let Some(moved_to) = &critic.moved_to {
        bail!("@{} has already moved to {moved_to}", critic.profile.handle);
    }
    ensure!(!app.origin.owns(target), "{target} is an account of this site");
    let (found, aliases) = resolve::refresh_actor_with_aliases(app, target)
        .await
        .with_context(|| format!("could not fetch {target}"))?;
    ensure!(
        aliases.contains(&me),
        "{target} does not list this account as an alias: add @{}@{} ({me}) to its aliases first (on Mastodon: \
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
    send(app, &mut tx, id, critic.id, ActivityKind::Move, &body, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

async fn send(
    app: &App,
    tx: &mut Tx,
    id: ActivityId,
    critic: CriticId,
    kind: ActivityKind,
    body: &Value,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = app.origin.actor(critic);
    let outgoing = NewActivity { id, critic, kind, object: &object, body: &body.to_string() };
    Ok(fan_out::enqueue_for_followers(tx, &outgoing, now).await?)
}

/// Fails if the critic has moved to another account.
pub(super) fn ensure_not_moved(critic: &Critic) -> anyhow::Result<()> {
    if let Some(target) = &critic.moved_to {
        bail!("@{} has moved to {target}: nothing new can be published on this site", critic.profile.handle);
    }
    Ok(())
}
