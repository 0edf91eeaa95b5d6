//! A received activity whose sender is verified, and the lookups that its handlers share.

use url::Url;

use crate::domain::id::{CriticId, InboxActivityId, ReviewId};
use crate::domain::time::Timestamp;
use crate::federation::vocab::remote_activity::RemoteActivity;
use crate::flows::App;
use crate::store::inbox_activities::InboxJob;
use crate::store::{Result, Tx, critics, reviews, tombstones};

/// How an activity ended.
pub(super) enum Effect {
    /// It changed something. The text describes the effect for the log.
    Applied(&'static str),
    /// It changed nothing, for this reason.
    Ignored(&'static str),
    /// It needs requests to other servers before it can be applied.
    NeedsNetwork,
    /// It cannot be applied before the post of that id is stored.
    Deferred(Url),
}

/// A received activity whose sender is verified.
pub(super) struct InboundActivity<'a> {
    pub(super) app: &'a App,
    pub(super) activity: &'a RemoteActivity,
    /// Its job.
    pub(super) job_id: InboxActivityId,
    pub(super) signed_at: Timestamp,
    /// Its exact bytes.
    pub(super) body: &'a str,
    /// Whether it was deferred before.
    pub(super) was_deferred: bool,
}

impl<'a> InboundActivity<'a> {
    pub(super) fn new(app: &'a App, activity: &'a RemoteActivity, job: &'a InboxJob) -> Self {
        let was_deferred = job.attempts > 0;
        Self { app, activity, job_id: job.id, signed_at: job.signed_at, body: &job.body, was_deferred }
    }
}

impl InboundActivity<'_> {
    /// Whether its actor undid or deleted the object of that id at the same time or later.
    pub(super) async fn is_tombstoned(&self, tx: &mut Tx, id: Option<&Url>) -> Result<bool> {
        let Some(id) = id else { return Ok(false) };
        let tombstone = tombstones::find(tx, id, &self.activity.actor).await?;
        Ok(tombstone.is_some_and(|at| at >= self.signed_at))
    }

    /// The critic whose actor has that id. Inside a transaction no second connection is used: those that hold the other
    /// connections may be waiting for this very transaction.
    pub(super) async fn find_critic_in_tx(&self, tx: &mut Tx, id: &Url) -> Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.parse_actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::exists(tx, critic).await?.then_some(critic))
    }

    /// The critic whose actor has that id, read outside of any transaction.
    pub(super) async fn find_critic(&self, id: &Url) -> Result<Option<CriticId>> {
        let Some(critic) = self.app.origin.parse_actor_id(id) else {
            return Ok(None);
        };
        Ok(critics::find(&self.app.db, critic).await?.map(|critic| critic.id))
    }

    /// The review whose Article has that id, if it is public.
    pub(super) async fn find_public_review(&self, tx: &mut Tx, object: &Url) -> Result<Option<ReviewId>> {
        let Some(id) = self.app.origin.parse_article_id(object) else {
            return Ok(None);
        };
        Ok(reviews::is_public(tx, id).await?.then_some(id))
    }
}
