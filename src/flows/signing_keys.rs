//! The signing keys of this site and its critics: which one signs, which ones are published, and how a request is
//! signed.

mod signing_pool;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method};
use url::Url;

use self::signing_pool::SigningPool;
use super::App;
use super::error::FlowError;
use crate::domain::id::{CriticId, KeyId};
use crate::domain::origin::Origin;
use crate::domain::signature_scheme::SignatureScheme;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::federation::published_keys::PublishedKeys;
use crate::federation::signature::{self, digest::BodyDigest};
use crate::federation::signing_key::SigningKey;
use crate::net::signed_fetch::{FetchSigner, Knock};
use crate::store::signing_keys::{self, INSTANCE_OWNER, StoredSigningKey};
use crate::store::{Tx, hosts};

/// The owner of signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// A critic.
    Critic(CriticId),
    /// The site itself, which signs fetches.
    Instance,
}

impl KeyOwner {
    /// The name under which its keys are stored.
    pub(super) fn name(self) -> String {
        match self {
            Self::Critic(critic) => critic.to_string(),
            Self::Instance => INSTANCE_OWNER.to_owned(),
        }
    }

    /// The id under which other servers find a key.
    ///
    /// The first one is `#main-key`, as everywhere. A new key gets a new id, although Mastodon's own
    /// `accounts rotate` keeps the old one: GoToSocial keeps the first key that it saw under an id until its
    /// admin removes it, and Misskey until it is restarted, but both fetch an id that they do not know. Mastodon
    /// fetches the actor, whatever the fragment.
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

/// The parsed signing keys, by the ids of their rows. Another process may rotate keys at any time, so the rows are read
/// each time and only the parsing is saved. It is a plain map and not a cache of `moka`, since nothing is evicted: it
/// holds the valid keys of the site and of its critics, and no others.
#[derive(Debug, Default)]
pub struct SigningKeyCache {
    parsed: Mutex<HashMap<KeyId, (KeyOwner, Arc<SigningKey>)>>,
    pool: SigningPool,
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
        let published = found.pop().ok_or_else(|| anyhow::anyhow!("no signing key for {}", owner.name()))?;
        Ok(ActorKeys { retiring: found, published })
    }
}

/// The valid keys of one owner.
#[derive(Debug, Clone)]
pub struct ActorKeys {
    /// Old keys that still sign, the oldest first.
    retiring: Vec<Arc<SigningKey>>,
    /// The published key, which signs once no old one does.
    published: Arc<SigningKey>,
}

impl ActorKeys {
    /// The key that signs now.
    pub fn signing_key(&self) -> &Arc<SigningKey> {
        self.retiring.first().unwrap_or(&self.published)
    }

    /// The key that the actor document names first.
    pub const fn published_key(&self) -> &Arc<SigningKey> {
        &self.published
    }

    /// The keys as the actor document publishes them.
    pub fn to_published_keys(&self) -> anyhow::Result<PublishedKeys> {
        let all = std::iter::once(&self.published).chain(&self.retiring);
        Ok(PublishedKeys::new(&self.published, all.map(|key| &**key))?)
    }
}

impl App {
    /// Reads the valid keys of an owner.
    pub async fn keys_for(&self, owner: KeyOwner) -> Result<ActorKeys, FlowError> {
        let live = signing_keys::list_active(&self.db, &owner.name(), self.clock.now()).await?;
        Ok(self.signing_keys.parsed(&self.origin, owner, &live)?)
    }

    /// Reads the valid keys of an owner inside a transaction.
    pub(super) async fn keys_for_in_tx(&self, tx: &mut Tx, owner: KeyOwner) -> anyhow::Result<ActorKeys> {
        let live = signing_keys::list_active_in_tx(tx, &owner.name(), self.clock.now()).await?;
        self.signing_keys.parsed(&self.origin, owner, &live)
    }

    /// Creates a key for an owner that has none.
    pub async fn ensure_key(&self, owner: KeyOwner) -> anyhow::Result<()> {
        let now = self.clock.now();
        if !signing_keys::list_active(&self.db, &owner.name(), now).await?.is_empty() {
            return Ok(());
        }
        let der = tokio::task::spawn_blocking(SigningKey::generate).await??;
        let mut tx = self.db.begin().await?;
        signing_keys::insert(&mut tx, &owner.name(), &der, now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Signs a request on the signing pool: a signature takes most of a millisecond of CPU time.
pub(super) async fn sign(
    app: &App,
    key: &Arc<SigningKey>,
    scheme: SignatureScheme,
    method: Method,
    url: &Url,
    body: Option<BodyDigest>,
) -> anyhow::Result<HeaderMap> {
    let (key, url, now) = (Arc::clone(key), url.clone(), app.clock.now());
    let signing = move || signature::sign(scheme, &key, &method, &url, body.as_ref(), now);
    Ok(app.signing_keys.pool.run(signing).await??)
}

/// The signature scheme to try first with a host. If it cannot be read, the request is signed with the default one.
pub(super) async fn preferred_scheme(app: &App, host: &str) -> SignatureScheme {
    match hosts::signature_scheme(&app.db, host).await {
        Ok(scheme) => scheme.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(host = %Untrusted::new(&host), error = ?Untrusted::chain(&error), "could not read signature scheme");
            SignatureScheme::default()
        }
    }
}

/// Stores the signature scheme that a host accepted, or that it accepted neither.
pub(super) async fn save_scheme(
    tx: &mut Tx,
    host: &str,
    accepted: Option<SignatureScheme>,
    now: Timestamp,
) -> crate::store::Result<()> {
    match accepted {
        Some(scheme) => hosts::save_signature_scheme(tx, host, scheme, now).await,
        None => hosts::reset_signature_scheme(tx, host).await,
    }
}

/// Signs fetches as the site itself: servers with authorized fetch reject unsigned requests.
pub(super) struct InstanceSigner(pub(super) App);

impl InstanceSigner {
    async fn headers(&self, url: &Url, scheme: SignatureScheme, knock: Knock) -> anyhow::Result<HeaderMap> {
        let keys = self.0.keys_for(KeyOwner::Instance).await?;
        // A host that rejects the old key may have fetched the actor after the new one was published.
        let key = if knock == Knock::First { keys.signing_key() } else { keys.published_key() };
        sign(&self.0, key, scheme, Method::GET, url, None).await
    }

    async fn save(&self, url: &Url, accepted: Option<SignatureScheme>) -> anyhow::Result<()> {
        let mut tx = self.0.db.begin().await?;
        save_scheme(&mut tx, url.host_str().unwrap_or_default(), accepted, self.0.clock.now()).await?;
        Ok(tx.commit().await?)
    }
}

#[async_trait::async_trait]
impl FetchSigner for InstanceSigner {
    async fn preferred_scheme(&self, url: &Url) -> SignatureScheme {
        preferred_scheme(&self.0, url.host_str().unwrap_or_default()).await
    }

    async fn sign(&self, url: &Url, scheme: SignatureScheme, knock: Knock) -> HeaderMap {
        self.headers(url, scheme, knock).await.unwrap_or_else(|error| {
            tracing::error!(error = ?Untrusted::chain(&error), "could not sign request; sending it unsigned");
            HeaderMap::new()
        })
    }

    async fn record_scheme(&self, url: &Url, accepted: Option<SignatureScheme>) {
        if let Err(error) = self.save(url, accepted).await {
            let host = url.host_str().unwrap_or_default();
            tracing::warn!(host = %Untrusted::new(&host), error = ?Untrusted::chain(&error), "could not save signature scheme");
        }
    }
}
