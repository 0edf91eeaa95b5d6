//! What others send: proven and kept at once, applied by a worker. An effect depends on the state that is
//! there and on the signed dates, so that it happens once however often and in whatever order things come.

mod block;
mod follow;
mod forward;
mod letter;
mod movement;
mod quote;
mod reaction;
mod reply;
mod report;
mod thread;
mod undo;

use std::time::Duration;

use url::Url;

use letter::{Effect, Letter};

use super::App;
use super::authenticate::{Unproven, authenticate, known_signer};
use super::hold::{hold, until};
use crate::domain::delivery::wait_after;
use crate::domain::hash::hex;
use crate::domain::id::LeaseId;
use crate::domain::moderation::Standing;
use crate::federation::signature::{self, Presented, Request};
use crate::federation::vocab::incoming::{self, Activity, Created, Kind, ParseError, Updated};
use crate::store::leases::Queue;
use crate::store::received::{self, Accepted, Ended, Job};
use crate::store::{actors, blocks, hosts};

/// A job that fails this often is parked.
const MOST_ATTEMPTS: i64 = 8;

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

/// Checks who sent an activity and keeps it. The same again changes nothing.
pub async fn accept(app: &App, request: &Request<'_>) -> Result<(), Refused> {
    let now = app.clock.now();
    let presented = signature::read(request, now)?;
    let activity = incoming::parse(request.body, app.rules)?;
    if app.origin.owns(&activity.actor) {
        return Err(Refused::Unauthorised("the actor is one of ours".to_owned()));
    }
    if carries_ours(app, &activity) {
        return Err(Refused::Unauthorised("what it carries has an id of ours".to_owned()));
    }
    let Some(signer) = signer(app, &activity, &presented).await? else { return Ok(()) };
    if signer != activity.actor {
        return Err(Refused::Unauthorised("the key is another actor's".to_owned()));
    }
    let body = std::str::from_utf8(request.body).map_err(|_| Refused::Malformed("not UTF-8".to_owned()))?;
    let fingerprint = hex(&presented.fingerprint);
    let mut tx = app.db.begin().await?;
    let expires = now + signature::OLDEST + signature::AHEAD;
    if !received::remember(&mut tx, &fingerprint, expires).await? {
        return Ok(());
    }
    let accepted =
        Accepted { actor: &activity.actor, key_id: &presented.key_id, body, signed_at: presented.signed_at };
    received::insert(&mut tx, &accepted, now).await?;
    fail_point!("accept-before-commit");
    tx.commit().await?;
    fail_point!("accept-after-commit");
    app.wake.up();
    Ok(())
}

/// Who is proven to have sent it; nobody where there is nothing to be done about it.
async fn signer(app: &App, activity: &Activity, presented: &Presented) -> Result<Option<Url>, Refused> {
    let key_id = &presented.key_id;
    if is_blocked(app, &activity.actor, key_id).await? {
        // Their words are theirs to take back, where that is proven without asking them anything.
        if !matches!(&activity.kind, Kind::Delete { .. }) {
            return Err(Refused::Blocked);
        }
        let known = known_signer(app, presented).await.map_err(anyhow::Error::from)?;
        return known.map(Some).ok_or(Refused::Blocked);
    }
    match authenticate(app, presented).await {
        Ok(signer) => Ok(Some(signer)),
        // An account that deleted itself has no key any more: that its own server says so where it was, proves it.
        Err(Unproven::KeyGone) if is_self_delete(activity, key_id) => {
            let is_at_actor = without_fragment(key_id) == without_fragment(&activity.actor);
            // Where we never met it, nothing is to be done.
            let is_met = is_at_actor && actors::is_met(&app.db, &activity.actor).await?;
            Ok(is_met.then(|| activity.actor.clone()))
        }
        Err(Unproven::Refused(refusal)) => Err(refusal.into()),
        Err(Unproven::Internal(error)) => Err(error.into()),
        Err(error) => Err(Refused::Unauthorised(error.to_string())),
    }
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

/// Takes at most `limit` received activities.
pub async fn claim(app: &App, limit: usize) -> anyhow::Result<(LeaseId, Vec<Job>)> {
    let now = app.clock.now();
    let lease = LeaseId::new(now);
    let mut tx = app.db.begin().await?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let jobs = received::claim_due(&mut tx, lease, now, until(now), limit).await?;
    if !jobs.is_empty() {
        tx.commit().await?;
    }
    Ok((lease, jobs))
}

/// Applies one received activity: its effect and its end commit together.
pub async fn receive(app: &App, lease: LeaseId, job: &Job) -> anyhow::Result<()> {
    let outcome = hold(app, Queue::Received, lease, Box::pin(apply(app, lease, job))).await;
    let (waits_for, note) = match outcome {
        Ok(None) => return Ok(()),
        Ok(Some(parent)) => (Some(parent), "what it answers is not here yet".to_owned()),
        Err(error) => (None, format!("{error:#}")),
    };
    let retry = job.attempts < MOST_ATTEMPTS;
    tracing::info!(id = %job.id, attempt = job.attempts + 1, %note, "received activity not applied");
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if retry {
        let attempts = u32::try_from(job.attempts).unwrap_or(u32::MAX);
        // The first time soon: what it waits for is probably on its way.
        let wait = if attempts == 0 { Duration::from_secs(2) } else { wait_after(attempts, 0) };
        received::defer(&mut tx, job.id, lease, now + wait, waits_for.as_ref(), &note).await?;
    } else {
        received::finish(&mut tx, job.id, lease, Ended::Parked, &note).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// None where it ended; the post that it waits for where it cannot be applied yet.
async fn apply(app: &App, lease: LeaseId, job: &Job) -> anyhow::Result<Option<Url>> {
    let activity = match incoming::parse(job.body.as_bytes(), app.rules) {
        Ok(activity) => activity,
        Err(error) => anyhow::bail!("it cannot be read any more: {error}"),
    };
    let has_waited = job.attempts > 0;
    let letter = Letter { app, activity: &activity, signed_at: job.signed_at, body: &job.body, has_waited };
    // All fetching comes first: no transaction is held across the network.
    let prepared = letter.prepare().await?;
    let mut tx = app.db.begin().await?;
    // In one order everywhere, so that no two wait for each other.
    for actor in letter.concerned(&prepared) {
        tx.lock(&actor).await?;
    }
    let (ended, note) = match letter.enact(&mut tx, prepared).await? {
        Effect::Done(note) => (Ended::Done, note),
        Effect::None(note) => (Ended::Dropped, note),
        Effect::Later(parent) => return Ok(Some(parent)),
    };
    hosts::revive(&mut tx, activity.actor.host_str().unwrap_or_default(), app.clock.now()).await?;
    if received::finish(&mut tx, job.id, lease, ended, note).await? {
        fail_point!("apply-before-commit");
        tx.commit().await?;
        fail_point!("apply-after-commit");
        app.wake.up();
        tracing::info!(actor = %activity.actor, note, "activity taken in");
    }
    Ok(None)
}
