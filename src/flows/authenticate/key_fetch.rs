//! Fetches the keys of remote actors. However many requests of one client name a key that does not verify, its document is
//! fetched at most once in five minutes for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::federation::signature::SignatureError;
use crate::federation::vocab::remote_actor::RemoteActor;
use crate::federation::vocab::remote_public_keys::{RemoteKey, public_keys};
use crate::federation::vocab::url_rules::same_origin;
use crate::flows::App;
use crate::flows::apub::{self, FetchError};
use crate::flows::error::FlowError;

/// A key that did not verify, or was not found, is fetched again after this time.
pub(super) const REFETCH_INTERVAL: Duration = Duration::from_mins(5);

/// A server that could not be reached is tried again after this time.
const UNREACHABLE_INTERVAL: Duration = Duration::from_secs(30);

/// Documents whose fetches are cached.
const MAX_CACHED_DOCUMENTS: usize = 10_000;

/// The latest fetches of key documents: a thousand bad signatures cost one request, and so do fifty good ones that
/// arrive together.
///
/// It is hand-written because a result is replaced under the lock that makes the other requests wait for it, it is stale after a
/// time that depends on the result, and a slot that a request waits for must not be evicted.
#[derive(Debug, Default)]
pub struct KeyFetchCache(Mutex<HashMap<Url, KeyFetchSlot>>);

/// The latest fetch of a document. Whoever holds the lock fetches it.
pub(super) type KeyFetchSlot = Arc<tokio::sync::Mutex<Option<KeyFetch>>>;

/// The result of a fetch.
#[derive(Debug, Clone)]
pub(super) struct KeyFetch {
    pub(super) at: Timestamp,
    pub(super) keys: Result<ListedKeys, FetchFailure>,
}

/// An actor and the keys that its document lists.
#[derive(Debug, Clone)]
pub(super) struct ListedKeys {
    pub(super) actor: Url,
    pub(super) keys: Vec<RemoteKey>,
}

/// Why a fetch found no key.
#[derive(Debug, Clone, Copy)]
pub(super) enum FetchFailure {
    Gone,
    Unreachable,
    Rejected(SignatureError),
}

impl KeyFetch {
    /// Whether it is too old to be used.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        let interval = match self.keys {
            Err(FetchFailure::Unreachable) => UNREACHABLE_INTERVAL,
            _ => REFETCH_INTERVAL,
        };
        now.duration_since(self.at) >= interval
    }
}

impl KeyFetchCache {
    /// The slot for that document; `None` if too many documents are fetched.
    pub(super) fn slot(&self, document: &Url) -> Option<KeyFetchSlot> {
        let mut by_document = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if by_document.len() >= MAX_CACHED_DOCUMENTS {
            // Only slots that no request waits for are dropped; their keys are fetched again when they are needed.
            by_document.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        if by_document.len() >= MAX_CACHED_DOCUMENTS {
            return None;
        }
        Some(Arc::clone(by_document.entry(document.clone()).or_default()))
    }
}

/// Fetches a key document; returns the keys that their owner lists.
pub(super) async fn fetch_keys(app: &App, url: &Url) -> Result<Result<ListedKeys, FetchFailure>, FlowError> {
    let data = apub::request_data(app).await?;
    let document = match apub::fetch_document(&data, url).await {
        Ok(document) => document,
        Err(FetchError::Gone) => return Ok(Err(FetchFailure::Gone)),
        Err(FetchError::Failed(reason)) => {
            tracing::info!(key = %Untrusted::new(&url), error = ?Untrusted::new(&reason), "could not fetch key");
            return Ok(Err(FetchFailure::Unreachable));
        }
    };
    if let Ok(actor) = RemoteActor::parse(&document, app.rules) {
        return Ok(Ok(ListedKeys { actor: actor.id, keys: actor.keys }));
    }
    // The document is a key or a stub of an actor: the owner that it names must list the key.
    let rejected = |reason| Ok(Err(FetchFailure::Rejected(SignatureError::Unauthorized(reason))));
    let keys = public_keys(&document, app.rules);
    let Some(owner) = keys.into_iter().map(|key| key.owner).find(|owner| same_origin(owner, url)) else {
        return rejected("the key has no owner on the same server");
    };
    let Ok(document) = apub::fetch_document(&data, &owner).await else {
        return Ok(Err(FetchFailure::Unreachable));
    };
    match RemoteActor::parse(&document, app.rules) {
        Ok(actor) => Ok(Ok(ListedKeys { actor: actor.id, keys: actor.keys })),
        Err(_) => rejected("the owner of the key is not an actor"),
    }
}
