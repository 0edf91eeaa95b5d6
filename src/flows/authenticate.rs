//! The keys that prove who speaks: those that we know, and those that their servers show.

mod remote_keys;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use activitypub_federation::fetch::fetch_object_http;
use anyhow::Context;
use url::Url;

pub use remote_keys::{CachedKey, RemoteKeyCache};

use super::App;
use super::gate::GateError;
use crate::domain::time::Timestamp;
use crate::federation::signature::{SignatureError, UnverifiedSignature};
use crate::federation::vocab::json_document::JsonDocument;
use crate::federation::vocab::remote_actor::{RemoteActor, RemoteKey, public_keys};
use crate::federation::vocab::url_rules::same_origin;
use crate::store::actors;

/// A key that does not verify, or could not be had, is asked for again after this time.
const RECHECK_AFTER: Duration = Duration::from_mins(5);

/// A server that could not be reached is asked again after this time.
const UNREACHABLE_FOR: Duration = Duration::from_secs(30);

/// The finds of so many documents are remembered.
const MOST_FINDS: usize = 10_000;

/// A host is asked for this many keys in a minute at most.
const MOST_PER_HOST: u32 = 300;

/// A key that cannot be written in this time is asked for again by who comes again.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was lately found where keys are, so that a thousand bad signatures cost one request, and fifty good
/// ones at once cost one, too.
#[derive(Debug, Default)]
pub struct KeyFetchCache(Mutex<Finds>);

#[derive(Debug, Default)]
struct Finds {
    by_document: HashMap<Url, Arc<tokio::sync::Mutex<Option<Find>>>>,
    /// Requests to each host since the minute began.
    minute: Timestamp,
    by_host: HashMap<String, u32>,
}

/// What was found, and when.
#[derive(Debug, Clone)]
struct Find {
    at: Timestamp,
    keys: Result<Listed, Missing>,
}

/// An actor and the keys that its document lists, by their ids.
#[derive(Debug, Clone)]
struct Listed {
    actor: Url,
    keys: Vec<RemoteKey>,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy)]
enum Missing {
    Gone,
    Unreachable,
    Refused(SignatureError),
}

impl From<Missing> for AuthError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Gone => Self::KeyGone,
            Missing::Unreachable => Self::KeyUnavailable,
            Missing::Refused(refusal) => refusal.into(),
        }
    }
}

impl Find {
    /// Whether it is too old to go by.
    fn is_stale(&self, now: Timestamp) -> bool {
        let lasts = match self.keys {
            Err(Missing::Unreachable) => UNREACHABLE_FOR,
            _ => RECHECK_AFTER,
        };
        now.duration_since(self.at) >= lasts
    }
}

impl KeyFetchCache {
    /// The place for what is found in that document; none where too many are asked for.
    fn place(&self, document: &Url) -> Option<Arc<tokio::sync::Mutex<Option<Find>>>> {
        let mut finds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if finds.by_document.len() >= MOST_FINDS {
            // Those that nobody waits for now; they are asked for again when they are needed.
            finds.by_document.retain(|_, place| Arc::strong_count(place) > 1);
        }
        if finds.by_document.len() >= MOST_FINDS {
            return None;
        }
        Some(Arc::clone(finds.by_document.entry(document.clone()).or_default()))
    }

    /// Whether the host may be asked once more in this minute.
    fn may_ask(&self, host: &str, now: Timestamp) -> bool {
        let mut finds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(finds.minute) >= Duration::from_mins(1) {
            finds.minute = now;
            finds.by_host.clear();
        }
        let asked = finds.by_host.entry(host.to_owned()).or_default();
        *asked += 1;
        *asked <= MOST_PER_HOST
    }
}

