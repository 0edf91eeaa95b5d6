//! Gives prepared activities their effects: those that are ready at the same time in one transaction, since a commit
//! costs as much as many an effect. What is wrong with one is nothing to the others.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::apply::{Effect, InboundActivity, PreparedActivity};
use crate::domain::id::LeaseId;
use crate::federation::vocab::remote_activity::RemoteActivity;
use crate::flows::App;
use crate::store::inbox_activities::{self, InboxJob, InboxOutcome};
use crate::store::{self, blocks, hosts};

/// So many have their effects at once: as many as are in work at a time.
const MOST: usize = 32;

/// A transaction that takes longer has no database.
const LONGEST: Duration = Duration::from_secs(30);

/// Where many come, those of this time go together.
const GATHERING: Duration = Duration::from_millis(1);

/// Where what is prepared waits for its effect.
#[derive(Debug, Clone)]
pub struct EffectSender(mpsc::Sender<Waiting>);

/// The end of a [`EffectSender`].
#[derive(Debug)]
pub struct EffectReceiver(mpsc::Receiver<Waiting>);

/// A line, and its end.
pub fn effect_channel() -> (EffectSender, EffectReceiver) {
    let (line, end) = mpsc::channel(MOST);
    (EffectSender(line), EffectReceiver(end))
}

/// An activity for which everything is fetched.
pub(super) struct PendingEffect {
    pub(super) lease: LeaseId,
    pub(super) job: Arc<InboxJob>,
    pub(super) activity: RemoteActivity,
    pub(super) prepared: PreparedActivity,
}

struct Waiting {
    ready: PendingEffect,
    answer: oneshot::Sender<anyhow::Result<Option<Url>>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({})", self.ready.job.id)
    }
}

/// Why a group has no effect as it is.
enum Failed {
    /// None can have one now.
    All(anyhow::Error),
    /// One of them cannot.
    One(anyhow::Error),
    /// The lease of one was lost, or a block dropped it meanwhile.
    Lost,
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        if error.downcast_ref::<sqlx::Error>().is_some_and(store::is_unavailable) {
            Self::All(error)
        } else {
            Self::One(error)
        }
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl EffectSender {
    /// None where it ended; the post that it waits for where it cannot have its effect yet.
    pub(super) async fn apply(&self, ready: PendingEffect) -> anyhow::Result<Option<Url>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Waiting { ready, answer }).await.map_err(|_| anyhow!("nobody works"))?;
        answered.await?
    }
}

/// Gives effects until the line is given up.
pub async fn apply_all(app: App, end: EffectReceiver) {
    let EffectReceiver(mut end) = end;
    let (mut group, mut last) = (Vec::new(), 0);
    while end.recv_many(&mut group, MOST).await > 0 {
        if last > 1 {
            tokio::time::sleep(GATHERING).await;
        }
        while group.len() < MOST
            && let Ok(waiting) = end.try_recv()
        {
            group.push(waiting);
        }
        last = group.len();
        enact_group(&app, std::mem::take(&mut group)).await;
    }
}

/// Tries a group, and where that fails its halves.
async fn enact_group(app: &App, mut group: Vec<Waiting>) {
    // Rows of one server are met together, and those of all servers in one order, so that no two processes wait for
    // each other; those of one actor stay in the order in which they came.
    group.sort_by(|a, b| {
        let key = |waiting: &'_ Waiting| waiting.ready.job.id;
        let host = |waiting: &'_ Waiting| waiting.ready.activity.actor.host_str().map(str::to_owned);
        host(a).cmp(&host(b)).then_with(|| key(a).cmp(&key(b)))
    });
    let mut parts = vec![group];
    while let Some(mut part) = parts.pop() {
        let ready: Vec<&PendingEffect> = part.iter().map(|waiting| &waiting.ready).collect();
        // A panic is one more thing that may be wrong with one of them.
        let enacting = AssertUnwindSafe(tokio::time::timeout(LONGEST, enact(app, &ready))).catch_unwind();
        let enacted = match enacting.await {
            Ok(Ok(enacted)) => enacted,
            Ok(Err(_)) => Err(Failed::All(anyhow!("the database does not answer"))),
            Err(_) => Err(Failed::One(anyhow!("it panicked"))),
        };
        let outcomes = match enacted {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Failed::One(_) | Failed::Lost) if part.len() > 1 => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
                continue;
            }
            Err(Failed::Lost) => vec![Ok(None)],
            Err(Failed::One(error)) => vec![Err(error)],
            Err(Failed::All(error)) => part.iter().map(|_| Err(anyhow!("{error:#}"))).collect(),
        };
        for (waiting, outcome) in part.into_iter().zip(outcomes) {
            // Whoever waited may be gone.
            let _ = waiting.answer.send(outcome);
        }
    }
}

/// The effects of all and their ends, in one transaction; for each the post that it waits for, if it does.
async fn enact(app: &App, group: &[&PendingEffect]) -> Result<Vec<Option<Url>>, Failed> {
    let letters: Vec<InboundActivity<'_>> =
        group.iter().map(|ready| InboundActivity::new(app, &ready.activity, &ready.job)).collect();
    let mut concerned = BTreeSet::new();
    for (letter, ready) in letters.iter().zip(group) {
        concerned.extend(letter.lock_names(&ready.prepared));
    }
    let mut tx = app.db.begin().await.map_err(|error| Failed::All(error.into()))?;
    // In one order everywhere, so that no two wait for each other.
    for name in concerned {
        tx.lock(&name).await?;
    }
    // Hosts that fail before those to which an effect has something sent.
    let heard: BTreeSet<&str> = group.iter().filter_map(|ready| ready.activity.actor.host_str()).collect();
    let now = app.clock.now();
    for host in heard {
        hosts::mark_reachable(&mut tx, host, now).await?;
    }
    let actors: BTreeSet<&Url> = group.iter().map(|ready| &ready.activity.actor).collect();
    let standings = blocks::load_access_levels(&mut tx, &Vec::from_iter(actors), &[]).await?;
    let (mut outcomes, mut notes) = (Vec::new(), Vec::new());
    for (letter, ready) in letters.iter().zip(group) {
        let (ended, note) = match letter.apply(&mut tx, &standings, &ready.prepared).await? {
            Effect::Applied(note) => (InboxOutcome::Done, note),
            Effect::Ignored(note) => (InboxOutcome::Dropped, note),
            Effect::Deferred(parent) => {
                outcomes.push(Some(parent));
                continue;
            }
        };
        if !inbox_activities::finish(&mut tx, ready.job.id, ready.lease, ended, note).await? {
            return Err(Failed::Lost);
        }
        notes.push((&ready.activity.actor, note));
        outcomes.push(None);
    }
    if notes.is_empty() {
        return Ok(outcomes);
    }
    fail_point!("apply-before-commit");
    tx.commit().await?;
    fail_point!("apply-after-commit");
    app.wake.notify();
    for (actor, note) in notes {
        tracing::info!(%actor, note, "activity taken in");
    }
    Ok(outcomes)
}
