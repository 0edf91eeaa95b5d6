//! Incoming replies, and the posts between a reply and the review that were not stored.

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use super::initial_comment_state::initial_comment_state;
use super::prepared::{InboundReply, PreparedActivity, ThreadPost};
use super::thread::{self, ThreadRoot};
use crate::domain::comment::CommentState;
use crate::domain::time::Timestamp;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::flows::apub::ResolveError;
use crate::flows::resolve;
use crate::sources::html;
use crate::store::comments::{self, NewComment};
use crate::store::{Result, Tx, inbox_activities, tombstones};

/// The origin of a post: the signed date of its activity, and whether that is an edit.
#[derive(Clone, Copy)]
struct Provenance {
    signed_at: Timestamp,
    is_update: bool,
}

impl InboundActivity<'_> {
    /// Prepares a Create that only names the post.
    pub(super) async fn prepare_reference(&self, id: &Url) -> anyhow::Result<PreparedActivity> {
        match self.fetch_own_post(id).await? {
            Ok(note) => self.prepare_reply(Box::new(note), false).await,
            Err(reason) => Ok(PreparedActivity::Ignored(reason)),
        }
    }

    /// Fetches a post of the sender; the inner error says why it has no effect.
    pub(super) async fn fetch_own_post(
        &self,
        id: &Url,
    ) -> Result<Result<RemoteNote, &'static str>, ResolveError> {
        if id.origin() != self.activity.actor.origin() {
            return Ok(Err("the object is on another server"));
        }
        let Ok(note) = resolve::fetch_post(self.app, id).await? else {
            return Ok(Err("the object is not a usable post"));
        };
        if note.attributed_to.as_ref() != Some(&self.activity.actor) {
            return Ok(Err("the object belongs to another actor"));
        }
        Ok(Ok(note))
    }

    pub(super) async fn prepare_reply(
        &self,
        note: Box<RemoteNote>,
        is_update: bool,
    ) -> anyhow::Result<PreparedActivity> {
        let sender = &self.activity.actor;
        let Some(parent) = note.in_reply_to.clone() else {
            return Ok(PreparedActivity::Ignored("not a reply"));
        };
        // Nothing is fetched for a reply that will not be shown.
        let root = if note.is_public {
            thread::resolve_thread(self.app, &parent).await?
        } else {
            thread::resolve_parent(self.app, &parent).await?
        };
        let (review, ancestors) = match root {
            ThreadRoot::Found(review, ancestors) => (review, ancestors),
            // The parent is sent by its own author, or it is not in a thread of this site.
            ThreadRoot::Missing(_) if !note.is_public && self.was_deferred && is_update => {
                return Ok(PreparedActivity::Edit(note));
            }
            ThreadRoot::Missing(_) if !note.is_public && self.was_deferred => {
                return Ok(PreparedActivity::Ignored("not public, and its parent is unknown"));
            }
            ThreadRoot::Missing(post) => return Ok(PreparedActivity::WaitsFor(post)),
            ThreadRoot::NotOurs(reason) => return Ok(PreparedActivity::Ignored(reason)),
        };
        // A deleted account has no profile that could be fetched.
        if note.is_public && !tombstones::is_actor_deleted(&self.app.db, sender).await? {
            resolve::resolve_actor(self.app, sender).await?;
        }
        let post = ThreadPost { note: *note, author: sender.clone(), parent };
        let (review, critic) = (review.id, review.critic);
        Ok(PreparedActivity::Reply(Box::new(InboundReply { post, is_update, review, critic, ancestors })))
    }

    pub(super) async fn apply_reply(&self, tx: &mut Tx, reply: &InboundReply) -> Result<Effect> {
        for ancestor in &reply.ancestors {
            self.insert_ancestor(tx, reply, ancestor).await?;
        }
        let ThreadPost { note, author: sender, .. } = &reply.post;
        let before = comments::find_in_tx(tx, &note.id).await?;
        if before.as_ref().is_some_and(|before| before.actor != sender.as_str()) {
            return Ok(Effect::Ignored("the comment belongs to another actor"));
        }
        if let Some(before) = before.as_ref().filter(|_| reply.is_update) {
            return self.edit_comment(tx, note, before).await;
        }
        if !note.is_public {
            self.reserve(tx, reply, &reply.post, self.signed_at).await?;
            return Ok(Effect::Ignored("not public"));
        }
        if note.is_poll_vote(&html::sanitize_comment(&note.content, &self.app.origin)) {
            return Ok(Effect::Ignored("a poll vote"));
        }
        let provenance = Provenance { signed_at: self.signed_at, is_update: reply.is_update };
        match before {
            None => {
                let state = self.insert(tx, reply, &reply.post, provenance).await?;
                if state == CommentState::Deleted {
                    // It arrived after its Delete, which could not erase it.
                    inbox_activities::erase_body(tx, self.job_id).await?;
                }
                if state == CommentState::Shown {
                    self.forward_to_followers(tx, reply.review, &note.id).await?;
                }
                Ok(Effect::Applied(if state == CommentState::Deleted {
                    "already deleted"
                } else {
                    "comment added"
                }))
            }
            Some(before) if before.state == CommentState::Private => {
                Ok(Effect::Ignored("already known as private"))
            }
            Some(before) if before.state == CommentState::Deleted => Ok(Effect::Ignored("already deleted")),
            Some(_) => Ok(Effect::Ignored("duplicate comment")),
        }
    }

    /// Stores a post between the reply and the review as its own server publishes it. It has no signed date, so the date of
    /// its last edit counts instead, and any later activity of its author is newer.
    async fn insert_ancestor(&self, tx: &mut Tx, reply: &InboundReply, post: &ThreadPost) -> Result<()> {
        let now = self.app.clock.now();
        let stated = post.note.updated.or(post.note.published).unwrap_or(now);
        if !post.note.is_public {
            return self.reserve(tx, reply, post, stated.min(now)).await;
        }
        let provenance = Provenance { signed_at: stated.min(self.app.clock.now()), is_update: false };
        self.insert(tx, reply, post, provenance).await?;
        Ok(())
    }

    /// Stores the id of a private post, so that it never becomes public under the same id.
    async fn reserve(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        post: &ThreadPost,
        at: Timestamp,
    ) -> Result<()> {
        let now = self.app.clock.now();
        comments::insert_private(tx, reply.review, &post.note.id, &post.author, at, now).await?;
        inbox_activities::wake_waiting(tx, &post.note.id, now).await?;
        Ok(())
    }

    /// Stores a post and wakes the activities that wait for it; returns the state that it got. Of a post that was
    /// deleted before it arrived only the position in the thread is stored, since other posts may be replies to it.
    async fn insert(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        post: &ThreadPost,
        provenance: Provenance,
    ) -> Result<CommentState> {
        let now = self.app.clock.now();
        let content = self.comment_content(&post.note);
        let mut comment = self.to_new_comment(reply, post, &content, provenance);
        comment.state = initial_comment_state(self.app, tx, reply.review, reply.critic, &post.author).await?;
        let account_deleted_at = tombstones::find(tx, &post.author, &post.author).await?;
        let is_deleted = tombstones::find(tx, &post.note.id, &post.author).await?.is_some();
        if is_deleted || account_deleted_at.is_some_and(|at| at >= provenance.signed_at) {
            comment = NewComment {
                state: CommentState::Deleted,
                content: "",
                warning: None,
                language: None,
                ..comment
            };
            comment.url = &post.note.id;
        }
        comments::insert(tx, &comment, now).await?;
        inbox_activities::wake_waiting(tx, &post.note.id, now).await?;
        Ok(comment.state)
    }

    /// Returns what the page shows of a post, which is never blank.
    pub(super) fn comment_content(&self, note: &RemoteNote) -> String {
        let post = note.url.as_ref().unwrap_or(&note.id);
        html::sanitize_reply(&note.content, &note.attachments, post, &self.app.origin)
    }

    fn to_new_comment<'a>(
        &self,
        reply: &InboundReply,
        post: &'a ThreadPost,
        content: &'a str,
        provenance: Provenance,
    ) -> NewComment<'a> {
        let note = &post.note;
        NewComment {
            review: reply.review,
            uri: &note.id,
            url: note.url.as_ref().unwrap_or(&note.id),
            actor: &post.author,
            parent: &post.parent,
            content,
            warning: note.summary.as_deref(),
            language: note.language.as_deref(),
            published: note.published.unwrap_or(provenance.signed_at).min(self.app.clock.now()),
            edited: if provenance.is_update {
                note.updated.or(Some(provenance.signed_at))
            } else {
                edited_since(note)
            },
            signed_at: provenance.signed_at,
            state: CommentState::Held,
        }
    }
}

/// When a post was edited, if it was: GoToSocial sends `updated` even with a new post.
fn edited_since(note: &RemoteNote) -> Option<Timestamp> {
    note.updated.filter(|updated| note.published.is_some_and(|published| *updated > published))
}