/// Why nobody is known to have signed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The signature is not good.
    #[error(transparent)]
    Refused(#[from] SignatureError),
    /// The key's server says that it is gone for good.
    #[error("the key is gone")]
    KeyGone,
    /// The key cannot be had now.
    #[error("the key could not be fetched")]
    KeyUnavailable,
    /// Too many keys are asked for at this moment.
    #[error(transparent)]
    Busy(#[from] GateError),
    /// Something is wrong here.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

/// What the keys in memory say about a signature, without asking anyone.
#[derive(Debug)]
pub enum CachedVerification {
    /// This one made it. Whether it still stands is for the transaction to see that writes what it proves.
    Verified(Arc<CachedKey>),
    /// Its key, as its server shows it, did not make it.
    Rejected,
    /// Somebody must be asked.
    Unknown,
}

/// A look at the keys in memory. Takes some 20 µs of a core.
pub fn verify_cached(app: &App, presented: &UnverifiedSignature) -> CachedVerification {
    let Some(known) = app.remote_keys.get(&presented.key_id).filter(|known| !known.is_slow()) else {
        return CachedVerification::Unknown;
    };
    if known.verifies(presented) {
        CachedVerification::Verified(known)
    } else if known.is_fresh(app.clock.now()) {
        CachedVerification::Rejected
    } else {
        CachedVerification::Unknown
    }
}

/// Proves who signed: verifies with the key that we know; where that fails, or there is none, with the one
/// that its server shows, which is asked for at most once in a while. Fetches nothing else.
pub async fn authenticate(
    app: &App,
    presented: &UnverifiedSignature,
    client: Option<IpAddr>,
) -> Result<Arc<CachedKey>, AuthError> {
    let key_id = &presented.key_id;
    if let Some(known) = verify_stored(app, presented).await? {
        return Ok(known);
    }
    let mut document = key_id.clone();
    document.set_fragment(None);
    let place = app.key_fetches.place(&document).ok_or(GateError::Busy)?;
    let _waiting = app.gate.acquire_wait(client)?;
    let mut find = place.lock().await;
    let now = app.clock.now();
    if find.as_ref().is_none_or(|find| find.is_stale(now)) {
        // While this one waited, another may have learned the key.
        if let Some(known) = verify_stored(app, presented).await? {
            return Ok(known);
        }
        let host = document.host_str().unwrap_or_default();
        let _fetching = app.gate.acquire_fetch(host).await;
        if !app.key_fetches.may_ask(host, now) {
            return Err(GateError::Busy.into());
        }
        *find = Some(Find { at: now, keys: fetch_keys(app, &document).await? });
    }
    let Some(Find { keys, at }) = find.clone() else { return Err(AuthError::KeyUnavailable) };
    let Listed { actor, keys } = keys?;
    let key = keys.iter().find(|key| key.id == *key_id);
    let pem = &key.ok_or(SignatureError::Unauthorized("its key is not listed by its owner"))?.pem;
    let shown = CachedKey::parse(key_id, &actor, pem, now).map(Arc::new);
    let good = match &shown {
        Some(shown) => verifies(presented, shown).await?,
        None => false,
    };
    let learning = tokio::time::timeout(PATIENCE, learn(app, key_id, &actor, &keys, pem, good)).await;
    learning.map_err(|_| GateError::Busy)?.context("keeping a key")?;
    let Some(shown) = shown.filter(|_| good) else {
        let kept = app.remote_keys.get(key_id).filter(|kept| kept.matches(actor.as_str(), pem));
        if let Some(kept) = kept {
            kept.mark_fetched(at);
        }
        return Err(SignatureError::Unauthorized("it does not verify").into());
    };
    app.remote_keys.insert(Arc::clone(&shown));
    // Nothing stands against asking again once it is rotated.
    *find = None;
    Ok(shown)
}

/// Writes down what a server shows. A key that we hold is replaced by what is shown now, whoever made us look; a new
/// one is kept only once it proved something.
async fn learn(
    app: &App,
    key_id: &Url,
    actor: &Url,
    listed: &[RemoteKey],
    pem: &str,
    good: bool,
) -> crate::store::Result<()> {
    let known = actors::find_key(&app.db, key_id).await?;
    if !good && known.is_none_or(|known| known.pem == pem) {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    actors::upsert_key(&mut tx, key_id, actor, pem, app.clock.now()).await?;
    let listed: Vec<&Url> = listed.iter().map(|key| &key.id).collect();
    actors::delete_unlisted_keys(&mut tx, actor, &listed).await?;
    tx.commit().await
}

/// Who signed, where the key that we know says so: the database is asked for it.
pub async fn verify_stored(
    app: &App,
    presented: &UnverifiedSignature,
) -> Result<Option<Arc<CachedKey>>, AuthError> {
    let key_id = &presented.key_id;
    let stored = actors::find_key(&app.db, key_id).await.context("reading a key")?;
    let now = app.clock.now();
    let kept = app.remote_keys.get(key_id);
    let known = match (stored, kept) {
        (Some(stored), Some(kept)) if kept.matches(&stored.actor, &stored.pem) => {
            kept.mark_read(now);
            Some(kept)
        }
        (Some(stored), _) => {
            let actor = Url::parse(&stored.actor).context("a stored actor's id")?;
            let read = CachedKey::parse(key_id, &actor, &stored.pem, now).map(Arc::new);
            if let Some(read) = &read {
                app.remote_keys.insert(Arc::clone(read));
            }
            read
        }
        (None, _) => None,
    };
    let Some(known) = known else {
        app.remote_keys.remove(key_id);
        return Ok(None);
    };
    Ok(verifies(presented, &known).await?.then_some(known))
}

/// Verifies here and now: to hand a job of 20 µs to another thread costs half as much again. One that takes longer is
/// handed over.
async fn verifies(presented: &UnverifiedSignature, key: &Arc<CachedKey>) -> Result<bool, AuthError> {
    if !key.is_slow() {
        return Ok(key.verifies(presented));
    }
    let (presented, key) = (presented.clone(), Arc::clone(key));
    let checked = tokio::task::spawn_blocking(move || key.verifies(&presented)).await;
    Ok(checked.context("the verifying thread")?)
}

/// The keys that a document presents, as their owner lists them.
async fn fetch_keys(app: &App, place: &Url) -> anyhow::Result<Result<Listed, Missing>> {
    use activitypub_federation::error::Error;

    let data = app.apub_data().await?;
    let document: JsonDocument = match fetch_object_http(place, &data).await {
        Ok(response) => response.object,
        Err(Error::ObjectDeleted(_)) => return Ok(Err(Missing::Gone)),
        Err(error) => {
            tracing::info!(key = %place, %error, "key not fetched");
            return Ok(Err(Missing::Unreachable));
        }
    };
    if let Ok(actor) = RemoteActor::parse(&document, app.rules) {
        return Ok(Ok(Listed { actor: actor.id, keys: actor.keys }));
    }
    // A key by itself, or a stub: whoever it names as its owner must list it.
    let keys = public_keys(&document, app.rules);
    let Some(owner) = keys.into_iter().map(|key| key.owner).find(|owner| same_origin(owner, place)) else {
        return Ok(Err(Missing::Refused(SignatureError::Unauthorized(
            "its key has no owner on its own server",
        ))));
    };
    let Ok(response) = fetch_object_http(&owner, &data).await else { return Ok(Err(Missing::Unreachable)) };
    let document: JsonDocument = response.object;
    Ok(match RemoteActor::parse(&document, app.rules) {
        Ok(actor) => Ok(Listed { actor: actor.id, keys: actor.keys }),
        Err(_) => Err(Missing::Refused(SignatureError::Unauthorized("its key's owner is no actor"))),
    })
}
