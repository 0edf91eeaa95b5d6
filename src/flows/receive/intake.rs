//! Stores accepted activities in groups: those that arrive while one transaction is being written share the next one.
//!
//! The transaction decides whether the sender is blocked and its key valid: it reads both as they are now, whatever this
//! process has cached and whichever process changed them. An activity is acknowledged after the commit, never
//! before.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use url::Url;

use crate::domain::access_level::AccessLevel;
use crate::domain::inbox_activity::InboxLane;
use crate::domain::owner::registrable_domain;
use crate::domain::time::Timestamp;
use crate::federation::signature;
use crate::flows::App;
use crate::flows::authenticate::CachedKey;
use crate::flows::budget::InboxPermit;
use crate::flows::budget::kept_bytes::KeptBytes;
use crate::flows::error::Outage;
use crate::flows::group_commit::{self, GroupError, GroupPolicy, GroupReceiver, GroupSender, GroupWriter};
use crate::store::access_levels::{self, AccessLevels};
use crate::store::actor_keys;
use crate::store::inbox_activities::{self, NewInboxActivity};

/// Activities in one transaction.
const MAX_GROUP_SIZE: usize = 256;

/// A sender waits at most this long for the commit: most servers give up after ten seconds.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(8);

/// An activity whose sender is verified.
#[derive(Debug)]
pub struct VerifiedActivity {
    /// The actor that sent it.
    pub actor: Url,
    /// The id of the key that signed it.
    pub key_id: Url,
    /// The key that proves the sender; `None` if the deletion of the account proves it.
    pub key: Option<Arc<CachedKey>>,
    /// Its exact bytes.
    pub body: Arc<str>,
    /// The date that its signature covers.
    pub signed_at: Timestamp,
    /// The fingerprint of its signature.
    pub fingerprint: String,
    /// Whether it is a Delete, which blocked actors may send, too.
    pub is_delete: bool,
}

/// What became of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeOutcome {
    /// It is stored, or was stored before.
    Accepted,
    /// Its actor, or the server of its key, is blocked.
    Blocked,
    /// The key was replaced or removed: the sender must be verified again.
    KeyOutdated,
    /// Too much of its domain, or of all, is stored already on this day.
    OverBudget,
}

/// The queue of verified activities that wait to be stored.
#[derive(Debug)]
pub struct Intake {
    sender: Mutex<Option<GroupSender<IntakeItem, IntakeOutcome>>>,
    receiver: Mutex<Option<GroupReceiver<IntakeItem, IntakeOutcome>>>,
}

impl Default for Intake {
    fn default() -> Self {
        let (sender, receiver) = group_commit::channel::<IntakeWriter>();
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(Some(receiver)) }
    }
}

/// An activity and the permit of its request. The permit is freed once the activity is written, even if the sender is
/// gone by then.
#[derive(Debug)]
struct IntakeItem {
    activity: VerifiedActivity,
    _permit: Arc<InboxPermit>,
}

impl Intake {
    /// Accepts nothing more. Activities that wait are still stored.
    pub fn close(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Stores an activity; returns after the commit.
    pub(super) async fn store(
        &self,
        activity: VerifiedActivity,
        permit: Arc<InboxPermit>,
    ) -> Result<IntakeOutcome, GroupError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or(GroupError::ShuttingDown)?;
        let storing = async move { sender.submit(IntakeItem { activity, _permit: permit }).await };
        let timeout = |_| Err(GroupError::Unavailable(Outage::Timeout));
        tokio::time::timeout(COMMIT_TIMEOUT, storing).await.unwrap_or_else(timeout)
    }
}

/// Stores activities until the intake is closed and everything that was accepted before is stored.
pub async fn write_all(app: App) -> anyhow::Result<()> {
    let receiver = app.intake.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
    let receiver = receiver.ok_or_else(|| anyhow!("another task stores the activities"))?;
    group_commit::run(IntakeWriter(app), receiver).await;
    Ok(())
}

struct IntakeWriter(App);

impl GroupWriter for IntakeWriter {
    type Item = IntakeItem;
    type Outcome = IntakeOutcome;

