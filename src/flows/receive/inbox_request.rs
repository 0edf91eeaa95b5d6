//! Accepts a request to an inbox: the signature is verified and the activity is stored before the sender gets its 202.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tracing::Instrument as _;
use url::Url;

use super::intake::{IntakeOutcome, VerifiedActivity};
use crate::domain::access_level::AccessLevel;
use crate::domain::hash::hex;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::federation::signature::{self, SignedRequest, UnverifiedSignature};
use crate::federation::vocab::parse_error::ParseError;
use crate::federation::vocab::remote_activity::{
    self, CreateObject, InboundActivityKind, RemoteActivity, UpdateObject,
};
use crate::flows::App;
use crate::flows::authenticate::{
    AuthError, CachedKey, CachedVerification, authenticate, verify_cached, verify_stored,
};
use crate::flows::budget::kept_bytes::until_next_day;
use crate::flows::budget::{BudgetError, InboxPermit};
use crate::flows::error::FlowError;
use crate::store::{access_levels, actor_keys, actors};

/// A body of up to this size is parsed on the async thread, which takes some 100 µs. Handing it to another thread costs
/// 10 to 15 µs, a third of the time that an ordinary body takes.
const SMALL_BODY: usize = 16 * 1024;

/// A request to an inbox.
#[derive(Debug)]
pub struct InboxRequest {
    /// Its method.
    pub method: Method,
    /// Its path and query, exactly as they were sent: the signature covers them.
    pub target: String,
    /// All its headers, including `Host`.
    pub headers: HeaderMap,
    /// The complete body.
    pub body: Bytes,
}

