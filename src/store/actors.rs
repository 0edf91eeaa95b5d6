//! Actors of other servers, as they were last fetched, and whether a critic has approved them.

use sqlx::FromRow;

use super::column_types::parse_url;
use super::{Db, Result, Tx, comments, execute, with_db, with_tx};
use crate::domain::time::Timestamp;

/// A remote actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredActor {
    /// Its id.
    pub uri: url::Url,
    /// Its display name, plain text.
    pub name: String,
    /// `@user@host`, if WebFinger confirms it.
    pub handle: Option<String>,
    /// Its page.
    pub url: url::Url,
    /// Its own inbox.
    pub inbox: url::Url,
    /// The shared inbox of its server.
    pub shared_inbox: Option<url::Url>,
    /// The URL of its avatar on its own server.
    pub icon: Option<url::Url>,
    /// Whether its posts may be indexed for search (FEP-5feb). Defaults to true.
    pub indexable: bool,
    /// Whether it may be shown in facepiles. Defaults to true.
    pub discoverable: bool,
    /// When it was last fetched.
    pub fetched_at: Timestamp,
}

impl StoredActor {
    /// The inbox that activities for it are sent to: the shared one, if there is one.
    pub fn delivery_inbox(&self) -> &url::Url {
        self.shared_inbox.as_ref().unwrap_or(&self.inbox)
    }
}

#[derive(FromRow)]
struct ActorRow {
    uri: String,
    name: String,
    handle: Option<String>,
    url: String,
    inbox: String,
    shared_inbox: Option<String>,
    icon: Option<String>,
    indexable: i64,
    discoverable: i64,
    fetched_at: Timestamp,
}

impl ActorRow {
    fn actor(self) -> Result<StoredActor> {
        Ok(StoredActor {
            uri: parse_url(&self.uri)?,
            name: self.name,
            handle: self.handle,
            url: parse_url(&self.url)?,
            inbox: parse_url(&self.inbox)?,
            shared_inbox: self.shared_inbox.as_deref().map(parse_url).transpose()?,
            icon: self.icon.as_deref().map(parse_url).transpose()?,
            indexable: self.indexable != 0,
            discoverable: self.discoverable != 0,
            fetched_at: self.fetched_at,
        })
    }
}

/// Finds an actor that is not deleted.
pub async fn find_by_uri(db: &Db, uri: &url::Url) -> Result<Option<StoredActor>> {
    let row: Option<ActorRow> =
        with_db!(db, |c| sqlx::query_as("select * from actors where uri = $1 and deleted_at is null")
            .bind(uri.as_str())
            .fetch_optional(c)
            .await)?;
    row.map(ActorRow::actor).transpose()
}

/// Finds the id of an actor by its confirmed handle (`@user@host`), ignoring case.
pub async fn find_uri_by_handle(db: &Db, handle: &str) -> Result<Option<String>> {
    with_db!(db, |c| {
        sqlx::query_scalar(
        "select uri from actors where lower(handle) = $1 and deleted_at is null order by fetched_at desc limit 1",
    )
    .bind(handle.to_ascii_lowercase())
    .fetch_optional(c)
    .await
    })
}

/// Finds the id of an actor by the URL of its page.
pub async fn find_uri_by_page(db: &Db, page: &url::Url) -> Result<Option<String>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select uri from actors where url = $1 and deleted_at is null order by fetched_at desc limit 1",
    )
    .bind(page.as_str())
    .fetch_optional(c)
    .await)
}

/// Inserts or updates an actor, and updates the inbox of its follows.
pub async fn upsert(tx: &mut Tx, actor: &StoredActor) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into actors (uri, host, name, handle, url, inbox, shared_inbox, fetched_at, icon, indexable,
            discoverable)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (uri) do update set name = excluded.name, handle = excluded.handle, url = excluded.url,
            inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, fetched_at = excluded.fetched_at,
            icon = excluded.icon, indexable = excluded.indexable, discoverable = excluded.discoverable,
            deleted_at = null",
        )
        .bind(actor.uri.as_str())
        .bind(actor.uri.host_str())
        .bind(&actor.name)
        .bind(&actor.handle)
        .bind(actor.url.as_str())
        .bind(actor.inbox.as_str())
        .bind(actor.shared_inbox.as_ref().map(url::Url::as_str))
        .bind(actor.fetched_at)
        .bind(actor.icon.as_ref().map(url::Url::as_str))
        .bind(i64::from(actor.indexable))
        .bind(i64::from(actor.discoverable))
    )?;
    execute!(
        tx,
        sqlx::query("update followers set inbox = $2, host = $3 where actor = $1 and inbox <> $2")
            .bind(actor.uri.as_str())
            .bind(actor.delivery_inbox().as_str())
            .bind(actor.delivery_inbox().host_str())
    )?;
    Ok(())
}

/// Whether anything is stored that the actor's Delete would remove.
pub async fn is_known(db: &Db, uri: &url::Url) -> Result<bool> {
    let known: Option<String> = with_db!(db, |c| {
        sqlx::query_scalar(
            "select uri from actors where uri = $1 and deleted_at is null
         union all select actor from comments where actor = $1 and state <> 'deleted'
         union all select actor from followers where actor = $1 and state in ('following', 'pending')
         limit 1",
        )
        .bind(uri.as_str())
        .fetch_optional(c)
        .await
    })?;
    Ok(known.is_some())
}

/// Whether a critic has approved this actor: its comments are shown at once.
pub async fn is_trusted(tx: &mut Tx, uri: &url::Url) -> Result<bool> {
    let query = "select trusted from actors where uri = $1 and deleted_at is null";
    let trusted: Option<i64> =
        with_tx!(tx, |c| sqlx::query_scalar(query).bind(uri.as_str()).fetch_optional(c).await)?;
    Ok(trusted == Some(1))
}

/// Approves an actor: its comments are shown at once from now on. Returns false if the actor is not known.
pub async fn trust(tx: &mut Tx, actor: &str) -> Result<bool> {
    let query = "update actors set trusted = 1 where uri = $1 and deleted_at is null";
    execute!(tx, sqlx::query(query).bind(actor)).map(|rows| rows == 1)
}

/// Marks an actor deleted: its follows and reactions end, and the text of its comments is erased.
pub async fn mark_deleted(tx: &mut Tx, uri: &url::Url, signed_at: Timestamp) -> Result<()> {
    let statements = [
        // The name of the avatar stays until its file is deleted.
        "update actors set deleted_at = $2, name = '', handle = null, url = uri, icon = null, trusted = 0
            where uri = $1",
        "delete from actor_keys where actor = $1 and $2 is not null",
        "update followers set state = 'gone', follow_uri = null, signed_at = $2 where actor = $1",
        "update blockers set state = 'off', activity_uri = null, signed_at = $2 where actor = $1",
        "update reactions set state = 'off', activity_uri = null, signed_at = $2 where actor = $1",
        "update authorizations set state = 'revoked', signed_at = $2 where actor = $1",
        "update reports set content = '' where actor = $1 and $2 is not null",
    ];
    for statement in statements {
        execute!(tx, sqlx::query(statement).bind(uri.as_str()).bind(signed_at))?;
    }
    comments::mark_all_deleted(tx, uri, signed_at).await
}
