//! Actors and posts of other servers, fetched through the library's validating resolver, and the
//! keys that prove who speaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use activitypub_federation::config::Data;
use activitypub_federation::fetch::fetch_object_http;
use activitypub_federation::fetch::object_id::ObjectId;
use activitypub_federation::traits::{Actor, Object};
use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;

use super::App;
use crate::domain::time::Timestamp;
use crate::federation::keys::PublicKey;
use crate::federation::signature::{Presented, Refusal};
use crate::federation::vocab::address::same_origin;
use crate::federation::vocab::document::Document;
use crate::federation::vocab::incoming::Fetched;
use crate::federation::vocab::note::Note;
use crate::federation::vocab::remote_actor::{RemoteActor, RemoteKey, public_keys};
use crate::federation::webfinger::{self, Handle, JrdError};
use crate::net::client::Get;
use crate::store::actors::{self, StoredActor};

/// A key that does not verify, or could not be had, is asked for again after this time.
const RECHECK_AFTER: Duration = Duration::from_mins(5);

/// A server that could not be reached is asked again after this time.
const UNREACHABLE_FOR: Duration = Duration::from_secs(30);

/// The finds of so many documents are remembered.
const MOST_FINDS: usize = 10_000;

/// A host is asked for this many keys in a minute at most.
const MOST_PER_HOST: u32 = 300;

/// A WebFinger answer is never longer.
const MOST_JRD: usize = 64 * 1024;

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
    let key = keys.into_iter().find(|key| key.id == *key_id);
    let pem = key.ok_or(Refusal::Unauthorised("its key is not listed by its owner"))?.pem;
    let good = verifies(presented, &pem).await?;
    // A key that we hold is replaced by what its server shows now, whoever made us look; a new one is kept
    // only once it proved something.
    let known = actors::key(&app.db, key_id).await.context("reading a key")?;
    if good || known.is_some_and(|known| known.pem != pem) {
        let mut tx = app.db.begin().await.context("keeping a key")?;
        actors::save_key(&mut tx, key_id, &actor, &pem, now).await.context("keeping a key")?;
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
async fn known_signer(app: &App, presented: &Presented) -> Result<Option<Url>, Unproven> {
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

/// An actor of another server, known to us.
#[derive(Debug)]
pub struct Peer(pub StoredActor);

/// The actor of that id, known or fetched; fetched again once a day.
pub async fn actor(app: &App, id: &Url) -> anyhow::Result<StoredActor> {
    let data = app.federation().await?;
    Ok(ObjectId::<Peer>::from(id.clone()).dereference(&data).await?.0)
}

/// The actor of that id as its server shows it now.
pub async fn refresh(app: &App, id: &Url) -> anyhow::Result<StoredActor> {
    let data = app.federation().await?;
    Ok(ObjectId::<Peer>::from(id.clone()).dereference_forced(&data).await?.0)
}

#[async_trait]
impl Object for Peer {
    type DataType = App;
    type Kind = Document;
    type Error = anyhow::Error;

    fn id(&self) -> &Url {
        &self.0.uri
    }

    fn last_refreshed_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0.fetched_at.millis())
    }

    async fn read_from_id(id: Url, app: &Data<App>) -> anyhow::Result<Option<Self>> {
        Ok(actors::by_uri(&app.db, &id).await?.map(Self))
    }

    async fn into_json(self, _: &Data<App>) -> anyhow::Result<Document> {
        bail!("actors of other servers are not served here")
    }

    async fn verify(document: &Document, address: &Url, app: &Data<App>) -> anyhow::Result<()> {
        let actor = RemoteActor::parse(document, app.rules)?;
        ensure!(actor.id == *address, "the actor names itself otherwise");
        ensure!(!actor.is_suspended, "the actor is suspended");
        ensure!(same_origin(&actor.inbox, &actor.id), "the actor's inbox is on another server");
        Ok(())
    }

    async fn from_json(document: Document, app: &Data<App>) -> anyhow::Result<Self> {
        let actor = RemoteActor::parse(&document, app.rules)?;
        let handle = match confirmed_handle(app, &actor).await {
            Ok(handle) => handle,
            // Nobody answered: what was confirmed once stands.
            Err(error) => {
                tracing::info!(actor = %actor.id, error = format!("{error:#}"), "handle not looked up");
                actors::by_uri(&app.db, &actor.id).await?.and_then(|known| known.handle)
            }
        };
        let now = app.clock.now();
        let stored = StoredActor {
            name: actor.name.or(actor.username).unwrap_or_default(),
            handle,
            url: actor.url.unwrap_or_else(|| actor.id.clone()),
            inbox: actor.inbox,
            shared_inbox: actor.shared_inbox,
            fetched_at: now,
            uri: actor.id,
        };
        let mut tx = app.db.begin().await?;
        actors::save(&mut tx, &stored).await?;
        tx.commit().await?;
        Ok(Self(stored))
    }
}

