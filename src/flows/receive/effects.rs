//! Applies prepared activities in groups: those that are ready at the same time share a transaction, since a commit
//! costs as much as many effects. An activity that cannot be applied does not harm the others of its group.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::domain::id::LeaseId;
use crate::domain::inbox_activity::InboxLane;
use crate::domain::untrusted::Untrusted;
use crate::federation::vocab::remote_activity::RemoteActivity;
use crate::flows::App;
use crate::flows::group_commit::{self, GroupError, GroupPolicy, GroupReceiver, GroupSender, GroupWriter};
use crate::store::inbox_activities::{self, InboxJob, InboxOutcome};
use crate::store::{Tx, access_levels, hosts};

/// Activities in one transaction: as many as are processed at a time.
const MAX_GROUP_SIZE: usize = 32;

/// A prepared activity with the lease under which it is processed.
#[derive(Debug)]
pub struct PendingEffect {
    pub(super) lease: LeaseId,
    pub(super) job: Arc<InboxJob>,
    pub(super) activity: RemoteActivity,
    pub(super) prepared: PreparedActivity,
}

/// The queue of prepared activities that wait to be applied. The outcome is the id of the post that an activity must
/// wait for, or `None` once it is finished.
pub type EffectSender = GroupSender<PendingEffect, Option<Url>>;

/// The receiving end of an [`EffectSender`].
pub type EffectReceiver = GroupReceiver<PendingEffect, Option<Url>>;

/// Makes the queue.
pub fn effect_channel() -> (EffectSender, EffectReceiver) {
    group_commit::channel::<EffectWriter>()
}

/// Applies activities until every sender is dropped.
pub async fn apply_all(app: App, receiver: EffectReceiver) {
    group_commit::run(EffectWriter(app), receiver).await;
}

struct EffectWriter(App);

impl GroupWriter for EffectWriter {
    type Item = PendingEffect;
    type Outcome = Option<Url>;

    const NAME: &'static str = "effects";
    const POLICY: GroupPolicy = GroupPolicy {
        capacity: MAX_GROUP_SIZE,
        max_items: MAX_GROUP_SIZE,
        gather_time: Duration::from_millis(1),
        always_gather: false,
        flush_size: MAX_GROUP_SIZE,
        write_timeout: Some(Duration::from_secs(30)),
        retry_interval: None,
    };

    /// Activities of one server are neighbours and all servers are in one order, so that no two processes wait for each
    /// other; activities of one actor keep the order in which they arrived.
    fn order(&self, one: &PendingEffect, other: &PendingEffect) -> Ordering {
        let (host, other_host) = (one.activity.actor.host_str(), other.activity.actor.host_str());
        host.cmp(&other_host).then_with(|| one.job.id.cmp(&other.job.id))
    }

    /// Applies all of them and finishes their jobs in one transaction.
    async fn write(&self, group: &[&PendingEffect]) -> Result<Vec<Option<Url>>, GroupError> {
        let Self(app) = self;
        let activities: Vec<InboundActivity<'_>> =
            group.iter().map(|pending| InboundActivity::new(app, &pending.activity, &pending.job)).collect();
        let mut names = BTreeSet::new();
        for (activity, pending) in activities.iter().zip(group) {
            names.extend(activity.lock_names(&pending.prepared));
        }
        let mut tx = app.db.begin().await?;
        // Locks are taken in one order everywhere, so that no two processes wait for each other.
        for name in names {
            tx.lock(&name).await?;
        }
        // Hosts are marked reachable before an effect enqueues deliveries to them: the rows are locked in this order.
        let senders: BTreeSet<&str> =
            group.iter().filter_map(|pending| pending.activity.actor.host_str()).collect();
        let now = app.clock.now();
        for host in senders {
            hosts::mark_reachable(&mut tx, host, now).await?;
        }
        let actors: BTreeSet<&Url> = group.iter().map(|pending| &pending.activity.actor).collect();
        let levels = access_levels::load(&mut tx, &Vec::from_iter(actors), &[]).await?;
        let (mut outcomes, mut finished, mut has_moved) = (Vec::new(), Vec::new(), false);
        for (activity, pending) in activities.iter().zip(group) {
            let (outcome, note) = match activity.apply(&mut tx, &levels, &pending.prepared).await? {
                Effect::Applied(note) => (InboxOutcome::Done, note),
                Effect::Ignored(note) => (InboxOutcome::Dropped, note),
                Effect::NeedsNetwork => {
                    has_moved |= move_to_network(app, &mut tx, pending).await?;
                    outcomes.push(None);
                    continue;
                }
                Effect::Deferred(parent) => {
                    outcomes.push(Some(parent));
                    continue;
                }
            };
            if !inbox_activities::finish(&mut tx, pending.job.id, pending.lease, outcome, note).await? {
                // The lease expired, or a block dropped the activity meanwhile: nothing is left to do for it.
                return match group.len() {
                    1 => Ok(vec![None]),
                    _ => Err(GroupError::LeaseLost),
                };
            }
            finished.push((pending, note));
            outcomes.push(None);
        }
        if finished.is_empty() && !has_moved {
            return Ok(outcomes);
        }
        fail_point!("apply-before-commit");
        tx.commit().await?;
        fail_point!("apply-after-commit");
        app.wake.notify();
        for (pending, note) in finished {
            tracing::info!(
                job = %pending.job.id,
                activity = pending.activity.id.as_ref().map(|id| tracing::field::display(Untrusted::new(id))),
                actor = %Untrusted::new(&pending.activity.actor), note, "activity applied");
        }
        Ok(outcomes)
    }
}

/// Lets an activity wait with those that need requests to other servers; returns whether it is still to be applied.
async fn move_to_network(app: &App, tx: &mut Tx, pending: &PendingEffect) -> crate::store::Result<bool> {
    let turn = app.budgets.next_turn(InboxLane::Network, &pending.job.domain, app.clock.now());
    inbox_activities::move_to_network(tx, pending.job.id, pending.lease, turn).await
}
