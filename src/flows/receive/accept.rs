//! Takes activities in: who sent them is proven, and they are written, before anyone is told so.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use super::intake::{IntakeOutcome, VerifiedActivity};
use crate::domain::hash::hex;
use crate::domain::moderation::AccessLevel;
use crate::federation::signature::{self, SignedRequest, UnverifiedSignature};
use crate::federation::vocab::parse_error::ParseError;
use crate::federation::vocab::remote_activity::{
    self, CreateObject, InboundActivityKind, RemoteActivity, UpdateObject,
};
use crate::flows::App;
use crate::flows::authenticate::{
    AuthError, CachedKey, CachedVerification, authenticate, verify_cached, verify_stored,
};
use crate::flows::gate::{GateError, InboxPermit};
use crate::store::{actors, blocks};

/// A body of up to this size is read where it arrives, which takes some 100 µs: to hand it to another thread costs 10 to
/// 15 µs, a third of what reading an ordinary one does.
const SMALL: usize = 16 * 1024;

/// A request to an inbox, as it came.
#[derive(Debug)]
pub struct InboxRequest {
    /// Its method.
    pub method: Method,
    /// Path and query exactly as they were sent.
    pub target: String,
    /// All its headers, `Host` among them.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Why an activity is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// Proves nothing.
    #[error("{0}")]
    Unauthorised(String),
    /// Comes from whom the critics do not want to hear.
    #[error("blocked")]
    Blocked,
    /// There is no room for it now: to be sent again.
    #[error(transparent)]
    Full(#[from] GateError),
    /// It cannot be written now: to be sent again.
    #[error("the database takes nothing in")]
    StoreUnavailable,
    /// Something is wrong here: to be sent again.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<signature::SignatureError> for AcceptError {
    fn from(refusal: signature::SignatureError) -> Self {
        match refusal {
            signature::SignatureError::Malformed(_) => Self::Malformed(refusal.to_string()),
            signature::SignatureError::Unauthorized(_) => Self::Unauthorised(refusal.to_string()),
        }
    }
}

impl From<ParseError> for AcceptError {
    fn from(error: ParseError) -> Self {
        if error.is_forged() {
            Self::Unauthorised(error.to_string())
        } else {
            Self::Malformed(error.to_string())
        }
    }
}

impl From<sqlx::Error> for AcceptError {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// Checks who sent an activity and keeps it; returns once it is written. The same again changes nothing.
pub async fn accept(app: &App, arrival: InboxRequest, place: InboxPermit) -> Result<(), AcceptError> {
    let (reading, glance) = if arrival.body.len() <= SMALL {
        read(app, &arrival)?
    } else {
        let app = app.clone();
        let reading = tokio::task::spawn_blocking(move || read(&app, &arrival)).await;
        reading.map_err(anyhow::Error::from)??
    };
    let place = Arc::new(place);
    if let CachedVerification::Verified(key) = glance {
        let verdict = reading.write(app, Signer::Key(key), &place).await?;
        if verdict != IntakeOutcome::KeyOutdated {
            return ended(verdict);
        }
    }
    let Some(signer) = reading.signer(app, place.client()).await? else { return Ok(()) };
    ended(reading.write(app, signer, &place).await?)
}

fn ended(verdict: IntakeOutcome) -> Result<(), AcceptError> {
    match verdict {
        IntakeOutcome::Accepted => Ok(()),
        IntakeOutcome::Blocked => Err(AcceptError::Blocked),
        IntakeOutcome::StoreUnavailable => Err(AcceptError::StoreUnavailable),
        // Once more replaced, in the moment since it was read.
        IntakeOutcome::KeyOutdated => Err(GateError::Busy.into()),
    }
}

/// What can be told of a request without asking anyone.
struct Reading {
    presented: UnverifiedSignature,
    activity: RemoteActivity,
    body: Arc<str>,
}

/// Who is proven to have sent it.
enum Signer {
    /// The owner of this key.
    Key(Arc<CachedKey>),
    /// The actor that it names, whose key is gone with it.
    Gone,
}

fn read(app: &App, arrival: &InboxRequest) -> Result<(Reading, CachedVerification), AcceptError> {
    let InboxRequest { method, target, headers, body } = arrival;
    let request = SignedRequest { method, target, origin: &app.origin, headers, body };
    let presented = signature::parse(&request, app.clock.now())?;
    let glance = verify_cached(app, &presented);
    if matches!(glance, CachedVerification::Rejected) {
        return Err(signature::SignatureError::Unauthorized("it does not verify").into());
    }
    let activity = remote_activity::parse(body, app.rules)?;
    if app.origin.owns(&activity.actor) {
        return Err(AcceptError::Unauthorised("the actor is one of ours".to_owned()));
    }
    if carries_ours(app, &activity) {
        return Err(AcceptError::Unauthorised("what it carries has an id of ours".to_owned()));
    }
    let body = std::str::from_utf8(body).map_err(|_| AcceptError::Malformed("not UTF-8".to_owned()))?;
    Ok((Reading { presented, activity, body: body.into() }, glance))
}

impl Reading {
    /// Who is proven to have sent it, where somebody must be asked; nobody where there is nothing to be done about it.
    async fn signer(&self, app: &App, client: Option<IpAddr>) -> Result<Option<Signer>, AcceptError> {
        let Self { presented, activity, .. } = self;
        let key_id = &presented.key_id;
        if is_blocked(app, &activity.actor, key_id).await? {
            // Their words are theirs to take back, where that is proven without asking them anything.
            if !matches!(&activity.kind, InboundActivityKind::Delete { .. }) {
                return Err(AcceptError::Blocked);
            }
            let known = verify_stored(app, presented).await.map_err(anyhow::Error::from)?;
            return known.map(|key| Some(Signer::Key(key))).ok_or(AcceptError::Blocked);
        }
        match authenticate(app, presented, client).await {
            Ok(key) => Ok(Some(Signer::Key(key))),
            // An account that deleted itself has no key any more: that its own server says so where it was, proves it.
            Err(AuthError::KeyGone) if is_self_delete(activity, key_id) => {
                let is_at_actor = without_fragment(key_id) == without_fragment(&activity.actor);
                // Where we never met it, nothing is to be done.
                let is_met = is_at_actor && actors::is_known(&app.db, &activity.actor).await?;
                Ok(is_met.then_some(Signer::Gone))
            }
            Err(AuthError::Refused(refusal)) => Err(refusal.into()),
            Err(AuthError::Busy(full)) => Err(full.into()),
            Err(AuthError::Internal(error)) => Err(error.into()),
            Err(error) => Err(AcceptError::Unauthorised(error.to_string())),
        }
    }

