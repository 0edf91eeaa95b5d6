//! Who a critic is, as others are told: a changed profile goes out once, and so does a move to another account.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use url::Url;

use super::App;
use super::keys::KeyOwner;
use super::resolve;
use crate::domain::activity::ActivityKind;
use crate::domain::critic::Critic;
use crate::domain::hash::sha256_hex;
use crate::domain::id::{ActivityId, CriticId};
use crate::domain::time::Timestamp;
use crate::federation::published_keys::PublishedKeys;
use crate::federation::vocab::{actor, profile};
use crate::store::activities::{self, NewActivity};
use crate::store::{Tx, critics};

/// A critic's actor, as it is served.
pub async fn actor_document(app: &App, critic: &Critic) -> anyhow::Result<Value> {
    let keys = app.keys_for(KeyOwner::Critic(critic.id)).await?.to_published_keys()?;
    Ok(with_keys(app, critic, &keys))
}

fn with_keys(app: &App, critic: &Critic, keys: &PublishedKeys) -> Value {
    actor::person(&app.origin, critic, keys, app.handle_domain.as_deref(), app.policy.approve_followers)
}

/// Tells the followers that other keys sign for a critic. Who hears of it reads the whole profile anew.
pub(super) async fn announce_keys(app: &App, tx: &mut Tx, critic: &Critic) -> anyhow::Result<()> {
    let keys = app.keys_for_in_tx(tx, KeyOwner::Critic(critic.id)).await?.to_published_keys()?;
    let person = with_keys(app, critic, &keys);
    critics::set_announced_fingerprint(tx, critic.id, &fingerprint(&person)).await?;
    let now = app.clock.now();
    let id = ActivityId::new(now);
    let update = profile::update_actor(&app.origin, id, critic.id, person);
    send(app, tx, id, critic.id, ActivityKind::Update, &update, now).await
}

/// Tells the followers of a critic whose profile is not what they were last told. Whoever starts for the first
/// time has told nobody anything yet.
pub async fn announce_profile(app: &App, critic: CriticId) -> anyhow::Result<()> {
    let critic = critics::find(&app.db, critic).await?.context("the critic is gone")?;
    let person = actor_document(app, &critic).await?;
    let fingerprint = fingerprint(&person);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let told = critics::announced_fingerprint(&mut tx, critic.id).await?;
    if told.as_ref() == Some(&fingerprint) {
        return Ok(());
    }
    critics::set_announced_fingerprint(&mut tx, critic.id, &fingerprint).await?;
    if told.is_some() {
        let id = ActivityId::new(now);
        let update = profile::update_actor(&app.origin, id, critic.id, person);
        send(app, &mut tx, id, critic.id, ActivityKind::Update, &update, now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

fn fingerprint(person: &Value) -> String {
    sha256_hex(profile::without_keys(person).to_string().as_bytes())
}

/// Moves a critic to another account: the followers are asked to come along, and nothing new is published here.
///
/// # Errors
/// Where the other account does not say that it is the critic's.
pub async fn move_account(app: &App, critic: &Critic, target: &Url) -> anyhow::Result<()> {
    let me = app.origin.actor(critic.id);
    if let Some(moved_to) = &critic.moved_to {
        bail!("@{} moved to {moved_to} already", critic.profile.handle);
    }
    ensure!(!app.origin.owns(target), "{target} is on this site");
    let (found, aliases) = resolve::refresh_actor_with_aliases(app, target)
        .await
        .with_context(|| format!("{target} cannot be read"))?;
    ensure!(
        aliases.contains(&me),
        "{target} does not name this account as one of its own: add @{}@{} ({me}) to its aliases first (on Mastodon: \
         Preferences, Account, \"Moving from a different account\"), then run this again",
        critic.profile.handle,
        app.handle_domain()
    );
    let moved = Critic { moved_to: Some(found.uri.clone()), ..critic.clone() };
    let fingerprint = fingerprint(&actor_document(app, &moved).await?);
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    ensure!(critics::set_moved_to(&mut tx, critic.id, &found.uri).await?, "it moved already");
    // Who hears of the move reads the profile anew.
    critics::set_announced_fingerprint(&mut tx, critic.id, &fingerprint).await?;
    let id = ActivityId::new(now);
    let body = profile::move_actor(&app.origin, id, critic.id, &found.uri);
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
    Ok(activities::insert_for_followers(tx, &outgoing, now).await?)
}

/// Refuses what is new by a critic who moved away.
pub(super) fn ensure_not_moved(critic: &Critic) -> anyhow::Result<()> {
    if let Some(target) = &critic.moved_to {
        bail!("@{} moved to {target}: nothing new goes out from here", critic.profile.handle);
    }
    Ok(())
}
