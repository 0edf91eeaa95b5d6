//! Our own keys: which one signs, which ones are shown, and how a new one takes the place of an old one.

mod signing_pool;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Method};
use url::Url;

use self::signing_pool::SigningPool;
use super::{App, profile};
use crate::domain::critic::Critic;
use crate::domain::id::{CriticId, KeyId};
use crate::domain::origin::Origin;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;
use crate::federation::keys::SigningKey;
use crate::federation::published_keys::PublishedKeys;
use crate::federation::signature::{self, digest::BodyDigest};
use crate::net::client::{FetchSigner, Knock};
use crate::store::keys::{self, INSTANCE_OWNER, StoredSigningKey};
use crate::store::{Tx, hosts};

/// How long the old key goes on signing after a new one is served: long enough for the Update that tells of the
/// new one to arrive, which those accept who know the old one alone.
pub const KEY_OVERLAP: Duration = Duration::from_mins(10);

/// Whose keys they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// A critic.
    Critic(CriticId),
    /// The site itself, for what it asks.
    Instance,
}

impl KeyOwner {
    /// The name under which the keys are stored.
    fn name(self) -> String {
        match self {
            Self::Critic(critic) => critic.to_string(),
            Self::Instance => INSTANCE_OWNER.to_owned(),
        }
    }

    /// The id under which others find a key.
    ///
    /// The first one is `#main-key`, as everywhere. A new key gets a new id, though Mastodon's own
    /// `accounts rotate` keeps the old one: GoToSocial keeps the first key that it saw under an id until its
    /// admin forgets it, and Misskey until it is restarted, but both fetch an id that they do not know. Mastodon
    /// asks for the actor, whatever the fragment.
    fn key_id(self, origin: &Origin, key: &StoredSigningKey) -> Url {
        let mut id = match self {
            Self::Critic(critic) => origin.actor_key_id(critic),
            Self::Instance => origin.instance_key_id(),
        };
        if !key.is_first {
            id.set_fragment(Some(&format!("key-{}", key.id)));
        }
        id
    }
}

/// Our signing keys, parsed once, by the ids of their rows: another process may rotate them at any time.
#[derive(Debug, Default)]
pub struct SigningKeyCache {
    parsed: Mutex<HashMap<KeyId, (KeyOwner, Arc<SigningKey>)>>,
    desk: SigningPool,
}

impl SigningKeyCache {
    fn parsed(
        &self,
        origin: &Origin,
        owner: KeyOwner,
        live: &[StoredSigningKey],
    ) -> anyhow::Result<ActorKeys> {
        let mut known = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, (whose, _)| *whose != owner || live.iter().any(|key| key.id == *id));
        let mut found = Vec::with_capacity(live.len());
        for key in live {
            let parsed = match known.get(&key.id) {
                Some((_, parsed)) => Arc::clone(parsed),
                None => Arc::new(SigningKey::from_pkcs8(owner.key_id(origin, key), &key.private_key)?),
            };
            known.insert(key.id, (owner, Arc::clone(&parsed)));
            found.push(parsed);
        }
        let served = found.pop().ok_or_else(|| anyhow::anyhow!("{} has no signing key", owner.name()))?;
        Ok(ActorKeys { retiring: found, served })
    }
}

/// The keys of one owner.
#[derive(Debug, Clone)]
pub struct ActorKeys {
    /// Those that still sign, the oldest first.
    retiring: Vec<Arc<SigningKey>>,
    /// The one that others find, which signs once no other does.
    served: Arc<SigningKey>,
}

impl ActorKeys {
    /// The key that signs.
    pub fn signing_key(&self) -> &Arc<SigningKey> {
        self.retiring.first().unwrap_or(&self.served)
    }

    /// The key that others find.
    pub const fn published_key(&self) -> &Arc<SigningKey> {
        &self.served
    }

    /// What the actor's document shows.
    pub fn to_published_keys(&self) -> anyhow::Result<PublishedKeys> {
        let all = std::iter::once(&self.served).chain(&self.retiring);
        Ok(PublishedKeys::new(&self.served, all.map(|key| &**key))?)
    }
}

impl App {
    /// The keys of an owner as they are at this moment.
    pub async fn keys_for(&self, owner: KeyOwner) -> anyhow::Result<ActorKeys> {
        let live = keys::list_active(&self.db, &owner.name(), self.clock.now()).await?;
        self.signing_keys.parsed(&self.origin, owner, &live)
    }

