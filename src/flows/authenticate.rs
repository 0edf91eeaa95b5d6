//! Authentication of signed requests: a signature is verified with the cached or stored key of its actor or, if that
//! fails, with the key that the actor's server publishes now.

mod key_cache;
mod key_fetch;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use url::Url;

pub use key_cache::{CachedKey, RemoteKeyCache};
pub use key_fetch::KeyFetchCache;
use key_fetch::{FetchFailure, KeyFetch, ListedKeys, REFETCH_INTERVAL, fetch_keys};

use super::App;
use super::budget::BudgetError;
use super::budget::requests::OperationRequests;
use super::error::FlowError;
use super::stored_url::parse_stored_url;
use crate::federation::signature::{SignatureError, UnverifiedSignature};
use crate::federation::vocab::remote_public_keys::RemoteKey;
use crate::net::request_budget::with_budget;
use crate::store::actor_keys;

/// A key that cannot be stored in this time is fetched again for the next request.
const STORE_TIMEOUT: Duration = Duration::from_secs(8);

/// Why a signature was not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The signature is missing, malformed or wrong.
    #[error(transparent)]
    Rejected(#[from] SignatureError),
    /// The key's server responded with 410.
    #[error("the key was deleted")]
    KeyGone,
    /// The key cannot be fetched now.
    #[error("the key could not be fetched")]
    KeyUnavailable,
    /// Too many keys are being fetched.
    #[error(transparent)]
    AtCapacity(#[from] BudgetError),
    /// This side failed.
    #[error(transparent)]
    Failed(#[from] FlowError),
}

impl From<FetchFailure> for AuthError {
    fn from(failure: FetchFailure) -> Self {
        match failure {
            FetchFailure::Gone => Self::KeyGone,
            FetchFailure::Unreachable => Self::KeyUnavailable,
            FetchFailure::Rejected(error) => error.into(),
        }
    }
}

/// The result of verifying a signature with the cached keys.
#[derive(Debug)]
pub enum CachedVerification {
    /// This key made it. The transaction that stores the activity checks that the key is still valid.
    Verified(Arc<CachedKey>),
    /// The signature does not match the key that its server published recently.
    Rejected,
    /// The database or the key's server must be consulted.
    Unknown,
}

/// Verifies with the cached keys alone, for a request of that client. Takes some 20 µs of CPU time.
pub fn verify_cached(
    app: &App,
    presented: &UnverifiedSignature,
    client: Option<IpAddr>,
) -> CachedVerification {
    let Some(cached) = app.remote_keys.get(&presented.key_id).filter(|cached| !cached.is_slow()) else {
        return CachedVerification::Unknown;
    };
    if cached.verifies(presented) {
        CachedVerification::Verified(cached)
    } else if cached.is_fresh(app.clock.now(), app.budgets.client_number(client)) {
        CachedVerification::Rejected
    } else {
        CachedVerification::Unknown
    }
}

/// Verifies a signature with the stored key or, if that fails or there is none, with the one that its server publishes.
/// The document of a key is fetched at most once every few minutes for each client, and nothing else is fetched.
pub async fn authenticate(
    app: &App,
    presented: &UnverifiedSignature,
    client: Option<IpAddr>,
) -> Result<Arc<CachedKey>, AuthError> {
    let key_id = &presented.key_id;
    if let Some(key) = verify_stored(app, presented).await? {
        return Ok(key);
    }
    let mut document = key_id.clone();
    document.set_fragment(None);
    let slot = app.key_fetches.slot(&document).ok_or(BudgetError::Busy)?;
    let _waiting = app.budgets.acquire_wait(client)?;
    let mut latest = slot.lock().await;
    let now = app.clock.now();
    let may_refetch = || app.budgets.may_refetch(&document, client, REFETCH_INTERVAL, now);
    if let Some(fetch) = latest.as_ref().filter(|fetch| !fetch.is_stale(now)) {
        let known = verify_fetched(app, presented, fetch, client).await;
        // If it was fetched for someone else, perhaps for a forgery, the key may have been replaced since then.
        if known.is_ok() || !may_refetch() {
            return known;
        }
    }
    // Another request may have stored the key while this one waited.
    if let Some(key) = verify_stored(app, presented).await? {
        return Ok(key);
    }
    let _fetching = app.budgets.acquire_fetch(client, document.host_str().unwrap_or_default()).await;
    let requests = OperationRequests::of_key(app, client);
    let keys = with_budget(Arc::clone(&requests) as _, Box::pin(fetch_keys(app, &document))).await?;
    if let Some(error) = requests.refusal() {
        return Err(error.into());
    }
    let fetch = KeyFetch { at: now, keys };
    let verified = verify_fetched(app, presented, &fetch, client).await;
    // A valid key leaves no entry, so that a rotated key is fetched at once.
    if verified.is_ok() {
        *latest = None;
    } else {
        may_refetch();
        *latest = Some(fetch);
    }
    verified
}

/// Verifies a signature with a key document that was fetched, and stores its keys.
async fn verify_fetched(
    app: &App,
    presented: &UnverifiedSignature,
    fetch: &KeyFetch,
    client: Option<IpAddr>,
) -> Result<Arc<CachedKey>, AuthError> {
    let key_id = &presented.key_id;
    let ListedKeys { actor, keys } = fetch.keys.clone()?;
    let key = keys.iter().find(|key| key.id == *key_id);
    let pem = &key.ok_or(SignatureError::Unauthorized("the key is not listed by its owner"))?.pem;
    let published = CachedKey::parse(key_id, &actor, pem, app.clock.now()).map(Arc::new);
    let is_valid = match &published {
        Some(published) => verifies(presented, published).await?,
        None => false,
    };
    let storing =
        tokio::time::timeout(STORE_TIMEOUT, store_keys(app, key_id, &actor, &keys, pem, is_valid)).await;
    storing.map_err(|_| BudgetError::Busy)?.map_err(FlowError::from)?;
    let Some(published) = published.filter(|_| is_valid) else {
        let cached = app.remote_keys.get(key_id).filter(|cached| cached.matches(actor.as_str(), pem));
        if let Some(cached) = cached {
            cached.mark_fetched(fetch.at, app.budgets.client_number(client));
        }
        return Err(SignatureError::Unauthorized("the signature does not verify").into());
    };
    app.remote_keys.insert(Arc::clone(&published));
    Ok(published)
}

/// Stores the keys that a server publishes. A stored key is replaced by the published one, whatever caused the fetch; a
/// new key is stored only once it verified a signature.
async fn store_keys(
    app: &App,
    key_id: &Url,
    actor: &Url,
    listed: &[RemoteKey],
    pem: &str,
    is_valid: bool,
) -> crate::store::Result<()> {
    let stored = actor_keys::find(&app.db, key_id).await?;
    if !is_valid && stored.is_none_or(|stored| stored.pem == pem) {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    actor_keys::upsert(&mut tx, key_id, actor, pem, app.clock.now()).await?;
    let listed: Vec<&Url> = listed.iter().map(|key| &key.id).collect();
    actor_keys::delete_unlisted(&mut tx, actor, &listed).await?;
    tx.commit().await
}

/// Verifies a signature with the stored key; returns `None` if there is none or it does not verify.
pub async fn verify_stored(
    app: &App,
    presented: &UnverifiedSignature,
) -> Result<Option<Arc<CachedKey>>, FlowError> {
    let key_id = &presented.key_id;
    let stored = actor_keys::find(&app.db, key_id).await?;
    let now = app.clock.now();
    let cached = app.remote_keys.get(key_id);
    let key = match (stored, cached) {
        (Some(stored), Some(cached)) if cached.matches(&stored.actor, &stored.pem) => {
            cached.mark_read(now);
            Some(cached)
        }
        (Some(stored), _) => {
            let actor = parse_stored_url("actor_keys.actor", &stored.actor)?;
            let parsed = CachedKey::parse(key_id, &actor, &stored.pem, now).map(Arc::new);
            if let Some(parsed) = &parsed {
                app.remote_keys.insert(Arc::clone(parsed));
            }
            parsed
        }
        (None, _) => None,
    };
    let Some(key) = key else {
        app.remote_keys.remove(key_id);
        return Ok(None);
    };
    Ok(verifies(presented, &key).await?.then_some(key))
}

/// Verifies on the async thread: handing a job of 20 µs to another one costs half as much again. A slow key is handed
/// over.
async fn verifies(presented: &UnverifiedSignature, key: &Arc<CachedKey>) -> Result<bool, FlowError> {
    if !key.is_slow() {
        return Ok(key.verifies(presented));
    }
    let (presented, key) = (presented.clone(), Arc::clone(key));
    let checked = tokio::task::spawn_blocking(move || key.verifies(&presented)).await;
    Ok(checked.context("the verification thread failed")?)
}
