//! Actors and posts of other servers, fetched through the library's validating resolver.

use activitypub_federation::config::Data;
use activitypub_federation::fetch::object_id::ObjectId;
use activitypub_federation::traits::{Actor, Object};
use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use url::Url;

use super::{App, lookup};
use crate::domain::moderation::AccessLevel;
use crate::federation::vocab::json_document::JsonDocument;
use crate::federation::vocab::remote_activity::FetchedObject;
use crate::federation::vocab::remote_actor::RemoteActor;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::federation::vocab::url_rules::same_origin;
use crate::federation::webfinger::Handle;
use crate::store::actors::{self, StoredActor};
use crate::store::blocks;

/// An actor of another server, known to us.
#[derive(Debug)]
pub struct ResolvedActor {
    stored: StoredActor,
    /// What it says that its other accounts are, where it was fetched just now.
    also_known_as: Vec<Url>,
}

/// Nothing is asked of those whom the critics do not want to hear.
async fn ensure_heard(app: &App, id: &Url) -> anyhow::Result<()> {
    let standing = blocks::access_level(&app.db, id, &app.policy).await?;
    ensure!(standing != AccessLevel::Blocked, PostError::Blocked);
    Ok(())
}

/// The actor of that id, known or fetched; fetched again once a day.
pub async fn resolve_actor(app: &App, id: &Url) -> anyhow::Result<StoredActor> {
    ensure_heard(app, id).await?;
    let data = app.apub_data().await?;
    let peer = ObjectId::<ResolvedActor>::from(id.clone()).dereference(&data).await?;
    // A redirect may have led to another actor, who asked for nothing.
    ensure!(peer.stored.uri == *id, "another actor is found there");
    Ok(peer.stored)
}

/// The actor of that id as its server shows it now.
pub async fn refresh_actor(app: &App, id: &Url) -> anyhow::Result<StoredActor> {
    Ok(refresh_actor_with_aliases(app, id).await?.0)
}

/// The same, with what it says that its other accounts are.
pub async fn refresh_actor_with_aliases(app: &App, id: &Url) -> anyhow::Result<(StoredActor, Vec<Url>)> {
    ensure_heard(app, id).await?;
    let data = app.apub_data().await?;
    let peer = ObjectId::<ResolvedActor>::from(id.clone()).dereference_forced(&data).await?;
    ensure!(peer.stored.uri == *id, "another actor is found there");
    Ok((peer.stored, peer.also_known_as))
}

#[async_trait]
impl Object for ResolvedActor {
    type DataType = App;
    type Kind = JsonDocument;
    type Error = anyhow::Error;

    fn id(&self) -> &Url {
        &self.stored.uri
    }

    fn last_refreshed_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.stored.fetched_at.millis())
    }

    async fn read_from_id(id: Url, app: &Data<App>) -> anyhow::Result<Option<Self>> {
        let known = actors::find_by_uri(&app.db, &id).await?;
        Ok(known.map(|stored| Self { stored, also_known_as: Vec::new() }))
    }

    async fn into_json(self, _: &Data<App>) -> anyhow::Result<JsonDocument> {
        bail!("actors of other servers are not served here")
    }

    async fn verify(document: &JsonDocument, address: &Url, app: &Data<App>) -> anyhow::Result<()> {
        let actor = RemoteActor::parse(document, app.rules)?;
        ensure!(actor.id == *address, "the actor names itself otherwise");
        ensure!(!actor.is_suspended, "the actor is suspended");
        ensure!(same_origin(&actor.inbox, &actor.id), "the actor's inbox is on another server");
        Ok(())
    }

    async fn from_json(document: JsonDocument, app: &Data<App>) -> anyhow::Result<Self> {
        let actor = RemoteActor::parse(&document, app.rules)?;
        let handle = match confirmed_handle(app, &actor).await {
            Ok(handle) => handle,
            // Nobody answered: what was confirmed once stands.
            Err(error) => {
                tracing::info!(actor = %actor.id, error = format!("{error:#}"), "handle not looked up");
                actors::find_by_uri(&app.db, &actor.id).await?.and_then(|known| known.handle)
            }
        };
        let now = app.clock.now();
        let stored = StoredActor {
            name: actor.name.or(actor.username).unwrap_or_default(),
            handle,
            url: actor.url.unwrap_or_else(|| actor.id.clone()),
            inbox: actor.inbox,
            shared_inbox: actor.shared_inbox,
            icon: actor.icon,
            indexable: actor.indexable,
            discoverable: actor.discoverable,
            fetched_at: now,
            uri: actor.id,
        };
        let mut tx = app.db.begin().await?;
        actors::upsert(&mut tx, &stored).await?;
        tx.commit().await?;
        Ok(Self { stored, also_known_as: actor.also_known_as })
    }
}

