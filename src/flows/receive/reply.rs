//! Replies: new ones, edited ones, and those that are met on the way to where a reply belongs.

use url::Url;

use super::apply::{Effect, InboundActivity, PreparedActivity};
use super::thread::{self, ThreadRoot};
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::time::Timestamp;
use crate::federation::vocab::remote_note::RemoteNote;
use crate::flows::resolve;
use crate::sources::html;
use crate::store::comments::{self, NewComment, StoredComment};
use crate::store::{Tx, blockers, inbox_activities, reactions};

/// A post of somebody else in a thread of ours.
pub(super) struct ThreadPost {
    pub(super) note: RemoteNote,
    pub(super) author: Url,
    pub(super) parent: Url,
}

/// A reply, and what it hangs under that is not here yet.
pub(super) struct InboundReply {
    post: ThreadPost,
    is_update: bool,
    review: ReviewId,
    critic: CriticId,
    /// The oldest first.
    pub(super) ancestors: Vec<ThreadPost>,
}

/// What brings a post: its signed date, and whether it is an edit.
#[derive(Clone, Copy)]
struct Brought {
    signed_at: Timestamp,
    is_update: bool,
}

impl InboundActivity<'_> {
    pub(super) async fn prepare_reference(
        &self,
        id: &Url,
        is_update: bool,
    ) -> anyhow::Result<PreparedActivity> {
        if id.origin() != self.activity.actor.origin() {
            return Ok(PreparedActivity::Ignored("what it carries is on another server"));
        }
        let Ok(note) = resolve::fetch_post(self.app, id).await? else {
            return Ok(PreparedActivity::Ignored("what it carries is nothing that counts"));
        };
        if note.attributed_to.as_ref() != Some(&self.activity.actor) {
            return Ok(PreparedActivity::Ignored("what it carries is another actor's"));
        }
        self.prepare_reply(Box::new(note), is_update).await
    }

    pub(super) async fn prepare_reply(
        &self,
        note: Box<RemoteNote>,
        is_update: bool,
    ) -> anyhow::Result<PreparedActivity> {
        let me = &self.activity.actor;
        let Some(parent) = note.in_reply_to.clone() else {
            return Ok(PreparedActivity::Ignored("it answers nothing"));
        };
        // For what nobody gets to see, nothing is fetched.
        let climbed = if note.is_public {
            thread::resolve_thread(self.app, &parent).await?
        } else {
            thread::resolve_parent(self.app, &parent).await?
        };
        let (review, ancestors) = match climbed {
            ThreadRoot::Found(review, ancestors) => (review, ancestors),
            // What it answers is sent by its author, or is none of ours.
            ThreadRoot::Missing(_) if !note.is_public && self.was_deferred => {
                return Ok(PreparedActivity::Ignored("it is not public, and answers nothing that is here"));
            }
            ThreadRoot::Missing(post) => return Ok(PreparedActivity::WaitsFor(post)),
            ThreadRoot::NotOurs(reason) => return Ok(PreparedActivity::Ignored(reason)),
        };
        // Who is gone has no name any more that could be asked for.
        if note.is_public && !reactions::is_actor_deleted(&self.app.db, me).await? {
            resolve::resolve_actor(self.app, me).await?;
        }
        let post = ThreadPost { note: *note, author: me.clone(), parent };
        let (review, critic) = (review.id, review.critic);
        Ok(PreparedActivity::Reply(Box::new(InboundReply { post, is_update, review, critic, ancestors })))
    }

    pub(super) async fn apply_reply(&self, tx: &mut Tx, reply: &InboundReply) -> anyhow::Result<Effect> {
        for ancestor in &reply.ancestors {
            self.take_ancestor(tx, reply, ancestor).await?;
        }
        let ThreadPost { note, author: me, .. } = &reply.post;
        let before = comments::find_in_tx(tx, &note.id).await?;
        if before.as_ref().is_some_and(|before| before.actor != me.as_str()) {
            return Ok(Effect::Ignored("the comment is another actor's"));
        }
        if !note.is_public {
            return self.reply_in_private(tx, reply, before).await;
        }
        if html::sanitize_comment(&note.content, &self.app.origin).is_empty() && note.name.is_some() {
            return Ok(Effect::Ignored("a vote is no comment"));
        }
        let brought = Brought { signed_at: self.signed_at, is_update: reply.is_update };
        match before {
            None => {
                let state = self.insert(tx, reply, &reply.post, brought).await?;
                if state == "shown" {
                    self.forward_to_followers(tx, reply.review, &note.id).await?;
                }
                Ok(Effect::Applied(if state == "deleted" { "it was deleted" } else { "a comment" }))
            }
            Some(before) if before.state == "private" => Ok(Effect::Ignored("it was not public")),
            Some(before) if before.state == "deleted" => Ok(Effect::Ignored("it was deleted")),
            Some(_) if !reply.is_update => Ok(Effect::Ignored("it is here already")),
            Some(before) => self.edit(tx, reply, before, brought).await,
        }
    }

    async fn edit(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        before: StoredComment,
        brought: Brought,
    ) -> anyhow::Result<Effect> {
        let content = html::sanitize_comment(&reply.post.note.content, &self.app.origin);
        let written = self.written(reply, &reply.post, &content, brought);
        if before.signed_at > self.signed_at || before.edited_at > written.edited {
            return Ok(Effect::Ignored("a newer edit is here"));
        }
        comments::update_content(tx, before.id, &written).await?;
        if before.state == "shown" {
            self.forward_to_followers(tx, reply.review, &reply.post.note.id).await?;
        }
        Ok(Effect::Applied("the comment is edited"))
    }

    async fn reply_in_private(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        before: Option<StoredComment>,
    ) -> anyhow::Result<Effect> {
        let is_taken_back = |before: &StoredComment| {
            reply.is_update && !matches!(before.state.as_str(), "private" | "deleted")
        };
        // A reply that is not for everyone any more is taken off the page.
        if let Some(before) = before.filter(is_taken_back) {
            self.delete_forwards(tx, Some(&reply.post.note.id)).await?;
            comments::mark_deleted(tx, before.id, self.signed_at).await?;
            return Ok(Effect::Applied("no longer public"));
        }
        self.reserve(tx, reply, &reply.post, self.signed_at).await?;
        Ok(Effect::Ignored("it is not public"))
    }

    /// What is met on the way up is taken in as its own server shows it. Nobody signed it with a date, so it
    /// counts as changed when its author says that it was: any later word of theirs is newer.
    async fn take_ancestor(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        post: &ThreadPost,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        let said = post.note.updated.or(post.note.published).unwrap_or(now);
        if !post.note.is_public {
            return self.reserve(tx, reply, post, said.min(now)).await;
        }
        let brought = Brought { signed_at: said.min(now), is_update: false };
        self.insert(tx, reply, post, brought).await?;
        Ok(())
    }

    /// What was once said in private does not become public under the same id.
    async fn reserve(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        post: &ThreadPost,
        at: Timestamp,
    ) -> anyhow::Result<()> {
        let now = self.app.clock.now();
        comments::insert_private(tx, reply.review, &post.note.id, &post.author, at, now).await?;
        inbox_activities::wake_waiting(tx, &post.note.id, now).await?;
        Ok(())
    }

    /// Writes a post down, and wakes what waits for it; gives the state in which it entered. Of one that was
    /// deleted before it came only the place is kept, since others may hang under it.
    async fn insert(
        &self,
        tx: &mut Tx,
        reply: &InboundReply,
        post: &ThreadPost,
        brought: Brought,
    ) -> anyhow::Result<&'static str> {
        let now = self.app.clock.now();
        let content = html::sanitize_comment(&post.note.content, &self.app.origin);
        let mut written = self.written(reply, post, &content, brought);
        written.state = thread::initial_comment_state(self.app, tx, &post.author).await?;
        if written.state == "shown" && blockers::is_blocking(tx, reply.critic, &post.author).await? {
            written.state = "withheld";
        }
        let left = reactions::find_tombstone(tx, &post.author, &post.author).await?;
        let is_deleted = reactions::find_tombstone(tx, &post.note.id, &post.author).await?.is_some();
        if is_deleted || left.is_some_and(|at| at >= brought.signed_at) {
            written = NewComment { state: "deleted", content: "", warning: None, language: None, ..written };
            written.url = &post.note.id;
        }
        comments::insert(tx, &written, now).await?;
        inbox_activities::wake_waiting(tx, &post.note.id, now).await?;
        Ok(written.state)
    }

    fn written<'a>(
        &self,
        reply: &InboundReply,
        post: &'a ThreadPost,
        content: &'a str,
        brought: Brought,
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
            published: note.published.unwrap_or(brought.signed_at).min(self.app.clock.now()),
            edited: if brought.is_update {
                note.updated.or(Some(brought.signed_at))
            } else {
                edited_since(note)
            },
            signed_at: brought.signed_at,
            state: "held",
        }
    }
}

/// When a post was changed, if it was: some say `updated` from the start (GoToSocial).
fn edited_since(note: &RemoteNote) -> Option<Timestamp> {
    note.updated.filter(|updated| note.published.is_some_and(|published| *updated > published))
}
