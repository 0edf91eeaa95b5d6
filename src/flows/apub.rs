//! The use of `activitypub_federation`: all that Marquee does with the library is in this module.
//!
//! The library decides whether an actor is taken from the database or fetched, checks that a document is found at its
//! own id, and bounds the requests of one operation. Its requests go through the HTTP client of [`crate::net`]. Its
//! queue, signatures and inbox handler are not used; `docs/ARCHITECTURE.md` has the reasons.

use std::sync::Arc;

use activitypub_federation::config::{Data, FederationConfig};
use activitypub_federation::error::Error;
use activitypub_federation::fetch::fetch_object_http;
use activitypub_federation::fetch::object_id::ObjectId;
use activitypub_federation::traits::Object;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use url::Url;

use super::error::FlowError;
use super::signing_keys::InstanceSigner;
use super::{App, webfinger};
use crate::domain::untrusted::Untrusted;
use crate::federation::vocab::json_document::JsonDocument;
use crate::federation::vocab::remote_activity::FetchedObject;
use crate::federation::vocab::remote_actor::RemoteActor;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::federation::vocab::url_rules::same_origin;
use crate::net::apub_adapter::is_not_found;
use crate::store::actors::{self, StoredActor};

/// Requests of one operation.
const MAX_REQUESTS: u32 = 20;

/// The configuration of the library, built at its first use. It holds the [`App`] that holds it: both live as long as
/// the process.
#[derive(Default)]
pub struct ApubConfig(OnceCell<FederationConfig<App>>);

/// Why a document was not fetched.
#[derive(Debug)]
pub(super) enum FetchError {
    /// Its server responded with 410.
    Gone,
    /// It cannot be fetched now, for this reason.
    Failed(String),
}

/// Why an actor or a post was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The id is blocked here: nothing was fetched.
    #[error("the actor or its server is blocked")]
    Blocked,
    /// The document is not a usable actor.
    #[error("{0}")]
    InvalidActor(String),
    /// The document is not a usable post.
    #[error(transparent)]
    InvalidPost(#[from] PostError),
    /// The document no longer exists: its server responded with 404 or 410, or with a Tombstone.
    #[error("the document no longer exists")]
    Gone,
    /// The document cannot be fetched now.
    #[error("{0}")]
    Fetch(String),
    /// This side failed.
    #[error(transparent)]
    Failed(#[from] FlowError),
}

impl ResolveError {
    fn invalid_actor(reason: &str) -> Self {
        Self::InvalidActor(reason.to_owned())
    }
}

impl From<sqlx::Error> for ResolveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for ResolveError {
    fn from(error: Error) -> Self {
        if matches!(error, Error::ObjectDeleted(_)) || is_not_found(&error) {
            return Self::Gone;
        }
        Self::Fetch(describe(&error))
    }
}

/// Why an object cannot be used as a post, however often it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It is another kind of object.
    #[error("the object is not a post")]
    NotAPost,
    /// Its id is not the URL that it was found at.
    #[error("the object has a different id")]
    IdMismatch,
    /// It has no author on its own server.
    #[error("the post has no author on the same server")]
    NoAuthor,
    /// Its author or its server is blocked.
    #[error("the author or its server is blocked")]
    Blocked,
}

/// The message of an error, without the document that could not be parsed: it may be large, and is not ours.
fn describe(error: &Error) -> String {
    match error {
        Error::ParseFetchedObject(error, url, _) => {
            format!("{} is not valid JSON: {}", Untrusted::new(url), Untrusted::new(error))
        }
        error => Untrusted::new(error).to_string(),
    }
}

/// The library's context for one operation. It counts the requests of the operation.
pub(super) async fn request_data(app: &App) -> Result<Data<App>, FlowError> {
    let config = app.apub.0.get_or_try_init(async || build_config(app).await).await?;
    Ok(config.to_request_data())
}

async fn build_config(app: &App) -> anyhow::Result<FederationConfig<App>> {
    let config = FederationConfig::builder()
        .domain(app.origin.authority())
        .app_data(app.clone())
        .client(app.http.activitypub_client(Some(Arc::new(InstanceSigner(app.clone())))))
        .http_fetch_limit(MAX_REQUESTS)
        // Without debug mode the library rejects every port, and resolves each name a second time, beside the
        // connection. The guard of `net` decides on the address that is connected to, and has no such mode.
        .debug(true)
        .build()
        .await?;
    Ok(config)
}

/// Fetches the document of that id.
pub(super) async fn fetch_document(data: &Data<App>, id: &Url) -> Result<JsonDocument, FetchError> {
    match fetch_object_http(id, data).await {
        Ok(response) => Ok(response.object),
        Err(Error::ObjectDeleted(_)) => Err(FetchError::Gone),
        Err(error) => Err(FetchError::Failed(describe(&error))),
    }
}

/// A stored actor of another server.
#[derive(Debug)]
pub(super) struct ResolvedActor {
    pub(super) stored: StoredActor,
    /// Its `alsoKnownAs`, if it was fetched just now.
    pub(super) also_known_as: Vec<Url>,
}

/// Returns the actor of that id, from the database or from its server; a stored one is fetched again after a day.
pub(super) async fn dereference_actor(app: &App, id: &Url) -> Result<ResolvedActor, ResolveError> {
    let data = request_data(app).await?;
    ObjectId::<ResolvedActor>::from(id.clone()).dereference(&data).await
}

