//! Expands fan-outs and sends what is due, host by host: a worker takes a host, sends what waits for it, and gives
//! it back. Never holds a transaction while it sends; what came of each attempt goes to the [`delivery_results`].

pub mod delivery_results;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::mpsc;

use self::delivery_results::DeliveryResult;
use super::App;
use super::keys::{self, ActorKeys, KeyOwner};
use super::lease::{lease_until, with_lease};
use crate::domain::delivery::{MAX_DELIVERY_AGE, MAX_RETRY_AFTER, retry_delay};
use crate::domain::id::{ActivityId, CriticId, LeaseId};
use crate::domain::moderation::AccessLevel;
use crate::domain::signature_scheme::SignatureScheme;
use crate::federation::signature::digest::BodyDigest;
use crate::net::client::may_reject_signature;
use crate::net::media_type::ACTIVITY_JSON;
use crate::net::response::PostResponse;
use crate::store::deliveries::{self, DeliveryOutcome, DueDelivery};
use crate::store::hosts::{self, Capacity, HostHealth, HostLease};
use crate::store::leases::LeaseQueue;
use crate::store::{activities, blocks};

/// Deliveries that one turn of a host has at most.
const A_TURN: u32 = 64;

/// Requests to a host at a time, once it answered.
const ABREAST: usize = 4;

/// Activities whose bytes are kept at hand.
const MOST_LETTERS: usize = 64;

/// Writes the next delivery rows of a fan-out; false where no fan-out waits.
pub async fn expand_fan_out(app: &App) -> anyhow::Result<bool> {
    // Whoever looks for nothing leaves SQLite's only writer alone.
    if !deliveries::has_fan_out(&app.db).await? {
        return Ok(false);
    }
    let mut tx = app.db.begin().await?;
    let Some(fan_out) = deliveries::claim_fan_out(&mut tx).await? else {
        return Ok(false);
    };
    deliveries::expand_fan_out(&mut tx, &fan_out, app.clock.now()).await?;
    fail_point!("expand-before-commit");
    tx.commit().await?;
    fail_point!("expand-after-commit");
    app.wake.notify();
    Ok(true)
}

/// An activity as it is sent, shared by all who send it.
#[derive(Debug)]
struct OutboundActivity {
    critic: CriticId,
    body: Bytes,
    digest: BodyDigest,
}

/// What is sent again and again, kept at hand.
#[derive(Debug, Default)]
pub struct ActivityCache(HashMap<ActivityId, Arc<OutboundActivity>>);

impl ActivityCache {
    async fn get(&mut self, app: &App, id: ActivityId) -> anyhow::Result<Option<Arc<OutboundActivity>>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = activities::find(&app.db, id).await? else { return Ok(None) };
        if self.0.len() >= MOST_LETTERS {
            self.0.clear();
        }
        let body = Bytes::from(stored.body);
        let letter =
            Arc::new(OutboundActivity { critic: stored.critic_id, digest: BodyDigest::compute(&body), body });
        self.0.insert(id, Arc::clone(&letter));
        Ok(Some(letter))
    }
}

/// A host, and what is sent to it in this turn.
#[derive(Debug)]
pub struct HostBatch {
    lease: LeaseId,
    turn: HostLease,
    is_blocked: bool,
    jobs: Vec<(DueDelivery, Arc<OutboundActivity>)>,
    keys: Arc<HashMap<CriticId, ActorKeys>>,
}

impl HostBatch {
    /// Whether it asks a host that failed whether it is back.
    pub const fn is_retry(&self) -> bool {
        self.turn.failures > 0
    }
}

