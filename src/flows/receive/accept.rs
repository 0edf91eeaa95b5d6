//! Takes activities in: who sent them is proven, and they are written, before anyone is told so.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use super::intake::{Proven, Verdict};
use crate::domain::hash::hex;
use crate::domain::moderation::Standing;
use crate::federation::signature::{self, Presented, Request};
use crate::federation::vocab::incoming::{self, Activity, Created, Kind, ParseError, Updated};
use crate::flows::App;
use crate::flows::authenticate::{Glance, KnownKey, Unproven, authenticate, glance, known_signer};
use crate::flows::gate::{Full, Place};
use crate::store::{actors, blocks};

/// A body of up to this size is read where it arrives, which takes some 100 µs: to hand it to another thread costs 10 to
/// 15 µs, a third of what reading an ordinary one does.
const SMALL: usize = 16 * 1024;

/// A request to an inbox, as it came.
#[derive(Debug)]
pub struct Arrival {
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
pub enum Refused {
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
    Full(#[from] Full),
    /// It cannot be written now: to be sent again.
    #[error("the database takes nothing in")]
    Away,
    /// Something is wrong here: to be sent again.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl From<signature::Refusal> for Refused {
    fn from(refusal: signature::Refusal) -> Self {
        match refusal {
            signature::Refusal::Malformed(_) => Self::Malformed(refusal.to_string()),
            signature::Refusal::Unauthorised(_) => Self::Unauthorised(refusal.to_string()),
        }
    }
}

impl From<ParseError> for Refused {
    fn from(error: ParseError) -> Self {
        if error.is_forged() {
            Self::Unauthorised(error.to_string())
        } else {
            Self::Malformed(error.to_string())
        }
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// Checks who sent an activity and keeps it; returns once it is written. The same again changes nothing.
pub async fn accept(app: &App, arrival: Arrival, place: Place) -> Result<(), Refused> {
    let (reading, glance) = if arrival.body.len() <= SMALL {
        read(app, &arrival)?
    } else {
        let app = app.clone();
        let reading = tokio::task::spawn_blocking(move || read(&app, &arrival)).await;
        reading.map_err(anyhow::Error::from)??
    };
    let place = Arc::new(place);
    if let Glance::Proven(key) = glance {
        let verdict = reading.write(app, Signer::Key(key), &place).await?;
        if verdict != Verdict::Outdated {
            return ended(verdict);
        }
    }
    let Some(signer) = reading.signer(app, place.client()).await? else { return Ok(()) };
    ended(reading.write(app, signer, &place).await?)
}

fn ended(verdict: Verdict) -> Result<(), Refused> {
    match verdict {
        Verdict::Taken => Ok(()),
        Verdict::Blocked => Err(Refused::Blocked),
        Verdict::Away => Err(Refused::Away),
        // Once more replaced, in the moment since it was read.
        Verdict::Outdated => Err(Full::Busy.into()),
    }
}

/// What can be told of a request without asking anyone.
struct Reading {
    presented: Presented,
    activity: Activity,
    body: Arc<str>,
}

/// Who is proven to have sent it.
enum Signer {
    /// The owner of this key.
    Key(Arc<KnownKey>),
    /// The actor that it names, whose key is gone with it.
    Gone,
}

fn read(app: &App, arrival: &Arrival) -> Result<(Reading, Glance), Refused> {
    let Arrival { method, target, headers, body } = arrival;
    let request = Request { method, target, origin: &app.origin, headers, body };
    let presented = signature::read(&request, app.clock.now())?;
    let glance = glance(app, &presented);
    if matches!(glance, Glance::Refuted) {
        return Err(signature::Refusal::Unauthorised("it does not verify").into());
    }
    let activity = incoming::parse(body, app.rules)?;
    if app.origin.owns(&activity.actor) {
        return Err(Refused::Unauthorised("the actor is one of ours".to_owned()));
    }
    if carries_ours(app, &activity) {
        return Err(Refused::Unauthorised("what it carries has an id of ours".to_owned()));
    }
    let body = std::str::from_utf8(body).map_err(|_| Refused::Malformed("not UTF-8".to_owned()))?;
    Ok((Reading { presented, activity, body: body.into() }, glance))
}

impl Reading {
    /// Who is proven to have sent it, where somebody must be asked; nobody where there is nothing to be done about it.
    async fn signer(&self, app: &App, client: Option<IpAddr>) -> Result<Option<Signer>, Refused> {
        let Self { presented, activity, .. } = self;
        let key_id = &presented.key_id;
        if is_blocked(app, &activity.actor, key_id).await? {
            // Their words are theirs to take back, where that is proven without asking them anything.
            if !matches!(&activity.kind, Kind::Delete { .. }) {
                return Err(Refused::Blocked);
            }
            let known = known_signer(app, presented).await.map_err(anyhow::Error::from)?;
            return known.map(|key| Some(Signer::Key(key))).ok_or(Refused::Blocked);
        }
        match authenticate(app, presented, client).await {
            Ok(key) => Ok(Some(Signer::Key(key))),
            // An account that deleted itself has no key any more: that its own server says so where it was, proves it.
            Err(Unproven::KeyGone) if is_self_delete(activity, key_id) => {
                let is_at_actor = without_fragment(key_id) == without_fragment(&activity.actor);
                // Where we never met it, nothing is to be done.
                let is_met = is_at_actor && actors::is_met(&app.db, &activity.actor).await?;
                Ok(is_met.then_some(Signer::Gone))
            }
            Err(Unproven::Refused(refusal)) => Err(refusal.into()),
            Err(Unproven::Busy(full)) => Err(full.into()),
            Err(Unproven::Internal(error)) => Err(error.into()),
            Err(error) => Err(Refused::Unauthorised(error.to_string())),
        }
    }

    /// Has it written as the signer's.
    async fn write(&self, app: &App, signer: Signer, place: &Arc<Place>) -> Result<Verdict, Refused> {
        let Self { presented, activity, body } = self;
        let key = match signer {
            Signer::Key(key) if key.actor != activity.actor => {
                return Err(Refused::Unauthorised("the key is another actor's".to_owned()));
            }
            Signer::Key(key) => Some(key),
            Signer::Gone => None,
        };
        place.prove(presented.key_id.host_str().unwrap_or_default())?;
        let proven = Proven {
            actor: activity.actor.clone(),
            key_id: presented.key_id.clone(),
            key,
            body: Arc::clone(body),
            signed_at: presented.signed_at,
            fingerprint: fingerprint(presented),
            is_delete: matches!(&activity.kind, Kind::Delete { .. }),
        };
        Ok(app.intake.write(proven, Arc::clone(place)).await?)
    }
}

/// The name under which a signature is remembered. It begins with the date that the signature covers, so that those of
/// one time lie together: at random, each would cost the database a page of its own.
fn fingerprint(presented: &Presented) -> String {
    format!("{:012x}{}", presented.signed_at.millis(), hex(&presented.fingerprint))
}

/// Whether the critics do not want to hear the actor, or the server of the key. Then nothing is asked of either.
async fn is_blocked(app: &App, actor: &Url, key_id: &Url) -> Result<bool, sqlx::Error> {
    if blocks::standing(&app.db, actor, &app.policy).await? == Standing::Blocked {
        return Ok(true);
    }
    let host = key_id.host_str().unwrap_or_default();
    Ok(blocks::of_host(&app.db, host, &app.policy).await? == Standing::Blocked)
}

/// Whether it claims to bring, as somebody else's, what only we could have made.
fn carries_ours(app: &App, activity: &Activity) -> bool {
    match &activity.kind {
        Kind::Create(Created::Reference(id)) | Kind::Update(Updated::Reference(id)) => app.origin.owns(id),
        _ => false,
    }
}

fn without_fragment(id: &Url) -> Url {
    let mut document = id.clone();
    document.set_fragment(None);
    document
}

fn is_self_delete(activity: &Activity, key_id: &Url) -> bool {
    let is_own = matches!(&activity.kind, Kind::Delete { object } if *object == activity.actor);
    is_own && key_id.origin() == activity.actor.origin()
}
