//! Writes down what came of attempts: whatever is reported while a transaction commits goes into the next one, so
//! that many acknowledgements share a commit. What is not written yet when the process dies is sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::SchemeUpdate;
use crate::domain::delivery::MAX_DELIVERY_AGE;
use crate::domain::id::{ActivityId, LeaseId};
use crate::domain::time::Timestamp;
use crate::flows::{App, keys};
use crate::store::Tx;
use crate::store::deliveries::{self, DeliveryOutcome};
use crate::store::followers;
use crate::store::hosts::{self, HostHealth};

/// So many entries share a transaction at most.
const MOST: usize = 512;

/// How long the first one waits for others. Nobody waits for it.
const GATHER: Duration = Duration::from_millis(10);

/// The status that says so for good. A 404 may be a proxy's that has lost its way.
const GONE: u16 = 410;

/// Between two attempts to write while the database is away.
const PAUSE: Duration = Duration::from_secs(1);

/// What is to be written down.
#[derive(Debug)]
pub enum DeliveryResult {
    /// What came of an attempt.
    Attempt {
        /// The activity.
        activity: ActivityId,
        /// Where it went.
        inbox: String,
        /// The host of the inbox.
        host: String,
        /// How it ended.
        outcome: DeliveryOutcome,
        /// What it taught about the host.
        scheme_update: Option<SchemeUpdate>,
    },
    /// A host is given back.
    Release {
        /// Its name.
        host: String,
        /// The lease under which it was taken.
        lease: LeaseId,
        /// How it was found.
        health: HostHealth,
    },
}

impl DeliveryResult {
    /// In one order everywhere, so that no two workers wait for each other: deliveries first, then hosts.
    fn place(&self) -> (u8, Option<ActivityId>, &str) {
        match self {
            Self::Attempt { activity, inbox, .. } => (0, Some(*activity), inbox),
            Self::Release { host, .. } => (1, None, host),
        }
    }
}

/// Writes until nobody reports any more; tells `freed` when hosts were given back.
pub async fn write_all(app: App, mut entries: mpsc::Receiver<DeliveryResult>, freed: &Notify) {
    let mut group = Vec::with_capacity(MOST);
    while entries.recv_many(&mut group, MOST).await > 0 {
        if group.len() < MOST {
            tokio::time::sleep(GATHER).await;
            while group.len() < MOST
                && let Ok(entry) = entries.try_recv()
            {
                group.push(entry);
            }
        }
        group.sort_by(|one, other| one.place().cmp(&other.place()));
        while let Err(error) = write(&app, &group).await {
            tracing::error!(error = format!("{error:#}"), "not written down what was delivered: tried again");
            tokio::time::sleep(PAUSE).await;
        }
        if group.iter().any(|entry| matches!(entry, DeliveryResult::Release { .. })) {
            freed.notify_one();
        }
        group.clear();
    }
}

async fn write(app: &App, group: &[DeliveryResult]) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Followers before deliveries and those before hosts, as everyone takes them.
    for entry in group {
        if let DeliveryResult::Attempt {
            inbox,
            outcome: DeliveryOutcome::Failed { status: Some(GONE), .. },
            ..
        } = entry
            && followers::remove_by_inbox(&mut tx, inbox).await? > 0
        {
            tracing::info!(inbox, "an inbox is gone, and who was reached there");
        }
    }
    acknowledge(&mut tx, group, now).await?;
    release(&mut tx, group, now).await?;
    for entry in group {
        if let DeliveryResult::Attempt { host, scheme_update: Some(lesson), .. } = entry {
            keys::save_scheme(&mut tx, host, lesson.accepted, now).await?;
        }
    }
    fail_point!("ledger-before-commit");
    tx.commit_without_notify().await?;
    fail_point!("ledger-after-commit");
    Ok(())
}

/// What arrived, many at a time; activity after activity, whose totals two workers would otherwise take in two
/// orders.
async fn acknowledge(tx: &mut Tx, group: &[DeliveryResult], now: Timestamp) -> anyhow::Result<()> {
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

/// Hosts that answered many at a time, the others one by one.
async fn release(tx: &mut Tx, group: &[DeliveryResult], now: Timestamp) -> anyhow::Result<()> {
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