/// Takes hosts whose turn it is, as many as there is room for.
pub async fn claim_hosts(
    app: &App,
    letters: &mut ActivityCache,
    room: Capacity,
) -> anyhow::Result<Vec<HostBatch>> {
    let now = app.clock.now();
    if !hosts::has_due(&app.db, now).await? {
        return Ok(Vec::new());
    }
    let lease = LeaseId::new(now);
    let mut tx = app.db.begin().await?;
    let turns = hosts::claim_due(&mut tx, lease, now, lease_until(now), room).await?;
    if turns.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = turns.iter().map(|turn| turn.host.as_str()).collect();
    let standings = blocks::load_access_levels(&mut tx, &[], &names).await?;
    tx.commit_without_notify().await?;
    fail_point!("claim-after-commit");
    let mut jobs: HashMap<String, Vec<(DueDelivery, Arc<OutboundActivity>)>> = HashMap::new();
    for job in deliveries::list_due(&app.db, lease, now, A_TURN).await? {
        if let Some(letter) = letters.get(app, job.activity_id).await? {
            jobs.entry(job.host.clone()).or_default().push((job, letter));
        }
    }
    let critics: HashSet<CriticId> = jobs.values().flatten().map(|(_, letter)| letter.critic).collect();
    let mut keys = HashMap::new();
    for critic in critics {
        keys.insert(critic, app.keys_for(KeyOwner::Critic(critic)).await?);
    }
    let keys = Arc::new(keys);
    let round = |turn: HostLease| {
        let jobs = jobs.remove(&turn.host).unwrap_or_default();
        let is_blocked = standings.for_host(&turn.host, &app.policy) == AccessLevel::Blocked;
        HostBatch { lease, turn, is_blocked, jobs, keys: Arc::clone(&keys) }
    };
    Ok(turns.into_iter().map(round).collect())
}

/// Sends what is due to a host, and gives the host back.
pub async fn deliver_batch(app: &App, round: HostBatch, ledger: &mpsc::Sender<DeliveryResult>) {
    tracing::debug!(host = round.turn.host, deliveries = round.jobs.len(), "turn");
    let health = with_lease(app, LeaseQueue::Hosts, round.lease, send_all(app, &round, ledger)).await;
    let release = DeliveryResult::Release { host: round.turn.host, lease: round.lease, health };
    // Whoever closed the ledger before the work was done has the lease run out.
    let _ = ledger.send(release).await;
}

/// One by one until it answers, then some abreast; no more once it fails.
async fn send_all(app: &App, round: &HostBatch, ledger: &mpsc::Sender<DeliveryResult>) -> HostHealth {
    let mut health = HostHealth::NotTried;
    let mut waiting = round.jobs.iter();
    let mut sending = FuturesUnordered::new();
    loop {
        let abreast = match health {
            HostHealth::Healthy => ABREAST,
            HostHealth::NotTried => 1,
            HostHealth::Failing { .. } => 0,
        };
        while sending.len() < abreast
            && let Some((job, letter)) = waiting.next()
        {
            sending.push(attempt(app, round, job, letter));
        }
        let Some(verdict) = sending.next().await else { return health };
        // One that failed stays closed, whatever was on its way meanwhile.
        if !matches!(health, HostHealth::Failing { .. }) && !matches!(verdict.health, HostHealth::NotTried) {
            health = verdict.health;
        }
        let entry = DeliveryResult::Attempt {
            activity: verdict.job.activity_id,
            inbox: verdict.job.inbox.clone(),
            host: verdict.job.host.clone(),
            outcome: verdict.outcome,
            scheme_update: verdict.lesson,
        };
        let _ = ledger.send(entry).await;
    }
}

/// What came of an attempt.
struct Verdict<'j> {
    job: &'j DueDelivery,
    outcome: DeliveryOutcome,
    lesson: Option<SchemeUpdate>,
    health: HostHealth,
}

/// What an attempt taught about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeUpdate {
    /// The form of signature that it took where it refused the one that was tried first; none where it took
    /// neither.
    accepted: Option<SignatureScheme>,
}

