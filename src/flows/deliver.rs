//! Sends the deliveries that are due, host by host. A worker leases a host, sends what waits for it and releases it. No
//! transaction is held while it sends; the results go to the [`delivery_results`].

pub mod delivery_results;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{HeaderValue, Method, StatusCode, header};
use tracing::Instrument as _;

use self::delivery_results::{DeliveryResult, ResultSender};
use super::App;
use super::lease::{lease_until, with_lease};
use super::signing_keys::{self, ActorKeys, KeyOwner};
use crate::domain::delivery_retry::{MAX_DELIVERY_AGE, MAX_RETRY_AFTER, retry_delay};
use crate::domain::id::{ActivityId, CriticId, LeaseId};
use crate::domain::moderation::AccessLevel;
use crate::domain::signature_scheme::SignatureScheme;
use crate::federation::signature::digest::BodyDigest;
use crate::net::double_knocking::may_reject_signature;
use crate::net::media_type::ACTIVITY_JSON;
use crate::net::response::PostResponse;
use crate::store::deliveries::{self, DeliveryOutcome, DueDelivery};
use crate::store::hosts::{self, Capacity, HostHealth, HostLease};
use crate::store::lease_renewal::LeaseQueue;
use crate::store::{access_levels, activities};

/// Deliveries of one batch.
const MAX_BATCH_SIZE: u32 = 64;

/// Requests to a host at a time, once it has answered one.
const MAX_PARALLEL_REQUESTS: usize = 4;

/// Activities that are kept in memory.
const CACHE_CAPACITY: usize = 64;

/// An activity that is sent, shared by all its deliveries.
#[derive(Debug)]
struct OutboundActivity {
    critic: CriticId,
    body: Bytes,
    digest: BodyDigest,
}

/// The activities that were sent lately. One task uses it, so a plain map that is emptied when it is full is enough.
#[derive(Debug, Default)]
pub struct ActivityCache(HashMap<ActivityId, Arc<OutboundActivity>>);

impl ActivityCache {
    async fn get(&mut self, app: &App, id: ActivityId) -> anyhow::Result<Option<Arc<OutboundActivity>>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = activities::find(&app.db, id).await? else { return Ok(None) };
        if self.0.len() >= CACHE_CAPACITY {
            self.0.clear();
        }
        let body = Bytes::from(stored.body);
        let activity =
            Arc::new(OutboundActivity { critic: stored.critic_id, digest: BodyDigest::compute(&body), body });
        self.0.insert(id, Arc::clone(&activity));
        Ok(Some(activity))
    }
}

/// The deliveries that are sent to a host under one lease.
#[derive(Debug)]
pub struct HostBatch {
    lease: LeaseId,
    target: HostLease,
    is_blocked: bool,
    deliveries: Vec<(DueDelivery, Arc<OutboundActivity>)>,
    keys: Arc<HashMap<CriticId, ActorKeys>>,
}

impl HostBatch {
    /// Whether the host failed before, so that this batch finds out whether it is back.
    pub const fn is_retry(&self) -> bool {
        self.target.failures > 0
    }
}

/// Claims hosts that are due, at most as many as `capacity` allows.
pub async fn claim_hosts(
    app: &App,
    cache: &mut ActivityCache,
    capacity: Capacity,
) -> anyhow::Result<Vec<HostBatch>> {
    let now = app.clock.now();
    if !hosts::has_due(&app.db, now).await? {
        return Ok(Vec::new());
    }
    let lease = LeaseId::new(now);
    let mut tx = app.db.begin().await?;
    let leases = hosts::claim_due(&mut tx, lease, now, lease_until(now), capacity).await?;
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = leases.iter().map(|lease| lease.host.as_str()).collect();
    let levels = access_levels::load(&mut tx, &[], &names).await?;
    tx.commit_without_notify().await?;
    fail_point!("claim-after-commit");
    let mut by_host: HashMap<String, Vec<(DueDelivery, Arc<OutboundActivity>)>> = HashMap::new();
    for delivery in deliveries::list_due(&app.db, lease, now, MAX_BATCH_SIZE).await? {
        if let Some(activity) = cache.get(app, delivery.activity_id).await? {
            by_host.entry(delivery.host.clone()).or_default().push((delivery, activity));
        }
    }
    let critics: HashSet<CriticId> =
        by_host.values().flatten().map(|(_, activity)| activity.critic).collect();
    let mut keys = HashMap::new();
    for critic in critics {
        keys.insert(critic, app.keys_for(KeyOwner::Critic(critic)).await?);
    }
    let keys = Arc::new(keys);
    let batch = |target: HostLease| {
        let deliveries = by_host.remove(&target.host).unwrap_or_default();
        let is_blocked = levels.for_host(&target.host, &app.policy) == AccessLevel::Blocked;
        HostBatch { lease, target, is_blocked, deliveries, keys: Arc::clone(&keys) }
    };
    Ok(leases.into_iter().map(batch).collect())
}