    /// The same, as this transaction sees them.
    pub(super) async fn keys_for_in_tx(&self, tx: &mut Tx, owner: KeyOwner) -> anyhow::Result<ActorKeys> {
        let live = keys::list_active_in_tx(tx, &owner.name(), self.clock.now()).await?;
        self.signing_keys.parsed(&self.origin, owner, &live)
    }

    /// Makes sure that an owner has a key.
    pub async fn ensure_key(&self, owner: KeyOwner) -> anyhow::Result<()> {
        let now = self.clock.now();
        if !keys::list_active(&self.db, &owner.name(), now).await?.is_empty() {
            return Ok(());
        }
        let der = tokio::task::spawn_blocking(SigningKey::generate).await??;
        let mut tx = self.db.begin().await?;
        keys::insert(&mut tx, &owner.name(), &der, now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Gives a critic, or the site where there is none, a new key, which is served at once; the old one signs for
/// `overlap` more. A critic's followers are told, signed with the old key. Gives the new key's id.
pub async fn rotate(app: &App, critic: Option<&Critic>, overlap: Duration) -> anyhow::Result<Url> {
    let owner = critic.map_or(KeyOwner::Instance, |critic| KeyOwner::Critic(critic.id));
    let der = tokio::task::spawn_blocking(SigningKey::generate).await??;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    tx.lock(&owner.name()).await?;
    keys::retire(&mut tx, &owner.name(), now + overlap).await?;
    keys::insert(&mut tx, &owner.name(), &der, now).await?;
    keys::erase_retired_private_keys(&mut tx, now).await?;
    if let Some(critic) = critic {
        profile::announce_keys(app, &mut tx, critic).await?;
    }
    let id = app.keys_for_in_tx(&mut tx, owner).await?.published_key().id().clone();
    tx.commit().await?;
    app.wake.notify();
    Ok(id)
}

/// Signs a request, off the async threads: it takes most of a millisecond of CPU.
pub(super) async fn sign(
    app: &App,
    key: &Arc<SigningKey>,
    form: SignatureScheme,
    method: Method,
    url: &Url,
    body: Option<BodyDigest>,
) -> anyhow::Result<HeaderMap> {
    let (key, url, now) = (Arc::clone(key), url.clone(), app.clock.now());
    let signing = move || signature::sign(form, &key, &method, &url, body.as_ref(), now);
    Ok(app.signing_keys.desk.run(signing).await??)
}

/// The form to begin with.
pub(super) async fn preferred_scheme(app: &App, host: &str) -> SignatureScheme {
    hosts::signature_scheme(&app.db, host).await.ok().flatten().unwrap_or_default()
}

/// Writes down what an exchange taught: the form that was taken; none where both were refused.
pub(super) async fn save_scheme(
    tx: &mut Tx,
    host: &str,
    taken: Option<SignatureScheme>,
    now: Timestamp,
) -> crate::store::Result<()> {
    match taken {
        Some(form) => hosts::save_signature_scheme(tx, host, form, now).await,
        None => hosts::reset_signature_scheme(tx, host).await,
    }
}

/// Signs our fetches as the site itself, since servers in secure mode answer nobody unknown.
pub(super) struct InstanceSigner(pub(super) App);

impl InstanceSigner {
    async fn headers(&self, url: &Url, form: SignatureScheme, knock: Knock) -> anyhow::Result<HeaderMap> {
        let keys = self.0.keys_for(KeyOwner::Instance).await?;
        // Whoever refuses the old key may not have met it.
        let key = if knock == Knock::First { keys.signing_key() } else { keys.published_key() };
        sign(&self.0, key, form, Method::GET, url, None).await
    }

    async fn write_down(&self, url: &Url, taken: Option<SignatureScheme>) -> anyhow::Result<()> {
        let mut tx = self.0.db.begin().await?;
        save_scheme(&mut tx, url.host_str().unwrap_or_default(), taken, self.0.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

#[async_trait::async_trait]
impl FetchSigner for InstanceSigner {
    async fn preferred_scheme(&self, url: &Url) -> SignatureScheme {
        preferred_scheme(&self.0, url.host_str().unwrap_or_default()).await
    }

    async fn sign(&self, url: &Url, form: SignatureScheme, knock: Knock) -> HeaderMap {
        self.headers(url, form, knock).await.unwrap_or_else(|error| {
            tracing::error!(error = format!("{error:#}"), "a fetch goes out unsigned");
            HeaderMap::new()
        })
    }

    async fn record_scheme(&self, url: &Url, taken: Option<SignatureScheme>) {
        if let Err(error) = self.write_down(url, taken).await {
            tracing::warn!(error = format!("{error:#}"), "not remembered how a host is spoken to");
        }
    }
}