/// Fetches the actor of that id, even if it is stored.
pub(super) async fn refetch_actor(app: &App, id: &Url) -> Result<ResolvedActor, ResolveError> {
    let data = request_data(app).await?;
    ObjectId::<ResolvedActor>::from(id.clone()).dereference_forced(&data).await
}

/// Fetches the post of that id.
pub(super) async fn fetch_note(app: &App, id: &Url) -> Result<RemoteNote, ResolveError> {
    let data = request_data(app).await?;
    Ok(ObjectId::<RemotePost>::from(id.clone()).dereference(&data).await?.0)
}

#[async_trait]
impl Object for ResolvedActor {
    type DataType = App;
    type Kind = JsonDocument;
    type Error = ResolveError;

    fn id(&self) -> &Url {
        &self.stored.uri
    }

    fn last_refreshed_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.stored.fetched_at.millis())
    }

    async fn read_from_id(id: Url, app: &Data<App>) -> Result<Option<Self>, ResolveError> {
        let known = actors::find_by_uri(&app.db, &id).await?;
        Ok(known.map(|stored| Self { stored, also_known_as: Vec::new() }))
    }

    async fn into_json(self, _: &Data<App>) -> Result<JsonDocument, ResolveError> {
        Err(ResolveError::InvalidActor("remote actors are not served".to_owned()))
    }

    async fn verify(document: &JsonDocument, url: &Url, app: &Data<App>) -> Result<(), ResolveError> {
        let actor = RemoteActor::parse(document, app.rules)
            .map_err(|error| ResolveError::invalid_actor(&Untrusted::new(&error).to_string()))?;
        if actor.id != *url {
            return Err(ResolveError::invalid_actor("the actor has a different id"));
        }
        if actor.is_suspended {
            return Err(ResolveError::invalid_actor("the actor is suspended"));
        }
        if !same_origin(&actor.inbox, &actor.id) {
            return Err(ResolveError::invalid_actor("the actor's inbox is on a different server"));
        }
        Ok(())
    }

    async fn from_json(document: JsonDocument, app: &Data<App>) -> Result<Self, ResolveError> {
        let actor = RemoteActor::parse(&document, app.rules)
            .map_err(|error| ResolveError::invalid_actor(&Untrusted::new(&error).to_string()))?;
        let handle = match webfinger::confirmed_handle(app, &actor).await {
            Ok(handle) => handle,
            // The host did not respond: a handle that was confirmed before stays.
            Err(error) => {
                tracing::info!(actor = %Untrusted::new(&actor.id), error = ?Untrusted::chain(&error), "could not confirm handle");
                actors::find_by_uri(&app.db, &actor.id).await?.and_then(|known| known.handle)
            }
        };
        let stored = StoredActor {
            name: actor.name.or(actor.username).unwrap_or_default(),
            handle,
            url: actor.url.unwrap_or_else(|| actor.id.clone()),
            inbox: actor.inbox,
            shared_inbox: actor.shared_inbox,
            icon: actor.icon,
            indexable: actor.indexable,
            discoverable: actor.discoverable,
            fetched_at: app.clock.now(),
            uri: actor.id,
        };
        let mut tx = app.db.begin().await?;
        actors::upsert(&mut tx, &stored).await?;
        tx.commit().await?;
        Ok(Self { stored, also_known_as: actor.also_known_as })
    }
}

/// A post of another server.
#[derive(Debug)]
struct RemotePost(RemoteNote);

#[async_trait]
impl Object for RemotePost {
    type DataType = App;
    type Kind = JsonDocument;
    type Error = ResolveError;

    fn id(&self) -> &Url {
        &self.0.id
    }

    async fn read_from_id(_: Url, _: &Data<App>) -> Result<Option<Self>, ResolveError> {
        // Posts are stored as comments only; a post is always fetched.
        Ok(None)
    }

    async fn into_json(self, _: &Data<App>) -> Result<JsonDocument, ResolveError> {
        Err(PostError::NotAPost.into())
    }

    async fn verify(document: &JsonDocument, url: &Url, app: &Data<App>) -> Result<(), ResolveError> {
        let note = match FetchedObject::parse(document, app.rules) {
            Ok(FetchedObject::Note(note)) => note,
            Ok(FetchedObject::Tombstone) => return Err(ResolveError::Gone),
            Ok(FetchedObject::Other) | Err(_) => return Err(PostError::NotAPost.into()),
        };
        if note.id != *url {
            return Err(PostError::IdMismatch.into());
        }
        let author = note.attributed_to.as_ref().ok_or(PostError::NoAuthor)?;
        if !same_origin(author, &note.id) {
            return Err(PostError::NoAuthor.into());
        }
        Ok(())
    }

    async fn from_json(document: JsonDocument, app: &Data<App>) -> Result<Self, ResolveError> {
        let Ok(FetchedObject::Note(note)) = FetchedObject::parse(&document, app.rules) else {
            return Err(PostError::NotAPost.into());
        };
        Ok(Self(*note))
    }
}

#[cfg(test)]
mod tests {
    use crate::federation::vocab::AS_PUBLIC;

    #[test]
    fn the_public_collection_has_the_id_that_the_library_uses() {
        assert_eq!(activitypub_federation::kinds::public().as_str(), AS_PUBLIC);
    }
}