/// Sends the deliveries of a host and releases it.
pub async fn deliver_batch(app: &App, batch: HostBatch, results: &ResultSender) {
    let span = tracing::info_span!("deliver", host = batch.target.host);
    async {
        tracing::debug!(deliveries = batch.deliveries.len(), "batch begins");
        let health = with_lease(app, LeaseQueue::Hosts, batch.lease, send_all(app, &batch, results)).await;
        let release = DeliveryResult::Release { host: batch.target.host, lease: batch.lease, health };
        // If the channel is closed, the lease expires.
        let _ = results.post(release).await;
    }
    .instrument(span)
    .await;
}

/// Sends one delivery at a time until the host has answered, then several; stops once it fails.
async fn send_all(app: &App, batch: &HostBatch, results: &ResultSender) -> HostHealth {
    let mut health = HostHealth::NotTried;
    let mut waiting = batch.deliveries.iter();
    let mut sending = FuturesUnordered::new();
    loop {
        let parallel = match health {
            HostHealth::Healthy => MAX_PARALLEL_REQUESTS,
            HostHealth::NotTried => 1,
            HostHealth::Failing { .. } => 0,
        };
        while sending.len() < parallel
            && let Some((delivery, activity)) = waiting.next()
        {
            sending.push(attempt(app, batch, delivery, activity));
        }
        let Some(result) = sending.next().await else { return health };
        // A host that failed stays closed, whatever the requests that were under way bring.
        if !matches!(health, HostHealth::Failing { .. }) && !matches!(result.health, HostHealth::NotTried) {
            health = result.health;
        }
        let result = DeliveryResult::Attempt {
            activity: result.delivery.activity_id,
            inbox: result.delivery.inbox.clone(),
            host: result.delivery.host.clone(),
            outcome: result.outcome,
            scheme_update: result.scheme_update,
        };
        let _ = results.post(result).await;
    }
}

/// The result of an attempt.
struct AttemptResult<'j> {
    delivery: &'j DueDelivery,
    outcome: DeliveryOutcome,
    scheme_update: Option<SchemeUpdate>,
    health: HostHealth,
}

/// What an attempt showed about the host's signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeUpdate {
    /// The scheme that it accepted after it refused the first one; `None` if it accepted neither.
    accepted: Option<SignatureScheme>,
}

