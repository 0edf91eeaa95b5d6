//! Writes what is accepted, several at a time: whatever came while one transaction was being written goes into the next.
//! One by itself waits for nobody.
//!
//! Here it is decided at last who is heard: the transaction sees the blocks and the keys as they are, whatever this
//! process remembers and whichever process changed them. An activity is acknowledged after the commit, and only then.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::domain::moderation::AccessLevel;
use crate::domain::time::Timestamp;
use crate::federation::signature;
use crate::flows::App;
use crate::flows::authenticate::CachedKey;
use crate::flows::gate::InboxPermit;
use crate::store::blocks::{self, AccessLevels};
use crate::store::inbox_activities::{self, NewInboxActivity};
use crate::store::{actors, is_unavailable};

/// So many are written at once.
const MOST: usize = 256;

/// Where many come, those of this time are written together, unless there are enough already.
const GATHERING: Duration = Duration::from_millis(1);
const ENOUGH: usize = 64;

/// A transaction that takes longer has no database.
const LONGEST: Duration = Duration::from_secs(30);

/// Who sent it waits this long for it to be written, since most servers give up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// An activity that is proven.
#[derive(Debug)]
pub struct VerifiedActivity {
    /// Who sent it.
    pub actor: Url,
    /// The key that signed it.
    pub key_id: Url,
    /// That key, where it proves it; none where its end does.
    pub key: Option<Arc<CachedKey>>,
    /// Its exact bytes.
    pub body: Arc<str>,
    /// The date that its signature covers.
    pub signed_at: Timestamp,
    /// Of its signature.
    pub fingerprint: String,
    /// Whether it is one that is taken from those who are blocked, too.
    pub is_delete: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeOutcome {
    /// It is written, or was before.
    Accepted,
    /// The critics do not want to hear who sent it.
    Blocked,
    /// The key was replaced or dropped: who sent it is to be proven anew.
    KeyOutdated,
    /// It cannot be written now.
    StoreUnavailable,
}

/// Where what is proven waits to be written.
#[derive(Debug)]
pub struct Intake {
    line: Mutex<Option<mpsc::Sender<Waiting>>>,
    end: Mutex<Option<mpsc::Receiver<Waiting>>>,
}

impl Default for Intake {
    fn default() -> Self {
        let (line, end) = mpsc::channel(MOST);
        Self { line: Mutex::new(Some(line)), end: Mutex::new(Some(end)) }
    }
}

/// One that waits. Whoever sent it may be gone: it is written all the same.
#[derive(Debug)]
struct Waiting {
    proven: VerifiedActivity,
    answer: oneshot::Sender<IntakeOutcome>,
    /// Its room is free once it is written.
    _place: Arc<InboxPermit>,
}

impl Intake {
    /// Lets nothing more in. What waits is written.
    pub fn close(&self) {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Has an activity written; returns once it is.
    pub(super) async fn write(
        &self,
        proven: VerifiedActivity,
        place: Arc<InboxPermit>,
    ) -> anyhow::Result<IntakeOutcome> {
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line = line.ok_or_else(|| anyhow!("the site is stopping"))?;
        let (answer, answered) = oneshot::channel();
        let waiting = async {
            line.send(Waiting { proven, answer, _place: place })
                .await
                .map_err(|_| anyhow!("nobody writes"))?;
            drop(line);
            answered.await.map_err(|_| anyhow!("nobody wrote it"))
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or(Ok(IntakeOutcome::StoreUnavailable))
    }
}

/// Writes what comes until the intake is closed, and what came before that.
pub async fn write_all(app: App) -> anyhow::Result<()> {
    let end = app.intake.end.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut end = end.ok_or_else(|| anyhow!("somebody else writes"))?;
    let (mut group, mut last) = (Vec::new(), 0);
    while end.recv_many(&mut group, MOST).await > 0 {
        // Those that are as good as there come along: a commit costs as much as many a row. Who comes alone waits for
        // nobody.
        if last > 1 && group.len() < ENOUGH {
            tokio::time::sleep(GATHERING).await;
        } else {
            tokio::task::yield_now().await;
        }
        while group.len() < MOST
            && let Ok(waiting) = end.try_recv()
        {
            group.push(waiting);
        }
        last = group.len();
        write_group(&app, std::mem::take(&mut group)).await;
    }
    Ok(())
}

/// Writes a group, and tells each of it. Where it cannot be written as a whole, by halves: what is wrong with one is
/// nothing to the others.
async fn write_group(app: &App, group: Vec<Waiting>) {
    let mut parts = vec![group];
    while let Some(mut part) = parts.pop() {
        let proven: Vec<&VerifiedActivity> = part.iter().map(|waiting| &waiting.proven).collect();
        let written = tokio::time::timeout(LONGEST, write(app, &proven)).await;
        let verdicts = match written.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(verdicts) => verdicts,
            Err(error) if !is_unavailable(&error) && part.len() > 1 => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
                continue;
            }
            Err(error) => {
                tracing::error!(%error, activities = part.len(), "nothing can be written");
                vec![IntakeOutcome::StoreUnavailable; part.len()]
            }
        };
        for (waiting, verdict) in part.into_iter().zip(verdicts) {
            // Whoever waited may be gone.
            let _ = waiting.answer.send(verdict);
        }
    }
}

/// Writes those that stand, in one transaction; a verdict each.
async fn write(app: &App, group: &[&VerifiedActivity]) -> Result<Vec<IntakeOutcome>, sqlx::Error> {
    let mut tx = app.db.begin().await?;
    let now = app.clock.now();
    let actors: BTreeSet<&Url> = group.iter().map(|proven| &proven.actor).collect();
    let hosts: BTreeSet<&str> = group.iter().filter_map(|proven| proven.key_id.host_str()).collect();
    let (actors, hosts) = (Vec::from_iter(actors), Vec::from_iter(hosts));
    let standings = blocks::load_access_levels(&mut tx, &actors, &hosts).await?;
    let keys: Vec<_> = group.iter().filter_map(|proven| proven.key.as_deref()).collect();
    let keys: Vec<_> = keys.iter().map(|key| key.as_stored()).collect();
    let outdated = actors::find_outdated_keys(&mut tx, &keys).await?;
    let verdict = |proven: &&VerifiedActivity| {
        if proven.key.is_some() && outdated.contains(proven.key_id.as_str()) {
            IntakeOutcome::KeyOutdated
        } else if !proven.is_delete && is_blocked(app, &standings, proven) {
            IntakeOutcome::Blocked
        } else {
            IntakeOutcome::Accepted
        }
    };
    let verdicts: Vec<IntakeOutcome> = group.iter().map(verdict).collect();
    let taken = group.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == IntakeOutcome::Accepted);
    let accepted: Vec<NewInboxActivity<'_>> = taken.map(|(proven, _)| proven.accepted()).collect();
    let expires = now + signature::MAX_SIGNATURE_AGE + signature::MAX_CLOCK_SKEW;
    if inbox_activities::insert_new(&mut tx, &accepted, expires, now).await? > 0 {
        fail_point!("accept-before-commit");
        tx.commit().await?;
        fail_point!("accept-after-commit");
        app.wake.notify();
    }
    Ok(verdicts)
}

/// Whether the critics do not want to hear the actor, or the server of the key.
fn is_blocked(app: &App, standings: &AccessLevels, proven: &VerifiedActivity) -> bool {
    let host = proven.key_id.host_str().unwrap_or_default();
    standings.for_actor(&proven.actor, &app.policy) == AccessLevel::Blocked
        || standings.for_host(host, &app.policy) == AccessLevel::Blocked
}

impl VerifiedActivity {
    fn accepted(&self) -> NewInboxActivity<'_> {
        NewInboxActivity {
            actor: &self.actor,
            key_id: &self.key_id,
            body: &self.body,
            signed_at: self.signed_at,
            fingerprint: &self.fingerprint,
        }
    }
}
