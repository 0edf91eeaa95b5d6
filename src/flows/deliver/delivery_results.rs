//! Stores the results of deliveries in groups: results that arrive while one transaction is being written share the next
//! one. A delivery whose result is lost because the process dies is sent again.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::double_knocking::SchemeUpdate;
use crate::domain::delivery_retry::MAX_DELIVERY_AGE;
use crate::domain::id::{ActivityId, LeaseId};
use crate::domain::time::Timestamp;
use crate::flows::group_commit::{self, GroupError, GroupPolicy, GroupReceiver, GroupSender, GroupWriter};
use crate::flows::{App, signing_keys};
use crate::store::deliveries::{self, DeliveryOutcome};
use crate::store::followers;
use crate::store::hosts::{self, HostHealth};
use crate::store::{Result, Tx};

/// The status of an inbox that is gone for good. A 404 may come from a misconfigured proxy.
const GONE_STATUS: u16 = 410;

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
    group_commit::run(ResultWriter { app, released }, receiver).await;
}

struct ResultWriter {
    app: App,
    released: Arc<Notify>,
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
        gather_when_idle: true,
        full_enough: 512,
        write_timeout: None,
        retry_interval: Some(Duration::from_secs(1)),
    };

    fn order(&self, one: &DeliveryResult, other: &DeliveryResult) -> Ordering {
        one.lock_order().cmp(&other.lock_order())
    }

    async fn write(&self, group: &[&DeliveryResult]) -> Result<Vec<()>, GroupError> {
        store_group(&self.app, group).await?;
        if group.iter().any(|result| matches!(result, DeliveryResult::Release { .. })) {
            self.released.notify_one();
        }
        Ok(vec![(); group.len()])
    }
}

/// A result that is stored.
#[derive(Debug)]
pub enum DeliveryResult {
    /// The result of one attempt.
    Attempt {
        /// The activity.
        activity: ActivityId,
        /// The inbox that it was sent to.
        inbox: String,
        /// The host of the inbox.
        host: String,
        /// How the attempt ended.
        outcome: DeliveryOutcome,
        /// What it showed about the host's signature scheme, if that is new.
        scheme_update: Option<SchemeUpdate>,
    },
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

impl DeliveryResult {
    /// The order in which rows are locked, so that no two workers wait for each other: deliveries first, then hosts.
    fn lock_order(&self) -> (u8, Option<ActivityId>, &str) {
        match self {
            Self::Attempt { activity, inbox, .. } => (0, Some(*activity), inbox),
            Self::Release { host, .. } => (1, None, host),
        }
    }
}

/// Stores a group in one transaction.
async fn store_group(app: &App, group: &[&DeliveryResult]) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Rows are locked in one order everywhere: followers, deliveries, hosts.
    for entry in group {
        if let DeliveryResult::Attempt {
            inbox,
            outcome: DeliveryOutcome::Failed { status: Some(GONE_STATUS), .. },
            ..
        } = entry
            && followers::remove_by_inbox(&mut tx, inbox).await? > 0
        {
            tracing::info!(inbox, "inbox is gone; followers removed");
        }
    }
    store_attempts(&mut tx, group, now).await?;
    release_hosts(&mut tx, group, now).await?;
    for entry in group {
        if let DeliveryResult::Attempt { host, scheme_update: Some(lesson), .. } = entry {
            signing_keys::save_scheme(&mut tx, host, lesson.accepted, now).await?;
        }
    }
    fail_point!("ledger-before-commit");
    tx.commit_without_notify().await?;
    fail_point!("ledger-after-commit");
    Ok(())
}

/// Stores the results of deliveries, several with one statement. Activities are updated in order, so that two workers
/// lock their totals in the same order.
async fn store_attempts(tx: &mut Tx, group: &[&DeliveryResult], now: Timestamp) -> Result<()> {
    let mut arrived: BTreeMap<(ActivityId, u16), Vec<&str>> = BTreeMap::new();
    let mut others: BTreeMap<ActivityId, Vec<(&str, &DeliveryOutcome)>> = BTreeMap::new();
    for entry in group {
        let DeliveryResult::Attempt { activity, inbox, outcome, .. } = entry else { continue };
        match outcome {
            DeliveryOutcome::Delivered { status } => {
                arrived.entry((*activity, *status)).or_default().push(inbox);
            }
            other => others.entry(*activity).or_default().push((inbox, other)),
        }
    }
    let activities: BTreeSet<ActivityId> =
        arrived.keys().map(|(activity, _)| *activity).chain(others.keys().copied()).collect();
    for activity in activities {
        for ((_, status), inboxes) in arrived.range((activity, u16::MIN)..=(activity, u16::MAX)) {
            deliveries::mark_delivered(tx, activity, *status, inboxes, now).await?;
        }
        for (inbox, outcome) in others.get(&activity).into_iter().flatten() {
            deliveries::record_outcome(tx, activity, inbox, outcome, now).await?;
        }
    }
    Ok(())
}

/// Releases hosts: those that answered with one statement, the others one by one.
async fn release_hosts(tx: &mut Tx, group: &[&DeliveryResult], now: Timestamp) -> Result<()> {
    let mut well: BTreeMap<LeaseId, Vec<&str>> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in group {
        let DeliveryResult::Release { host, lease, health } = entry else { continue };
        all.push(host.as_str());
        if matches!(health, HostHealth::Healthy) {
            well.entry(*lease).or_default().push(host);
        }
    }
    for entry in group {
        if let DeliveryResult::Release { host, health: HostHealth::Failing { error, .. }, .. } = entry {
            deliveries::fail_older_than(tx, host, now - MAX_DELIVERY_AGE, error, now).await?;
        }
    }
    hosts::lock_rows(tx, &all).await?;
    for (lease, hosts) in well {
        hosts::release_all(tx, lease, &hosts).await?;
    }
    for entry in group {
        let DeliveryResult::Release { host, lease, health } = entry else { continue };
        if !matches!(health, HostHealth::Healthy) {
            hosts::release(tx, host, *lease, health, now).await?;
        }
    }
    Ok(())
}