    const NAME: &'static str = "intake";
    const POLICY: GroupPolicy = GroupPolicy {
        capacity: MAX_GROUP_SIZE,
        max_items: MAX_GROUP_SIZE,
        gather_time: Duration::from_millis(1),
        always_gather: false,
        flush_size: 64,
        write_timeout: Some(Duration::from_secs(30)),
        retry_interval: None,
    };

    /// Stores the activities whose sender may still send, in one transaction.
    async fn write(&self, group: &[&IntakeItem]) -> Result<Vec<IntakeOutcome>, GroupError> {
        let Self(app) = self;
        let group: Vec<&VerifiedActivity> = group.iter().map(|item| &item.activity).collect();
        let now = app.clock.now();
        let mut kept = KeptBytes::of_domains(app, group.iter().map(|activity| activity.domain()), now);
        let mut tx = app.db.begin().await?;
        let actors: BTreeSet<&Url> = group.iter().map(|activity| &activity.actor).collect();
        let hosts: BTreeSet<&str> = group.iter().filter_map(|activity| activity.key_id.host_str()).collect();
        let (actors, hosts) = (Vec::from_iter(actors), Vec::from_iter(hosts));
        let levels = access_levels::load(&mut tx, &actors, &hosts).await?;
        let keys: Vec<_> = group.iter().filter_map(|activity| activity.key.as_deref()).collect();
        let keys: Vec<_> = keys.iter().map(|key| key.as_stored()).collect();
        let outdated = actor_keys::find_outdated(&mut tx, &keys).await?;
        let outcome = |activity: &&VerifiedActivity| {
            if activity.key.is_some() && outdated.contains(activity.key_id.as_str()) {
                IntakeOutcome::KeyOutdated
            } else if !activity.is_delete && is_blocked(app, &levels, activity) {
                IntakeOutcome::Blocked
            } else {
                IntakeOutcome::Accepted
            }
        };
        let mut outcomes: Vec<IntakeOutcome> = group.iter().map(outcome).collect();
        kept.load(&mut tx).await?;
        for (activity, outcome) in group.iter().zip(&mut outcomes) {
            if *outcome == IntakeOutcome::Accepted && !kept.try_keep(activity.domain(), activity.body.len()) {
                *outcome = IntakeOutcome::OverBudget;
            }
        }
        let accepted =
            group.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == IntakeOutcome::Accepted);
        let accepted: Vec<NewInboxActivity<'_>> =
            accepted.map(|(activity, _)| activity.to_row(app, now)).collect();
        let expires = now + signature::MAX_SIGNATURE_AGE + signature::MAX_CLOCK_SKEW;
        let fresh = inbox_activities::insert_new(&mut tx, &accepted, expires, now).await?;
        if !fresh.is_empty() {
            for activity in fresh {
                kept.record(activity.domain, activity.body.len());
            }
            kept.save(&mut tx).await?;
            fail_point!("accept-before-commit");
            tx.commit().await?;
            fail_point!("accept-after-commit");
            app.wake.notify();
        }
        Ok(outcomes)
    }
}

/// Whether the actor or the server of the key is blocked.
fn is_blocked(app: &App, levels: &AccessLevels, activity: &VerifiedActivity) -> bool {
    let host = activity.key_id.host_str().unwrap_or_default();
    levels.for_actor(&activity.actor, &app.policy) == AccessLevel::Blocked
        || levels.for_host(host, &app.policy) == AccessLevel::Blocked
}

impl VerifiedActivity {
    /// The registrable domain of its server.
    fn domain(&self) -> &str {
        registrable_domain(self.actor.host_str().unwrap_or_default())
    }

    fn to_row(&self, app: &App, now: Timestamp) -> NewInboxActivity<'_> {
        let domain = self.domain();
        NewInboxActivity {
            domain,
            turn: app.budgets.next_turn(InboxLane::Ready, domain, now),
            actor: &self.actor,
            key_id: &self.key_id,
            body: &self.body,
            signed_at: self.signed_at,
            fingerprint: &self.fingerprint,
        }
    }
}