impl Actor for ResolvedActor {
    // Signatures are verified by `authenticate`, against keys that are kept apart.
    fn public_key_pem(&self) -> &'static str {
        ""
    }

    fn private_key_pem(&self) -> Option<String> {
        None
    }

    fn inbox(&self) -> Url {
        self.stored.inbox.clone()
    }

    fn shared_inbox(&self) -> Option<Url> {
        self.stored.shared_inbox.clone()
    }
}

/// `@user@host`, where WebFinger at that host leads back to the actor (RFC 7033). A handle that nobody confirms is
/// not shown.
async fn confirmed_handle(app: &App, actor: &RemoteActor) -> anyhow::Result<Option<String>> {
    let own = || Some(format!("{}@{}", actor.username.as_ref()?, actor.id.authority().rsplit('@').next()?));
    let claimed = actor.webfinger.clone().or_else(own);
    let Some(handle) = claimed.and_then(|claimed| Handle::parse(&claimed, app.rules)) else {
        return Ok(None);
    };
    let found = lookup::resolve_handle(app, handle).await?;
    Ok(found.ok().filter(|(_, found)| *found == actor.id).map(|(handle, _)| format!("@{handle}")))
}

/// A post of another server, fetched from where it is.
#[derive(Debug)]
pub struct RemotePost(pub RemoteNote);

/// Why what is found at an id is not a post that counts, however often it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It is something else.
    #[error("it is no post")]
    NotAPost,
    /// Its id is not where it was found.
    #[error("it names itself otherwise")]
    IdMismatch,
    /// Nobody on its own server wrote it.
    #[error("it has no author on its own server")]
    NoAuthor,
    /// It is where the critics do not want to hear anyone.
    #[error("it is where nobody is heard")]
    Blocked,
}

/// The post of that id, as its own server shows it.
///
/// # Errors
/// The outer one where it cannot be had now.
pub async fn fetch_post(app: &App, id: &Url) -> anyhow::Result<Result<RemoteNote, PostError>> {
    let fetched = async {
        ensure_heard(app, id).await?;
        let data = app.apub_data().await?;
        anyhow::Ok(ObjectId::<RemotePost>::from(id.clone()).dereference(&data).await?.0)
    };
    let note = match fetched.await {
        Ok(note) => note,
        Err(error) => return error.downcast::<PostError>().map(Err),
    };
    if note.id != *id {
        return Ok(Err(PostError::IdMismatch));
    }
    // Its author may be blocked where its server is not.
    let author = note.attributed_to.clone().context("the post has no author")?;
    let standing = blocks::access_level(&app.db, &author, &app.policy).await?;
    Ok(if standing == AccessLevel::Blocked { Err(PostError::Blocked) } else { Ok(note) })
}

#[async_trait]
impl Object for RemotePost {
    type DataType = App;
    type Kind = JsonDocument;
    type Error = anyhow::Error;

    fn id(&self) -> &Url {
        &self.0.id
    }

    async fn read_from_id(_: Url, _: &Data<App>) -> anyhow::Result<Option<Self>> {
        // What is stored of a post is its comment; who asks for the post wants it as it is now.
        Ok(None)
    }

    async fn into_json(self, _: &Data<App>) -> anyhow::Result<JsonDocument> {
        bail!("posts of other servers are not served here")
    }

    async fn verify(document: &JsonDocument, address: &Url, app: &Data<App>) -> anyhow::Result<()> {
        let Ok(FetchedObject::Note(note)) = FetchedObject::parse(document, app.rules) else {
            bail!(PostError::NotAPost)
        };
        ensure!(note.id == *address, PostError::IdMismatch);
        let author = note.attributed_to.as_ref().ok_or(PostError::NoAuthor)?;
        ensure!(same_origin(author, &note.id), PostError::NoAuthor);
        Ok(())
    }

    async fn from_json(document: JsonDocument, app: &Data<App>) -> anyhow::Result<Self> {
        let Ok(FetchedObject::Note(note)) = FetchedObject::parse(&document, app.rules) else {
            bail!(PostError::NotAPost)
        };
        Ok(Self(*note))
    }
}
