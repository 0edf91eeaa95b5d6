//! Incoming Update activities about a post. What is stored decides how an edit of a known comment is judged, not what the
//! Update repeats: Mastodon omits `inReplyTo` once the parent is gone, and the edited post may name another parent or a
//! narrower audience.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::prepared::PreparedActivity;
use crate::domain::comment::CommentState;
use crate::domain::untrusted::Untrusted;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::flows::apub::ResolveError;
use crate::flows::resolve;
use crate::store::comments::{self, CommentRevision, StoredComment};
use crate::store::{Result, Tx, actors, inbox_activities, tombstones};

impl InboundActivity<'_> {
    /// Prepares an Update that contains the post. A known comment needs nothing else, so nothing is fetched for it but an
    /// author who is not stored.
    pub(super) async fn prepare_edit(&self, note: Box<RemoteNote>) -> anyhow::Result<PreparedActivity> {
        if comments::find_by_uri(&self.app.db, &note.id).await?.is_some() {
            self.fetch_missing_author(&note).await?;
            return Ok(PreparedActivity::Edit(note));
        }
        let (id, is_public) = (note.id.clone(), note.is_public);
        let prepared = match note.in_reply_to {
            None if !is_public => return Ok(PreparedActivity::Edit(note)),
            None => PreparedActivity::Ignored("not a reply"),
            Some(_) => self.prepare_reply(note, true).await?,
        };
        // The Create may still be on its way through the queue.
        let is_ignored = matches!(prepared, PreparedActivity::Ignored(_));
        let (db, sender) = (&self.app.db, &self.activity.actor);
        if is_ignored && inbox_activities::has_earlier_queued(db, sender, self.job_id).await? {
            return Ok(PreparedActivity::WaitsFor(id));
        }
        Ok(prepared)
    }

    /// Prepares an Update that only names the post. A comment that its own server no longer has, or shows to nobody, is
    /// deleted.
    pub(super) async fn prepare_edit_by_reference(&self, id: &Url) -> anyhow::Result<PreparedActivity> {
        let fetched = match self.fetch_own_post(id).await {
            Ok(fetched) => fetched,
            Err(ResolveError::Gone) => {
                let is_known = comments::find_by_uri(&self.app.db, id).await?.is_some();
                return Ok(if is_known {
                    PreparedActivity::Deletion(id.clone())
                } else {
                    PreparedActivity::Ignored("the object no longer exists")
                });
            }
            Err(error) => return Err(error.into()),
        };
        match fetched {
            Ok(note) => self.prepare_edit(Box::new(note)).await,
            Err(reason) => Ok(PreparedActivity::Ignored(reason)),
        }
    }

    /// The author of a comment that was fetched as part of a thread may not be stored yet. The edit does not depend on it.
    async fn fetch_missing_author(&self, note: &RemoteNote) -> anyhow::Result<()> {
        let (db, author) = (&self.app.db, &self.activity.actor);
        let is_needed = note.is_public
            && actors::find_by_uri(db, author).await?.is_none()
            && !tombstones::is_actor_deleted(db, author).await?;
        if is_needed && let Err(error) = resolve::resolve_actor(self.app, author).await {
            tracing::info!(actor = %Untrusted::new(&author), error = ?Untrusted::chain(&error), "could not resolve author");
        }
        Ok(())
    }

    /// Applies an Update of a post that may be stored as a comment.
    pub(super) async fn apply_edit(&self, tx: &mut Tx, note: &RemoteNote) -> Result<Effect> {
        match comments::find_in_tx(tx, &note.id).await? {
            Some(before) => self.edit_comment(tx, note, &before).await,
            None if note.is_public => Ok(Effect::Ignored("not a reply")),
            None => {
                // An older version that was public may arrive later.
                tombstones::insert(tx, &note.id, &self.activity.actor, self.signed_at).await?;
                Ok(Effect::Ignored("not public"))
            }
        }
    }

    /// Applies an Update of a stored comment, which keeps its place in the thread.
    pub(super) async fn edit_comment(
        &self,
        tx: &mut Tx,
        note: &RemoteNote,
        before: &StoredComment,
    ) -> Result<Effect> {
        if before.actor != self.activity.actor.as_str() {
            return Ok(Effect::Ignored("the comment belongs to another actor"));
        }
        match before.state {
            CommentState::Private => return Ok(Effect::Ignored("already known as private")),
            CommentState::Deleted => {
                inbox_activities::erase_body(tx, self.job_id).await?;
                return Ok(Effect::Ignored("already deleted"));
            }
            _ => {}
        }
        if !note.is_public {
            inbox_activities::erase_body(tx, self.job_id).await?;
            self.delete_forwards(tx, Some(&note.id)).await?;
            comments::mark_deleted(tx, before.id, self.signed_at).await?;
            return Ok(Effect::Applied("comment is no longer public"));
        }
        let edited = note.updated.unwrap_or(self.signed_at);
        if before.signed_at > self.signed_at || before.edited_at > Some(edited) {
            return Ok(Effect::Ignored("a newer edit has already arrived"));
        }
        let revision = CommentRevision {
            url: note.url.as_ref().unwrap_or(&note.id),
            content: &self.comment_content(note),
            warning: note.summary.as_deref(),
            language: note.language.as_deref(),
            edited,
            signed_at: self.signed_at,
        };
        comments::update_content(tx, before.id, &revision).await?;
        if before.state == CommentState::Shown {
            self.forward_to_followers(tx, before.review_id, &note.id).await?;
        }
        Ok(Effect::Applied("comment edited"))
    }
}