/// Signs and sends a delivery; tries again at once if the signature is refused.
async fn attempt<'j>(
    app: &App,
    batch: &HostBatch,
    delivery: &'j DueDelivery,
    activity: &OutboundActivity,
) -> AttemptResult<'j> {
    // The row was written before the server was blocked.
    if batch.is_blocked {
        let error = "the server is blocked".to_owned();
        tracing::info!(activity = %delivery.activity_id, inbox = delivery.inbox, error, "delivery abandoned");
        let outcome = DeliveryOutcome::Failed { status: None, error };
        return AttemptResult { delivery, outcome, scheme_update: None, health: HostHealth::NotTried };
    }
    let (response, scheme_update) = match post(app, batch, delivery, activity).await {
        Ok((response, scheme_update)) => (Ok(response), scheme_update),
        Err(error) => (Err(error), None),
    };
    let now = app.clock.now();
    let status = response.as_ref().ok().map(|response| response.status);
    if let Some(status) = status.filter(StatusCode::is_success) {
        tracing::debug!(activity = %delivery.activity_id, inbox = delivery.inbox, status = status.as_u16(), "delivered");
        let outcome = DeliveryOutcome::Delivered { status: status.as_u16() };
        return AttemptResult { delivery, outcome, scheme_update, health: HostHealth::Healthy };
    }
    let is_final = matches!(status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
    let is_host = is_host_failure(status);
    let failures = if is_host { batch.target.failures } else { delivery.attempts };
    let failures = u32::try_from(failures).unwrap_or(u32::MAX).saturating_add(1);
    let retry_after = response.as_ref().ok().and_then(|response| response.retry_after);
    let retry_after = retry_after.map(|retry_after| retry_after.delay(now).min(MAX_RETRY_AFTER));
    let next = now + retry_delay(failures, jitter()).max(retry_after.unwrap_or_default());
    let error = match response {
        Ok(response) => {
            format!("the server responded with {}: {}", response.status.as_u16(), response.excerpt)
        }
        Err(error) => format!("{error:#}"),
    };
    let health =
        if is_host { HostHealth::Failing { until: next, error: error.clone() } } else { HostHealth::Healthy };
    let is_over = is_final || next > delivery.created_at + MAX_DELIVERY_AGE;
    let activity = delivery.activity_id;
    if is_over {
        tracing::info!(%activity, inbox = delivery.inbox, attempt = failures, error, "delivery abandoned");
    } else {
        tracing::info!(%activity, inbox = delivery.inbox, attempt = failures, error, "delivery deferred");
    }
    let status = status.map(|status| status.as_u16());
    // Once the host is open again, this delivery comes before all that were enqueued later.
    let next = if is_host { now } else { next };
    let outcome = if is_over {
        DeliveryOutcome::Failed { status, error }
    } else {
        DeliveryOutcome::Deferred { status, error, next }
    };
    AttemptResult { delivery, outcome, scheme_update, health }
}

/// Whether the host failed and not this delivery: it cannot be reached, or asks to wait. A server error about one
/// activity does not stop the others.
const fn is_host_failure(status: Option<StatusCode>) -> bool {
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

/// Sends with the signature scheme that the host accepted last, and with the other one if it refuses the signature
/// (double-knocking). While an old key still signs, a host that refuses it is tried with the new key first: it may have
/// fetched the actor after the new key was published. The last response counts.
async fn post(
    app: &App,
    batch: &HostBatch,
    delivery: &DueDelivery,
    activity: &OutboundActivity,
) -> anyhow::Result<(PostResponse, Option<SchemeUpdate>)> {
    let inbox = url::Url::parse(&delivery.inbox)?;
    let own =
        batch.keys.get(&activity.critic).ok_or_else(|| anyhow::anyhow!("no signing key for the critic"))?;
    let first = batch.target.signature_scheme;
    let mut tries = vec![
        (own.signing_key(), first),
        (own.published_key(), first),
        (own.published_key(), first.alternative()),
    ];
    tries.dedup_by(|one, other| one.0.id() == other.0.id() && one.1 == other.1);
    let mut last = None;
    for (key, scheme) in tries {
        let digest = Some(activity.digest.clone());
        let mut headers = signing_keys::sign(app, key, scheme, Method::POST, &inbox, digest).await?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ACTIVITY_JSON));
        fail_point!("send-before");
        let response = app.http.post(&inbox, headers, activity.body.clone()).await?;
        fail_point!("send-after");
        if !may_reject_signature(response.status) {
            let is_new = scheme != first && response.status.is_success();
            return Ok((response, is_new.then_some(SchemeUpdate { accepted: Some(scheme) })));
        }
        last = Some(response);
    }
    let response = last.ok_or_else(|| anyhow::anyhow!("no request was sent"))?;
    Ok((response, (first != SignatureScheme::default()).then_some(SchemeUpdate { accepted: None })))
}

fn jitter() -> u8 {
    let mut byte = [0];
    // Without randomness there is no jitter, which does no harm.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}