    /// Has it written as the signer's.
    async fn write(
        &self,
        app: &App,
        signer: Signer,
        place: &Arc<InboxPermit>,
    ) -> Result<IntakeOutcome, AcceptError> {
        let Self { presented, activity, body } = self;
        let key = match signer {
            Signer::Key(key) if key.actor != activity.actor => {
                return Err(AcceptError::Unauthorised("the key is another actor's".to_owned()));
            }
            Signer::Key(key) => Some(key),
            Signer::Gone => None,
        };
        place.confirm_host(presented.key_id.host_str().unwrap_or_default())?;
        let proven = VerifiedActivity {
            actor: activity.actor.clone(),
            key_id: presented.key_id.clone(),
            key,
            body: Arc::clone(body),
            signed_at: presented.signed_at,
            fingerprint: fingerprint(presented),
            is_delete: matches!(&activity.kind, InboundActivityKind::Delete { .. }),
        };
        Ok(app.intake.write(proven, Arc::clone(place)).await?)
    }
}

/// The name under which a signature is remembered. It begins with the date that the signature covers, so that those of
/// one time lie together: at random, each would cost the database a page of its own.
fn fingerprint(presented: &UnverifiedSignature) -> String {
    format!("{:012x}{}", presented.signed_at.millis(), hex(&presented.fingerprint))
}

/// Whether the critics do not want to hear the actor, or the server of the key. Then nothing is asked of either.
async fn is_blocked(app: &App, actor: &Url, key_id: &Url) -> Result<bool, sqlx::Error> {
    if blocks::access_level(&app.db, actor, &app.policy).await? == AccessLevel::Blocked {
        return Ok(true);
    }
    let host = key_id.host_str().unwrap_or_default();
    Ok(blocks::host_access_level(&app.db, host, &app.policy).await? == AccessLevel::Blocked)
}

/// Whether it claims to bring, as somebody else's, what only we could have made.
fn carries_ours(app: &App, activity: &RemoteActivity) -> bool {
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