impl Actor for Peer {
    // Signatures are verified by `authenticate`, against keys that are kept apart.
    fn public_key_pem(&self) -> &'static str {
        ""
    }

    fn private_key_pem(&self) -> Option<String> {
        None
    }

    fn inbox(&self) -> Url {
        self.0.inbox.clone()
    }

    fn shared_inbox(&self) -> Option<Url> {
        self.0.shared_inbox.clone()
    }
}

/// `@user@host`, where WebFinger at that host leads back to the actor (RFC 7033). A host may say that its handles
/// are on another domain, which is then asked, once. A handle that nobody confirms is not shown.
async fn confirmed_handle(app: &App, actor: &RemoteActor) -> anyhow::Result<Option<String>> {
    let own = || Some(format!("{}@{}", actor.username.as_ref()?, actor.id.authority().rsplit('@').next()?));
    let claimed = actor.webfinger.clone().or_else(own);
    let Some(handle) = claimed.and_then(|claimed| Handle::parse(&claimed, app.rules)) else {
        return Ok(None);
    };
    let (handle, found) = match look_up(app, actor, &handle).await? {
        Err(JrdError::OtherSubject(other)) => {
            let found = look_up(app, actor, &other).await?;
            (other, found)
        }
        found => (handle, found),
    };
    Ok(found.is_ok_and(|found| found == actor.id).then(|| format!("@{handle}")))
}

async fn look_up(app: &App, actor: &RemoteActor, handle: &Handle) -> anyhow::Result<Result<Url, JrdError>> {
    let scheme = if app.origin.is_trial() { actor.id.scheme() } else { "https" };
    let mut address = Url::parse(&format!("{scheme}://{}/.well-known/webfinger", handle.host))?;
    address.query_pairs_mut().append_pair("resource", &handle.to_acct());
    let answer = app.http.get(Get::new(&address, "application/jrd+json, application/json", MOST_JRD)).await?;
    ensure!(!answer.status.is_server_error(), "answered {}", answer.status);
    if !answer.status.is_success() {
        return Ok(Err(JrdError::NoSubject));
    }
    Ok(webfinger::read_self_link(&answer.body, handle, app.rules))
}

/// A post of another server, fetched from where it is.
#[derive(Debug)]
pub struct RemotePost(pub Note);

/// The post of that id, as its own server shows it.
pub async fn post(app: &App, id: &Url) -> anyhow::Result<Note> {
    let data = app.federation().await?;
    Ok(ObjectId::<RemotePost>::from(id.clone()).dereference(&data).await?.0)
}

#[async_trait]
impl Object for RemotePost {
    type DataType = App;
    type Kind = Document;
    type Error = anyhow::Error;

    fn id(&self) -> &Url {
        &self.0.id
    }

    async fn read_from_id(_: Url, _: &Data<App>) -> anyhow::Result<Option<Self>> {
        // What is stored of a post is its comment; who asks for the post wants it as it is now.
        Ok(None)
    }

    async fn into_json(self, _: &Data<App>) -> anyhow::Result<Document> {
        bail!("posts of other servers are not served here")
    }

    async fn verify(document: &Document, address: &Url, app: &Data<App>) -> anyhow::Result<()> {
        let Fetched::Note(note) = Fetched::parse(document, app.rules)? else { bail!("it is no post") };
        ensure!(note.id == *address, "the post names itself otherwise");
        let author = note.attributed_to.as_ref().context("the post has no author")?;
        ensure!(same_origin(author, &note.id), "the post's author is on another server");
        Ok(())
    }

    async fn from_json(document: Document, app: &Data<App>) -> anyhow::Result<Self> {
        let Fetched::Note(note) = Fetched::parse(&document, app.rules)? else { bail!("it is no post") };
        Ok(Self(*note))
    }
}
