//! Stores the results of deliveries in groups: results that arrive while one transaction is being written share the next
//! one. A delivery whose result is lost because the process dies is sent again.
//!
//! A result that the database rejects must not be lost in the same way: the delivery would stay due, and its host would
//! receive the same activity again and again. Its outcome is stored without what else follows from it or, if the database
//! rejects the outcome itself, the delivery is abandoned. If that cannot be stored either, its host counts as failing:
//! nothing is sent to it for an hour, or until it sends something itself.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::double_knocking::SchemeUpdate;
use crate::domain::delivery_retry::MAX_DELIVERY_AGE;
use crate::domain::id::{ActivityId, LeaseId};
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::flows::group_commit::{self, GroupError, GroupPolicy, GroupReceiver, GroupSender, GroupWriter};
use crate::flows::{App, signing_keys};
use crate::store::deliveries::{self, DeliveryOutcome};
use crate::store::followers;
use crate::store::hosts::{self, HostHealth};
use crate::store::{Result, Tx};

/// The status of an inbox that is gone for good. A 404 may come from a misconfigured proxy.
const GONE_STATUS: u16 = 410;

/// How long nothing is sent to a host after a result about it could not be stored, unless it sends something itself.
const UNSTORED_RESULT_BACKOFF: Duration = Duration::from_hours(1);

/// The error of a delivery, and of its host, whose result could not be stored.
const RESULT_NOT_STORED: &str = "the result of a delivery could not be stored; see the log";

/// The queue of results that wait to be stored.
pub type ResultSender = GroupSender<DeliveryResult, ()>;

/// The receiving end of a [`ResultSender`].
pub type ResultReceiver = GroupReceiver<DeliveryResult, ()>;

/// Makes the queue.
pub fn result_channel() -> (ResultSender, ResultReceiver) {
    group_commit::channel::<ResultWriter>()
}

/// Stores results until every sender is dropped; notifies `released` when hosts were released.
pub async fn write_all(app: App, receiver: ResultReceiver, released: Arc<Notify>) {
    group_commit::run(ResultWriter { app, released, backed_off: Mutex::default() }, receiver).await;
}

struct ResultWriter {
    app: App,
    released: Arc<Notify>,
    /// Hosts with a result that could not be stored, until they are released.
    backed_off: Mutex<HashSet<String>>,
}

impl ResultWriter {
    fn backed_off(&self) -> MutexGuard<'_, HashSet<String>> {
        self.backed_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what the database accepts of a result that it rejects for this reason: the outcome alone, without the
    /// signature scheme and without removing followers, or else that the delivery failed.
    async fn store_in_part(&self, attempt: &DeliveryAttempt, reason: &sqlx::Error) -> Result<(), GroupError> {
        let inbox = &attempt.inbox;
        match self.store_outcome(attempt).await.map_err(GroupError::from) {
            Ok(()) => {
                tracing::error!(activity = %attempt.activity, inbox = %Untrusted::new(&inbox), error = ?Untrusted::chain(reason), "could not store what follows from a delivery");
                return Ok(());
            }
            Err(GroupError::RowRejected(_)) => {}
            // The same outcome can be stored later.
            Err(error) => return Err(error),
        }
        let outcome =
            DeliveryOutcome::Failed { status: attempt.outcome.status(), error: RESULT_NOT_STORED.to_owned() };
        self.store_outcome(&DeliveryAttempt { outcome, ..attempt.clone() }).await?;
        let is_delivered = matches!(attempt.outcome, DeliveryOutcome::Delivered { .. });
        let end = if is_delivered { "delivered, but recorded as failed" } else { "delivery abandoned" };
        tracing::error!(activity = %attempt.activity, inbox = %Untrusted::new(&inbox), error = ?Untrusted::chain(reason), end, "could not store delivery result");
        Ok(())
    }

    /// Stores the outcome of an attempt and nothing that follows from it.
    async fn store_outcome(&self, attempt: &DeliveryAttempt) -> Result<()> {
        let result = DeliveryResult::Attempt(attempt.clone());
        let mut tx = self.app.db.begin().await?;
        store_attempts(&mut tx, &[&result], self.app.clock.now()).await?;
        tx.commit_without_notify().await
    }
}

impl GroupWriter for ResultWriter {
    type Item = DeliveryResult;
    type Outcome = ();

    const NAME: &'static str = "delivery results";
    const POLICY: GroupPolicy = GroupPolicy {
        capacity: 1024,
        max_items: 512,
        // Nothing waits for a result, so every group gathers.
        gather_time: Duration::from_millis(10),
        always_gather: true,
        flush_size: 512,
        write_timeout: None,
        retry_interval: Some(Duration::from_secs(1)),
    };

    fn order(&self, one: &DeliveryResult, other: &DeliveryResult) -> Ordering {
        one.lock_order().cmp(&other.lock_order())
    }

    async fn write(&self, group: &[&DeliveryResult]) -> Result<Vec<()>, GroupError> {
        let backed_off = self.backed_off().clone();
        let stored = store_group(&self.app, group, &backed_off).await.map_err(GroupError::from);
        if let Err(GroupError::RowRejected(reason)) = &stored
            && let [DeliveryResult::Attempt(attempt)] = group
        {
            self.store_in_part(attempt, reason).await?;
            return Ok(vec![()]);
        }
        stored?;
        let mut is_released = false;
        for result in group {
            if let DeliveryResult::Release { host, .. } = result {
                self.backed_off().remove(host);
                is_released = true;
            }
        }
        if is_released {
            self.released.notify_one();
        }
        Ok(vec![(); group.len()])
    }

