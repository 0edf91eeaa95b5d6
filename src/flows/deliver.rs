//! Sends the deliveries that are due, host by host. A worker leases a host, sends what waits for it and releases it. No
//! transaction is held while it sends; the results go to the [`delivery_results`].

mod activity_cache;
mod attempt;
pub mod delivery_results;
mod double_knocking;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument as _;

pub use self::activity_cache::ActivityCache;
use self::activity_cache::OutboundActivity;
use self::attempt::attempt;
use self::delivery_results::{DeliveryAttempt, DeliveryResult, ResultSender};
use super::App;
use super::lease::{lease_until, with_lease};
use super::signing_keys::{ActorKeys, KeyOwner};
use crate::domain::access_level::AccessLevel;
use crate::domain::id::{CriticId, LeaseId};
use crate::domain::untrusted::Untrusted;
use crate::store::access_levels;
use crate::store::deliveries::{self, DueDelivery};
use crate::store::hosts::{self, Capacity, HostHealth, HostLease};
use crate::store::lease_renewal::LeaseQueue;

/// Deliveries of one batch.
const MAX_BATCH_SIZE: u32 = 64;

/// Requests to a host at a time, once it has responded to one.
const MAX_PARALLEL_REQUESTS: usize = 4;

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
    cache: &ActivityCache,
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
    let span = tracing::info_span!("deliver", host = %Untrusted::new(&batch.target.host));
    async {
        tracing::debug!(deliveries = batch.deliveries.len(), "sending batch");
        let health = with_lease(app, LeaseQueue::Hosts, batch.lease, send_all(app, &batch, results)).await;
        let release = DeliveryResult::Release { host: batch.target.host, lease: batch.lease, health };
        // If the channel is closed, the lease expires.
        let _ = results.post(release).await;
    }
    .instrument(span)
    .await;
}

/// Sends one delivery at a time until the host has responded, then several; stops once the host fails.
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
        // Once a host has failed, responses to requests that were still in flight do not change that.
        if !matches!(health, HostHealth::Failing { .. }) && !matches!(result.health, HostHealth::NotTried) {
            health = result.health;
        }
        let result = DeliveryResult::Attempt(DeliveryAttempt {
            activity: result.delivery.activity_id,
            inbox: result.delivery.inbox.clone(),
            host: result.delivery.host.clone(),
            outcome: result.outcome,
            scheme_update: result.scheme_update,
        });
        let _ = results.post(result).await;
    }
}
