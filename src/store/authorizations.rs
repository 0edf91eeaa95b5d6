//! Requests to quote a review (FEP-044f). A granted request is served as a QuoteAuthorization.

use sqlx::FromRow;

use super::{Db, Result, Tx, execute, with_db, with_tx};
use crate::domain::id::{ActivityId, AuthorizationId, CriticId, ReviewId};
use crate::domain::quote_authorization::AuthorizationState;
use crate::domain::time::Timestamp;

/// The decision about a quote request.
#[derive(Debug, Clone, FromRow)]
pub struct StoredAuthorization {
    /// Its id.
    pub id: AuthorizationId,
    /// The review that is quoted.
    pub review_id: ReviewId,
    /// The critic who wrote the review.
    pub critic_id: CriticId,
    /// The post that quotes.
    pub note_uri: String,
    /// The actor who quotes.
    pub actor: String,
    /// The id of the request, if it had one.
    pub request_uri: Option<String>,
    /// The Accept that answered it.
    pub accept_id: Option<ActivityId>,
    /// The decision.
    pub state: AuthorizationState,
    /// The signed date of the activity that changed it last.
    pub signed_at: Timestamp,
}

/// Finds the decision about a post that quotes a review.
pub async fn find_by_note(
    tx: &mut Tx,
    review: ReviewId,
    note: &url::Url,
) -> Result<Option<StoredAuthorization>> {
    with_tx!(tx, |c| sqlx::query_as(
        "select s.*, r.critic_id from authorizations s join reviews r on r.id = s.review_id
         where s.review_id = $1 and s.note_uri = $2",
    )
    .bind(review)
    .bind(note.as_str())
    .fetch_optional(c)
    .await)
}

/// Finds an authorization.
pub async fn find(db: &Db, id: AuthorizationId) -> Result<Option<StoredAuthorization>> {
    with_db!(db, |c| sqlx::query_as(
        "select s.*, r.critic_id from authorizations s join reviews r on r.id = s.review_id where s.id = $1",
    )
    .bind(id)
    .fetch_optional(c)
    .await)
}

/// Lists the newest authorizations.
pub async fn list_newest(db: &Db, limit: u32) -> Result<Vec<StoredAuthorization>> {
    with_db!(db, |c| {
        sqlx::query_as(
        "select s.*, r.critic_id from authorizations s join reviews r on r.id = s.review_id order by s.id desc limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(c)
    .await
    })
}

/// Lists the ids of an actor's granted authorizations.
pub async fn list_granted_to(db: &Db, actor: &url::Url, limit: u32) -> Result<Vec<AuthorizationId>> {
    with_db!(db, |c| sqlx::query_scalar(
        "select id from authorizations where actor = $1 and state = 'granted' order by id limit $2"
    )
    .bind(actor.as_str())
    .bind(i64::from(limit))
    .fetch_all(c)
    .await)
}

/// An authorization to grant.
#[derive(Debug)]
pub struct NewAuthorization<'a> {
    /// The id of the authorization.
    pub id: AuthorizationId,
    /// The review that is quoted.
    pub review: ReviewId,
    /// The post that quotes.
    pub note: &'a url::Url,
    /// The actor who quotes.
    pub actor: &'a url::Url,
    /// The id of the request.
    pub request: Option<&'a url::Url>,
    /// The Accept that answers it.
    pub accept: ActivityId,
    /// The signed date of the request.
    pub signed_at: Timestamp,
}

/// Grants a quote, or grants it again under a new id.
pub async fn grant(tx: &mut Tx, granted: &NewAuthorization<'_>, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        sqlx::query(
            "insert into authorizations (id, review_id, note_uri, actor, request_uri, accept_id, state, signed_at, created_at)
             values ($1, $2, $3, $4, $5, $6, 'granted', $7, $8)
             on conflict (review_id, note_uri) do update set id = excluded.id, actor = excluded.actor,
                request_uri = excluded.request_uri, accept_id = excluded.accept_id, state = 'granted',
                signed_at = excluded.signed_at",
        )
        .bind(granted.id)
        .bind(granted.review)
        .bind(granted.note.as_str())
        .bind(granted.actor.as_str())
        .bind(granted.request.map(url::Url::as_str))
        .bind(granted.accept)
        .bind(granted.signed_at)
        .bind(now)
    )?;
    Ok(())
}

/// Revokes an authorization. Returns false if it is not granted.
pub async fn revoke(tx: &mut Tx, id: AuthorizationId) -> Result<bool> {
    execute!(
        tx,
        sqlx::query("update authorizations set state = 'revoked' where id = $1 and state = 'granted'")
            .bind(id)
    )
    .map(|rows| rows > 0)
}

/// Revokes the authorizations of a post that was deleted.
pub async fn revoke_by_note(tx: &mut Tx, note: &url::Url, actor: &url::Url) -> Result<bool> {
    execute!(
        tx,
        sqlx::query("update authorizations set state = 'revoked' where note_uri = $1 and actor = $2")
            .bind(note.as_str())
            .bind(actor.as_str())
    )
    .map(|rows| rows > 0)
}

/// Withdraws the request with that id, or about the post with that id. Returns false if there is none.
pub async fn withdraw(tx: &mut Tx, id: &url::Url, actor: &url::Url, signed_at: Timestamp) -> Result<bool> {
    execute!(
        tx,
        sqlx::query(
            "update authorizations set state = 'withdrawn', signed_at = $3
             where (request_uri = $1 or note_uri = $1) and actor = $2 and state = 'granted' and signed_at <= $3",
        )
        .bind(id.as_str())
        .bind(actor.as_str())
        .bind(signed_at)
    )
    .map(|rows| rows > 0)
}