/// Why an activity was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The request or the activity cannot be parsed.
    #[error("{0}")]
    Malformed(String),
    /// The signature does not prove that the actor sent it.
    #[error("{0}")]
    Unauthorized(String),
    /// The actor, or the server of its key, is blocked.
    #[error("blocked")]
    Blocked,
    /// There is no capacity for it now; the sender should retry.
    #[error(transparent)]
    AtCapacity(#[from] BudgetError),
    /// This side failed; the sender should retry.
    #[error(transparent)]
    Failed(#[from] FlowError),
}

impl From<signature::SignatureError> for AcceptError {
    fn from(error: signature::SignatureError) -> Self {
        match error {
            signature::SignatureError::Malformed(_) => Self::Malformed(error.to_string()),
            signature::SignatureError::Unauthorized(_) => Self::Unauthorized(error.to_string()),
        }
    }
}

impl From<ParseError> for AcceptError {
    fn from(error: ParseError) -> Self {
        if error.is_forged() {
            Self::Unauthorized(error.to_string())
        } else {
            Self::Malformed(error.to_string())
        }
    }
}

impl From<sqlx::Error> for AcceptError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Verifies the sender of an activity and stores it; returns once it is committed. A second copy changes nothing.
pub async fn accept(app: &App, request: InboxRequest, permit: InboxPermit) -> Result<(), AcceptError> {
    let client = permit.client();
    let (parsed, verification) = if request.body.len() <= SMALL_BODY {
        parse(app, &request, client)?
    } else {
        let app = app.clone();
        let parsing = tokio::task::spawn_blocking(move || parse(&app, &request, client)).await;
        parsing.map_err(|panic| FlowError::Internal(panic.into()))??
    };
    let activity = &parsed.activity;
    let span = tracing::info_span!(
        "accept",
        activity = activity.id.as_ref().map(|id| tracing::field::display(Untrusted::new(id))),
        actor = %Untrusted::new(&activity.actor),
    );
    let accepted = accept_parsed(app, &parsed, verification, Arc::new(permit)).instrument(span.clone()).await;
    if let Err(AcceptError::Failed(FlowError::Unavailable(outage))) = &accepted {
        span.in_scope(
            || tracing::warn!(error = ?Untrusted::chain(outage), "activity rejected: database unavailable"),
        );
    }
    accepted.map_err(|error| match error {
        // Whoever logs this error does so outside the span.
        AcceptError::Failed(FlowError::Internal(error)) => {
            let id = activity.id.as_ref().map_or("without an id", Url::as_str);
            let (id, actor) = (Untrusted::new(&id), Untrusted::new(&activity.actor));
            AcceptError::Failed(FlowError::Internal(error.context(format!("activity {id} by {actor}"))))
        }
        error => error,
    })
}

async fn accept_parsed(
    app: &App,
    parsed: &ParsedRequest,
    verification: CachedVerification,
    permit: Arc<InboxPermit>,
) -> Result<(), AcceptError> {
    let accepted = async {
        if let CachedVerification::Verified(key) = verification {
            let outcome = parsed.store(app, Signer::Key(key), &permit).await?;
            if outcome != IntakeOutcome::KeyOutdated {
                return into_result(outcome, app.clock.now());
            }
        }
        let Some(signer) = parsed.signer(app, permit.client()).await? else { return Ok(()) };
        into_result(parsed.store(app, signer, &permit).await?, app.clock.now())
    };
    let accepted = accepted.await;
    match &accepted {
        Ok(()) => tracing::debug!("activity accepted"),
        Err(error) => tracing::debug!(error = ?Untrusted::chain(&error), "activity rejected"),
    }
    accepted
}

fn into_result(outcome: IntakeOutcome, now: Timestamp) -> Result<(), AcceptError> {
    match outcome {
        IntakeOutcome::Accepted => Ok(()),
        IntakeOutcome::Blocked => Err(AcceptError::Blocked),
        // The key was replaced again after it was read a moment ago.
        IntakeOutcome::KeyOutdated => Err(BudgetError::Busy.into()),
        IntakeOutcome::OverBudget => Err(BudgetError::Exceeded(until_next_day(now)).into()),
    }
}

/// The parts of a request that can be parsed without the database and the network.
struct ParsedRequest {
    presented: UnverifiedSignature,
    activity: RemoteActivity,
    body: Arc<str>,
}

/// The proven sender of an activity.
enum Signer {
    /// The owner of this key.
    Key(Arc<CachedKey>),
    /// The actor that the activity names, whose key was deleted together with the account.
    Gone,
}

fn parse(
    app: &App,
    request: &InboxRequest,
    client: Option<IpAddr>,
) -> Result<(ParsedRequest, CachedVerification), AcceptError> {
    let InboxRequest { method, target, headers, body } = request;
    let request = SignedRequest { method, target, origin: &app.origin, headers, body };
    let presented = signature::parse(&request, app.clock.now())?;
    let verification = verify_cached(app, &presented, client);
    if matches!(verification, CachedVerification::Rejected) {
        return Err(signature::SignatureError::Unauthorized("the signature does not verify").into());
    }
    let activity = remote_activity::parse(body, app.rules)?;
    if app.origin.owns(&activity.actor) {
        return Err(AcceptError::Unauthorized("the actor is a local account".to_owned()));
    }
    if carries_own_object(app, &activity) {
        return Err(AcceptError::Unauthorized("the object has a local id".to_owned()));
    }
    let body =
        std::str::from_utf8(body).map_err(|_| AcceptError::Malformed("the body is not UTF-8".to_owned()))?;
    Ok((ParsedRequest { presented, activity, body: body.into() }, verification))
}

impl ParsedRequest {
    /// Authenticates the sender with the stored key or with the one that its server publishes. Returns `None` if the activity
    /// needs no action.
    async fn signer(&self, app: &App, client: Option<IpAddr>) -> Result<Option<Signer>, AcceptError> {
        let Self { presented, activity, .. } = self;
        let key_id = &presented.key_id;
        if is_blocked(app, &activity.actor, key_id).await? {
            // A blocked actor may still delete its posts, if the stored key proves it: nothing is fetched.
            if !matches!(&activity.kind, InboundActivityKind::Delete { .. }) {
                return Err(AcceptError::Blocked);
            }
            let known = verify_stored(app, presented).await?;
            return known.map(|key| Some(Signer::Key(key))).ok_or(AcceptError::Blocked);
        }
        let is_of_unknown = is_self_delete(activity, key_id)
            && !actors::is_known(&app.db, &activity.actor).await?
            && actor_keys::find(&app.db, key_id).await?.is_none();
        // A server tells of all the accounts that leave it. There is nothing to delete, but if the key is still there, what the
        // account sent before and has yet to arrive must have no effect.
        if is_of_unknown && !app.budgets.may_verify_unknown_delete(client, app.clock.now()) {
            return Ok(None);
        }
        match Box::pin(authenticate(app, presented, client)).await {
            Err(AuthError::AtCapacity(_)) if is_of_unknown => Ok(None),
            Ok(key) => Ok(Some(Signer::Key(key))),
            // An account that deleted itself has no key any more. Its own server says 410 at its id, which proves it.
            Err(AuthError::KeyGone) if is_self_delete(activity, key_id) => {
                let is_at_actor = without_fragment(key_id) == without_fragment(&activity.actor);
                // Nothing is stored of an actor that was never seen here, so there is nothing to delete.
                let is_known = is_at_actor && actors::is_known(&app.db, &activity.actor).await?;
                Ok(is_known.then_some(Signer::Gone))
            }
            Err(AuthError::Rejected(error)) => Err(error.into()),
            Err(AuthError::AtCapacity(error)) => Err(error.into()),
            Err(AuthError::Failed(error)) => Err(error.into()),
            Err(error) => Err(AcceptError::Unauthorized(error.to_string())),
        }
    }

    /// Stores it as sent by that signer.
    async fn store(
        &self,
        app: &App,
        signer: Signer,
        permit: &Arc<InboxPermit>,
    ) -> Result<IntakeOutcome, AcceptError> {
        let Self { presented, activity, body } = self;
        let key = match signer {
            Signer::Key(key) if key.actor != activity.actor => {
                return Err(AcceptError::Unauthorized("the key belongs to another actor".to_owned()));
            }
            Signer::Key(key) => Some(key),
            Signer::Gone => None,
        };
        let host = presented.key_id.host_str().unwrap_or_default();
        app.budgets.confirm_host(permit, host, app.clock.now())?;
        // What has no effect is not kept.
        if matches!(&activity.kind, InboundActivityKind::Other) {
            tracing::debug!("unsupported activity type");
            let is_blocked = is_blocked(app, &activity.actor, &presented.key_id).await?;
            return Ok(if is_blocked { IntakeOutcome::Blocked } else { IntakeOutcome::Accepted });
        }
        let verified = VerifiedActivity {
            actor: activity.actor.clone(),
            key_id: presented.key_id.clone(),
            key,
            body: Arc::clone(body),
            signed_at: presented.signed_at,
            fingerprint: fingerprint(presented),
            is_delete: matches!(&activity.kind, InboundActivityKind::Delete { .. }),
        };
        app.intake
            .store(verified, Arc::clone(permit))
            .await
            .map_err(|error| AcceptError::Failed(error.into()))
    }
}

/// The id under which a signature is stored against replay. It begins with the date that the signature covers, so that
/// signatures of the same time are neighbours in the index: random ids would each touch a page of their own.
fn fingerprint(presented: &UnverifiedSignature) -> String {
    format!("{:012x}{}", presented.signed_at.millis(), hex(&presented.fingerprint))
}

/// Whether the actor or the server of the key is blocked. Nothing is fetched from either then.
async fn is_blocked(app: &App, actor: &Url, key_id: &Url) -> Result<bool, sqlx::Error> {
    if access_levels::for_actor(&app.db, actor, &app.policy).await? == AccessLevel::Blocked {
        return Ok(true);
    }
    let host = key_id.host_str().unwrap_or_default();
    Ok(access_levels::for_host(&app.db, host, &app.policy).await? == AccessLevel::Blocked)
}

/// Whether it presents an object of this site as an object of its actor.
fn carries_own_object(app: &App, activity: &RemoteActivity) -> bool {
    match &activity.kind {
        InboundActivityKind::Create(CreateObject::Reference(id))
        | InboundActivityKind::Update(UpdateObject::Reference(id)) => app.origin.owns(id),
        _ => false,
    }
}

fn without_fragment(id: &Url) -> Url {
    let mut document = id.clone();
    document.set_fragment(None);
    document
}

fn is_self_delete(activity: &RemoteActivity, key_id: &Url) -> bool {
    let is_own =
        matches!(&activity.kind, InboundActivityKind::Delete { object } if *object == activity.actor);
    is_own && key_id.origin() == activity.actor.origin()
}
