//! The keys that prove who speaks: those that we know, and those that their servers show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use activitypub_federation::fetch::fetch_object_http;
use anyhow::Context;
use url::Url;

use super::App;
use crate::domain::time::Timestamp;
use crate::federation::keys::PublicKey;
use crate::federation::signature::{Presented, Refusal};
use crate::federation::vocab::address::same_origin;
use crate::federation::vocab::document::Document;
use crate::federation::vocab::remote_actor::{RemoteActor, RemoteKey, public_keys};
use crate::store::actors;

/// A key that does not verify, or could not be had, is asked for again after this time.
const RECHECK_AFTER: Duration = Duration::from_mins(5);

/// A server that could not be reached is asked again after this time.
const UNREACHABLE_FOR: Duration = Duration::from_secs(30);

/// The finds of so many documents are remembered.
const MOST_FINDS: usize = 10_000;

/// A host is asked for this many keys in a minute at most.
const MOST_PER_HOST: u32 = 300;

/// What was lately found where keys are, so that a thousand bad signatures cost one request, and fifty good
/// ones at once cost one, too.
#[derive(Debug, Default)]
pub struct KeyFinds(Mutex<Finds>);

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
    Refused(Refusal),
}

impl From<Missing> for Unproven {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Gone => Self::KeyGone,
            Missing::Unreachable => Self::NoKey,
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
        now.since(self.at) >= lasts
    }
}

impl KeyFinds {
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
        if now.since(finds.minute) >= Duration::from_mins(1) {
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
pub enum Unproven {
    /// The signature is not good.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key's server says that it is gone for good.
    #[error("the key is gone")]
    KeyGone,
    /// The key cannot be had now.
    #[error("the key could not be fetched")]
    NoKey,
    /// Something is wrong here.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

/// Proves who signed: verifies with the key that we know; where that fails, or there is none, with the one
/// that its server shows, which is asked for at most once in a while. Fetches nothing else.
pub async fn authenticate(app: &App, presented: &Presented) -> Result<Url, Unproven> {
    let key_id = &presented.key_id;
    if let Some(actor) = known_signer(app, presented).await? {
        return Ok(actor);
    }
    let mut document = key_id.clone();
    document.set_fragment(None);
    let place = app.key_finds.place(&document).ok_or(Unproven::NoKey)?;
    let mut find = place.lock().await;
    let now = app.clock.now();
    if find.as_ref().is_none_or(|find| find.is_stale(now)) {
        // While this one waited, another may have learned the key.
        if let Some(actor) = known_signer(app, presented).await? {
            return Ok(actor);
        }
        if !app.key_finds.may_ask(document.host_str().unwrap_or_default(), now) {
            return Err(Unproven::NoKey);
        }
        *find = Some(Find { at: now, keys: fetch_keys(app, &document).await? });
    }
    let Some(Find { keys, .. }) = find.clone() else { return Err(Unproven::NoKey) };
    let Listed { actor, keys } = keys?;
    let key = keys.iter().find(|key| key.id == *key_id);
    let pem = key.ok_or(Refusal::Unauthorised("its key is not listed by its owner"))?.pem.clone();
    let good = verifies(presented, &pem).await?;
    // A key that we hold is replaced by what its server shows now, whoever made us look; a new one is kept
    // only once it proved something.
    let known = actors::key(&app.db, key_id).await.context("reading a key")?;
    if good || known.is_some_and(|known| known.pem != pem) {
        let mut tx = app.db.begin().await.context("keeping a key")?;
        actors::save_key(&mut tx, key_id, &actor, &pem, now).await.context("keeping a key")?;
        let listed: Vec<&Url> = keys.iter().map(|key| &key.id).collect();
        actors::drop_unlisted(&mut tx, &actor, &listed).await.context("dropping keys")?;
        tx.commit().await.context("keeping a key")?;
    }
    if !good {
        return Err(Refusal::Unauthorised("it does not verify").into());
    }
    // Nothing stands against asking again once it is rotated.
    *find = None;
    Ok(actor)
}

/// Who signed, where the key that we know says so.
pub async fn known_signer(app: &App, presented: &Presented) -> Result<Option<Url>, Unproven> {
    let known = actors::key(&app.db, &presented.key_id).await.context("reading a key")?;
    match known {
        Some(known) if verifies(presented, &known.pem).await? => {
            Ok(Some(Url::parse(&known.actor).context("a stored actor's id")?))
        }
        _ => Ok(None),
    }
}

async fn verifies(presented: &Presented, pem: &str) -> Result<bool, Unproven> {
    let Ok(key) = PublicKey::from_pem(pem) else {
        return Ok(false);
    };
    let presented = presented.clone();
    let checked = tokio::task::spawn_blocking(move || presented.verify(&key)).await;
    Ok(checked.context("the verifying thread")?.is_ok())
}

/// The keys that a document presents, as their owner lists them.
async fn fetch_keys(app: &App, place: &Url) -> anyhow::Result<Result<Listed, Missing>> {
    use activitypub_federation::error::Error;

    let data = app.federation().await?;
    let document: Document = match fetch_object_http(place, &data).await {
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
        return Ok(Err(Missing::Refused(Refusal::Unauthorised("its key has no owner on its own server"))));
    };
    let Ok(response) = fetch_object_http(&owner, &data).await else { return Ok(Err(Missing::Unreachable)) };
    let document: Document = response.object;
    Ok(match RemoteActor::parse(&document, app.rules) {
        Ok(actor) => Ok(Listed { actor: actor.id, keys: actor.keys }),
        Err(_) => Err(Missing::Refused(Refusal::Unauthorised("its key's owner is no actor"))),
    })
}