    fn on_dropped(&self, result: &DeliveryResult) {
        // A release that is dropped leaves the lease to expire.
        if let DeliveryResult::Attempt(DeliveryAttempt { host, .. }) = result {
            self.backed_off().insert(host.clone());
        }
    }
}

/// A result that is stored.
#[derive(Debug)]
pub enum DeliveryResult {
    /// The result of one attempt.
    Attempt(DeliveryAttempt),
    /// The lease of a host is released.
    Release {
        /// The host.
        host: String,
        /// The lease under which it was claimed.
        lease: LeaseId,
        /// The state that the batch found it in.
        health: HostHealth,
    },
}

/// The result of one attempt of a delivery.
#[derive(Debug, Clone)]
pub struct DeliveryAttempt {
    /// The activity.
    pub activity: ActivityId,
    /// The inbox that it was sent to.
    pub inbox: String,
    /// The host of the inbox.
    pub host: String,
    /// How the attempt ended.
    pub outcome: DeliveryOutcome,
    /// What it showed about the host's signature scheme, if that is new.
    pub scheme_update: Option<SchemeUpdate>,
}

impl DeliveryResult {
    /// The order in which rows are locked, so that no two workers wait for each other: deliveries first, then hosts.
    fn lock_order(&self) -> (u8, Option<ActivityId>, &str) {
        match self {
            Self::Attempt(DeliveryAttempt { activity, inbox, .. }) => (0, Some(*activity), inbox),
            Self::Release { host, .. } => (1, None, host),
        }
    }
}

/// Stores a group in one transaction.
async fn store_group(app: &App, group: &[&DeliveryResult], backed_off: &HashSet<String>) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Rows are locked in one order everywhere: followers, deliveries, hosts.
    let mut gone = Vec::new();
    for result in group {
        if let DeliveryResult::Attempt(DeliveryAttempt {
            inbox,
            outcome: DeliveryOutcome::Failed { status: Some(GONE_STATUS), .. },
            ..
        }) = result
            && followers::remove_by_inbox(&mut tx, inbox).await? > 0
        {
            gone.push(inbox);
        }
    }
    store_attempts(&mut tx, group, now).await?;
    release_hosts(&mut tx, group, backed_off, now).await?;
    for result in group {
        if let DeliveryResult::Attempt(DeliveryAttempt { host, scheme_update: Some(update), .. }) = result {
            signing_keys::save_scheme(&mut tx, host, update.accepted, now).await?;
        }
    }
    fail_point!("results-before-commit");
    tx.commit_without_notify().await?;
    fail_point!("results-after-commit");
    for inbox in gone {
        tracing::info!(inbox = %Untrusted::new(&inbox), "inbox is gone; followers removed");
    }
    Ok(())
}

/// Stores the results of deliveries, several with one statement. Activities are updated in order, so that two workers
/// lock their totals in the same order.
async fn store_attempts(tx: &mut Tx, group: &[&DeliveryResult], now: Timestamp) -> Result<()> {
    let mut delivered: BTreeMap<(ActivityId, u16), Vec<&str>> = BTreeMap::new();
    let mut others: BTreeMap<ActivityId, Vec<(&str, &DeliveryOutcome)>> = BTreeMap::new();
    for result in group {
        let DeliveryResult::Attempt(DeliveryAttempt { activity, inbox, outcome, .. }) = result else {
            continue;
        };
        match outcome {
            DeliveryOutcome::Delivered { status } => {
                delivered.entry((*activity, *status)).or_default().push(inbox);
            }
            other => others.entry(*activity).or_default().push((inbox, other)),
        }
    }
    let activities: BTreeSet<ActivityId> =
        delivered.keys().map(|(activity, _)| *activity).chain(others.keys().copied()).collect();
    for activity in activities {
        for ((_, status), inboxes) in delivered.range((activity, u16::MIN)..=(activity, u16::MAX)) {
            deliveries::mark_delivered(tx, activity, *status, inboxes, now).await?;
        }
        for (inbox, outcome) in others.get(&activity).into_iter().flatten() {
            deliveries::record_outcome(tx, activity, inbox, outcome, now).await?;
        }
    }
    Ok(())
}

/// Releases hosts: those that responded with one statement, the others one by one.
async fn release_hosts(
    tx: &mut Tx,
    group: &[&DeliveryResult],
    backed_off: &HashSet<String>,
    now: Timestamp,
) -> Result<()> {
    let mut healthy: BTreeMap<LeaseId, Vec<&str>> = BTreeMap::new();
    let mut others = Vec::new();
    let mut all = Vec::new();
    let not_stored =
        HostHealth::Failing { until: now + UNSTORED_RESULT_BACKOFF, error: RESULT_NOT_STORED.to_owned() };
    for result in group {
        let DeliveryResult::Release { host, lease, health } = result else { continue };
        all.push(host.as_str());
        if backed_off.contains(host) {
            others.push((host, *lease, &not_stored));
            continue;
        }
        match health {
            HostHealth::Healthy => healthy.entry(*lease).or_default().push(host),
            HostHealth::NotTried => others.push((host, *lease, health)),
            HostHealth::Failing { error, .. } => {
                deliveries::fail_older_than(tx, host, now - MAX_DELIVERY_AGE, error, now).await?;
                others.push((host, *lease, health));
            }
        }
    }
    hosts::lock_rows(tx, &all).await?;
    for (lease, hosts) in healthy {
        hosts::release_all(tx, lease, &hosts).await?;
    }
    for (host, lease, health) in others {
        hosts::release(tx, host, lease, health, now).await?;
    }
    Ok(())
}
