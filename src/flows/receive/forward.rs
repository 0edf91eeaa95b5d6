//! Passing on: what carries a signature of its own goes to the critic's followers, whose servers may not have
//! heard of it (ActivityPub section 7.1.2). The main way is another one: `replies` lists what there is.

use url::Url;

use super::apply::InboundActivity;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::store::activities::{self, NewActivity};
use crate::store::{Tx, inbox_activities, reviews};

/// What is larger is not passed on, since every follower's server would get it.
const MOST_BYTES: usize = 64 * 1024;

impl InboundActivity<'_> {
    /// Passes on, byte by byte, what was said about a comment that everyone sees. Without a signature of its
    /// own nobody would believe it.
    pub(super) async fn forward_to_followers(
        &self,
        tx: &mut Tx,
        review: ReviewId,
        comment: &Url,
    ) -> anyhow::Result<()> {
        let is_for_all = self.activity.has_ld_signature && self.activity.is_public;
        if !is_for_all || self.body.len() > MOST_BYTES {
            return Ok(());
        }
        let Some(critic) = reviews::find_critic(tx, review).await? else {
            return Ok(());
        };
        let now = self.app.clock.now();
        let id = ActivityId::new(now);
        let passed =
            NewActivity { id, critic, kind: ActivityKind::Forward, object: comment, body: self.body };
        Ok(activities::insert_for_followers(tx, &passed, now).await?)
    }

    /// What its actor takes back is passed on no more, and its words are kept nowhere. Comes before it is deleted.
    pub(super) async fn delete_forwards(&self, tx: &mut Tx, comment: Option<&Url>) -> anyhow::Result<()> {
        let me = &self.activity.actor;
        activities::cancel_forwards(tx, me, comment, self.app.clock.now()).await?;
        inbox_activities::erase_bodies(tx, me).await?;
        Ok(())
    }
}