/// Signs and sends, once more at once where the signature was refused.
async fn attempt<'j>(
    app: &App,
    round: &HostBatch,
    job: &'j DueDelivery,
    letter: &OutboundActivity,
) -> Verdict<'j> {
    // A row that was written before its server was blocked, or by who did not ask.
    if round.is_blocked {
        let error = "its server is blocked here".to_owned();
        tracing::info!(inbox = job.inbox, error, "delivery given up");
        let outcome = DeliveryOutcome::Failed { status: None, error };
        return Verdict { job, outcome, lesson: None, health: HostHealth::NotTried };
    }
    let (answer, lesson) = match post(app, round, job, letter).await {
        Ok((answer, lesson)) => (Ok(answer), lesson),
        Err(error) => (Err(error), None),
    };
    let now = app.clock.now();
    let status = answer.as_ref().ok().map(|answer| answer.status);
    if let Some(status) = status.filter(StatusCode::is_success) {
        tracing::debug!(inbox = job.inbox, "delivered");
        let outcome = DeliveryOutcome::Delivered { status: status.as_u16() };
        return Verdict { job, outcome, lesson, health: HostHealth::Healthy };
    }
    let is_final = matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
    let is_host = is_the_hosts(status);
    let failures = if is_host { round.turn.failures } else { job.attempts };
    let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1);
    let asked = answer.as_ref().ok().and_then(|answer| answer.retry_after);
    let asked = asked.map(|asked| asked.delay(now).min(MAX_RETRY_AFTER));
    let next = now + retry_delay(failures, jitter()).max(asked.unwrap_or_default());
    let error = match answer {
        Ok(answer) => format!("answered {}: {}", answer.status.as_u16(), answer.excerpt),
        Err(error) => format!("{error:#}"),
    };
    let health =
        if is_host { HostHealth::Failing { until: next, error: error.clone() } } else { HostHealth::Healthy };
    let is_over = is_final || next > job.created_at + MAX_DELIVERY_AGE;
    let verdict = if is_over { "given up" } else { "deferred" };
    tracing::info!(inbox = job.inbox, attempt = failures, %error, "delivery {verdict}");
    let status = status.map(|status| status.as_u16());
    // With the host open again, it is its turn before all that came later.
    let next = if is_host { now } else { next };
    let outcome = if is_over {
        DeliveryOutcome::Failed { status, error }
    } else {
        DeliveryOutcome::Deferred { status, error, next }
    };
    Verdict { job, outcome, lesson, health }
}

/// Whether it is the host that fails, not the delivery: it cannot be reached, or asks to be left alone. An error of
/// its own about one activity keeps no other from it.
const fn is_the_hosts(status: Option<StatusCode>) -> bool {
    matches!(
        status,
        None | Some(
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
    )
}

/// Sends in the form that the host took last, and in the other one where it answers that the signature is not
/// good enough. While an old key still signs, a host that refuses it gets to see the new one first: it may have
/// met the critic after the new one was there. The last answer is the one that counts.
async fn post(
    app: &App,
    round: &HostBatch,
    job: &DueDelivery,
    letter: &OutboundActivity,
) -> anyhow::Result<(PostResponse, Option<SchemeUpdate>)> {
    let inbox = url::Url::parse(&job.inbox)?;
    let own = round.keys.get(&letter.critic).ok_or_else(|| anyhow::anyhow!("the critic has no key"))?;
    let first = round.turn.signature.parse::<SignatureScheme>().unwrap_or_default();
    let mut tries = vec![
        (own.signing_key(), first),
        (own.published_key(), first),
        (own.published_key(), first.alternative()),
    ];
    tries.dedup_by(|one, other| one.0.id() == other.0.id() && one.1 == other.1);
    let mut last = None;
    for (key, form) in tries {
        let digest = Some(letter.digest.clone());
        let mut headers = keys::sign(app, key, form, Method::POST, &inbox, digest).await?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
        fail_point!("send-before");
        let answer = app.http.post(&inbox, headers, letter.body.clone()).await?;
        fail_point!("send-after");
        if !may_reject_signature(answer.status) {
            let is_news = form != first && answer.status.is_success();
            return Ok((answer, is_news.then_some(SchemeUpdate { accepted: Some(form) })));
        }
        last = Some(answer);
    }
    let answer = last.ok_or_else(|| anyhow::anyhow!("nothing was sent"))?;
    Ok((answer, (first != SignatureScheme::default()).then_some(SchemeUpdate { accepted: None })))
}

fn jitter() -> u8 {
    let mut byte = [0];
    // Without randomness there is no jitter, which harms nobody.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}
