//! Writes down what came of attempts: whatever is reported while a transaction commits goes into the next one, so
//! that many acknowledgements share a commit. What is not written yet when the process dies is sent again.

use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::Lesson;
use crate::domain::delivery::GIVE_UP_AFTER;
use crate::domain::id::{ActivityId, LeaseId};
use crate::flows::{App, keys};
use crate::store::deliveries::{self, Outcome};
use crate::store::followers;
use crate::store::hosts::{self, Health};

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
pub enum Entry {
    /// What came of an attempt.
    Attempt {
        /// The activity.
        activity: ActivityId,
        /// Where it went.
        inbox: String,
        /// The host of the inbox.
        host: String,
        /// How it ended.
        outcome: Outcome,
        /// What it taught about the host.
        lesson: Option<Lesson>,
    },
    /// A host is given back.
    Release {
        /// Its name.
        host: String,
        /// The lease under which it was taken.
        lease: LeaseId,
        /// How it was found.
        health: Health,
    },
}

impl Entry {
    /// In one order everywhere, so that no two workers wait for each other: deliveries first, then hosts.
    fn place(&self) -> (u8, Option<ActivityId>, &str) {
        match self {
            Self::Attempt { activity, inbox, .. } => (0, Some(*activity), inbox),
            Self::Release { host, .. } => (1, None, host),
        }
    }
}

/// Writes until nobody reports any more; tells `freed` when hosts were given back.
pub async fn keep(app: App, mut entries: mpsc::Receiver<Entry>, freed: &Notify) {
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
        group.clear();
        freed.notify_one();
    }
}

async fn write(app: &App, group: &[Entry]) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    for entry in group {
        match entry {
            Entry::Attempt { activity, inbox, outcome, .. } => {
                deliveries::acknowledge(&mut tx, *activity, inbox, outcome, now).await?;
            }
            Entry::Release { host, lease, health } => {
                if let Health::Closed { error, .. } = health {
                    deliveries::give_up(&mut tx, host, now - GIVE_UP_AFTER, error, now).await?;
                }
                hosts::release(&mut tx, host, *lease, health, now).await?;
            }
        }
    }
    for entry in group {
        if let Entry::Attempt { inbox, outcome: Outcome::Failed { status: Some(GONE), .. }, .. } = entry {
            let lost = followers::lose(&mut tx, inbox).await?;
            tracing::info!(inbox, lost, "an inbox is gone, and who was reached there");
        }
        if let Entry::Attempt { host, lesson: Some(lesson), .. } = entry {
            keys::learn(&mut tx, host, lesson.taken, now).await?;
        }
    }
    fail_point!("ledger-before-commit");
    tx.commit().await?;
    fail_point!("ledger-after-commit");
    Ok(())
}
