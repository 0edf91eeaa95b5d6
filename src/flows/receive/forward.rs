//! Passing on: what carries a signature of its own goes to the critic's followers, whose servers may not have
//! heard of it (ActivityPub section 7.1.2). The main way is another one: `replies` lists what there is.

use url::Url;

use super::letter::Letter;
use crate::domain::activity::Kind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::store::activities::{self, Outgoing};
use crate::store::{Tx, received, reviews};

/// What is larger is not passed on, since every follower's server would get it.
const MOST_BYTES: usize = 64 * 1024;

impl Letter<'_> {
    /// Passes on, byte by byte, what was said about a comment that everyone sees. Without a signature of its
    /// own nobody would believe it.
    pub(super) async fn pass_on(&self, tx: &mut Tx, review: ReviewId, comment: &Url) -> anyhow::Result<()> {
        let is_for_all = self.activity.is_ld_signed && self.activity.is_public;
        if !is_for_all || self.body.len() > MOST_BYTES {
            return Ok(());
        }
        let Some(critic) = reviews::critic_of(tx, review).await? else {
            return Ok(());
        };
        let now = self.app.clock.now();
        let id = ActivityId::new(now);
        let passed = Outgoing { id, critic, kind: Kind::Forward, object: comment, body: self.body };
        Ok(activities::to_followers(tx, &passed, now).await?)
    }

    /// What its actor takes back is passed on no more, and its words are kept nowhere. Comes before it is deleted.
    pub(super) async fn forget(&self, tx: &mut Tx, comment: Option<&Url>) -> anyhow::Result<()> {
        let me = &self.activity.actor;
        activities::end_forwards(tx, me, comment, self.app.clock.now()).await?;
        received::forget_words(tx, me).await?;
        Ok(())
    }
}
