//! Rotation of signing keys: a new key is published at once, and the old one signs until other servers have had time to
//! fetch the new one.

use std::time::Duration;

use url::Url;

use super::signing_keys::KeyOwner;
use super::{App, profile};
use crate::domain::critic::Critic;
use crate::federation::signing_key::SigningKey;
use crate::store::signing_keys;

/// How long the old key signs after a new one is published: long enough for the Update with the new key to arrive,
/// which servers that know only the old key can still verify.
pub const KEY_OVERLAP: Duration = Duration::from_mins(10);

/// Creates a new key for a critic, or for the site itself, and publishes it at once; the old one signs for `overlap`
/// more. A critic's followers receive an Update that is signed with the old key. Returns the id of the new key.
pub async fn rotate(app: &App, critic: Option<&Critic>, overlap: Duration) -> anyhow::Result<Url> {
    let owner = critic.map_or(KeyOwner::Instance, |critic| KeyOwner::Critic(critic.id));
    let der = tokio::task::spawn_blocking(SigningKey::generate).await??;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&owner.name()).await?;
    signing_keys::retire(&mut tx, &owner.name(), now + overlap).await?;
    signing_keys::insert(&mut tx, &owner.name(), &der, now).await?;
    signing_keys::erase_retired_private_keys(&mut tx, now).await?;
    if let Some(critic) = critic {
        profile::announce_keys(app, &mut tx, critic).await?;
    }
    let id = app.keys_for_in_tx(&mut tx, owner).await?.published_key().id().clone();
    tx.commit().await?;
    app.wake.notify();
    Ok(id)
}
