//! A critic's actor document. A changed profile is sent to the followers once.

use anyhow::Context;
use serde_json::Value;

use super::error::FlowError;
use super::signing_keys::KeyOwner;
use super::{App, fan_out};
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
    send_to_followers(app, tx, id, critic.id, ActivityKind::Update, &update, now).await
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
        send_to_followers(app, &mut tx, id, critic.id, ActivityKind::Update, &update, now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// The fingerprint by which changes of a profile are noticed. Keys do not count.
pub(super) fn fingerprint(person: &Value) -> String {
    sha256_hex(actor_activity::without_keys(person).to_string().as_bytes())
}

/// Stores an activity about a critic's actor and its fan-out to the followers.
pub(super) async fn send_to_followers(
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
