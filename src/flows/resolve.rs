//! Resolves actors and posts of other servers by their ids. Nothing is fetched from blocked servers.

use url::Url;

use super::App;
use super::apub::{self, PostError, ResolveError};
use crate::domain::access_level::AccessLevel;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::store::access_levels;
use crate::store::actors::StoredActor;

/// Whether the actor or post with that id, or its server, is blocked.
async fn is_blocked(app: &App, id: &Url) -> Result<bool, ResolveError> {
    Ok(access_levels::for_actor(&app.db, id, &app.policy).await? == AccessLevel::Blocked)
}

/// Returns the actor of that id, from the database or from its server; a stored one is fetched again after a day.
///
/// # Errors
/// If it is blocked, cannot be fetched, or is not a usable actor.
pub async fn resolve_actor(app: &App, id: &Url) -> Result<StoredActor, ResolveError> {
    if is_blocked(app, id).await? {
        return Err(ResolveError::Blocked);
    }
    let actor = apub::dereference_actor(app, id).await?.stored;
    ensure_same(&actor, id)?;
    Ok(actor)
}

/// Fetches the actor of that id, even if it is stored.
///
/// # Errors
/// If it is blocked, cannot be fetched, or is not a usable actor.
pub async fn refresh_actor(app: &App, id: &Url) -> Result<StoredActor, ResolveError> {
    Ok(refresh_actor_with_aliases(app, id).await?.0)
}

/// Fetches the actor of that id, even if it is stored; returns its `alsoKnownAs` as well.
///
/// # Errors
/// If it is blocked, cannot be fetched, or is not a usable actor.
pub async fn refresh_actor_with_aliases(
    app: &App,
    id: &Url,
) -> Result<(StoredActor, Vec<Url>), ResolveError> {
    if is_blocked(app, id).await? {
        return Err(ResolveError::Blocked);
    }
    let actor = apub::refetch_actor(app, id).await?;
    ensure_same(&actor.stored, id)?;
    Ok((actor.stored, actor.also_known_as))
}

/// A redirect may have led to another actor.
fn ensure_same(actor: &StoredActor, id: &Url) -> Result<(), ResolveError> {
    if actor.uri == *id {
        return Ok(());
    }
    Err(ResolveError::InvalidActor("the URL leads to a different actor".to_owned()))
}

/// Fetches the post of that id from its own server.
///
/// # Errors
/// The outer one if it cannot be fetched now.
pub async fn fetch_post(app: &App, id: &Url) -> Result<Result<RemoteNote, PostError>, ResolveError> {
    if is_blocked(app, id).await? {
        return Ok(Err(PostError::Blocked));
    }
    let note = match apub::fetch_note(app, id).await {
        Ok(note) => note,
        Err(ResolveError::InvalidPost(error)) => return Ok(Err(error)),
        Err(error) => return Err(error),
    };
    if note.id != *id {
        return Ok(Err(PostError::IdMismatch));
    }
    // The author may be blocked although the server is not.
    let Some(author) = &note.attributed_to else { return Ok(Err(PostError::NoAuthor)) };
    if is_blocked(app, author).await? {
        return Ok(Err(PostError::Blocked));
    }
    Ok(Ok(note))
}
