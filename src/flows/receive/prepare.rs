//! Prepares received activities: everything that an activity needs is fetched before a transaction is opened to apply it.

use url::Url;

use super::inbound_activity::InboundActivity;
use crate::domain::access_level::AccessLevel;
use crate::domain::id::{CriticId, ReviewId};
use crate::domain::review::Review;
use crate::federation::vocab::remote_activity::{CreateObject, InboundActivityKind, UpdateObject};
use crate::federation::vocab::remote_note::RemoteNote;
use crate::store::access_levels;
use crate::store::actors::StoredActor;

/// What was fetched for an activity.
#[derive(Debug)]
pub(super) enum PreparedActivity {
    /// It has no effect, for this reason.
    Ignored(&'static str),
    /// It needs nothing that had to be fetched.
    Plain,
    /// A Follow of this critic by this actor.
    Follow(CriticId, Box<StoredActor>),
    /// A reply in the thread of a review.
    Reply(Box<InboundReply>),
    /// A reply to the post of this id, which is not stored yet.
    WaitsFor(Url),
    /// A Move to this account.
    Move(Box<StoredActor>),
    /// A request to quote this review by this actor.
    Quote(Box<Review>, Box<StoredActor>),
}

/// A post of another server in the thread of a review.
#[derive(Debug)]
pub(super) struct ThreadPost {
    pub(super) note: RemoteNote,
    pub(super) author: Url,
    pub(super) parent: Url,
}

/// A reply and the posts above it that are not stored yet.
#[derive(Debug)]
pub(super) struct InboundReply {
    pub(super) post: ThreadPost,
    pub(super) is_update: bool,
    pub(super) review: ReviewId,
    pub(super) critic: CriticId,
    /// The oldest first.
    pub(super) ancestors: Vec<ThreadPost>,
}

impl InboundActivity<'_> {
    /// Fetches what the activity needs, before any transaction is opened.
    pub(super) async fn prepare(&self) -> anyhow::Result<PreparedActivity> {
        if self.is_plain() {
            return Ok(PreparedActivity::Plain);
        }
        let me = &self.activity.actor;
        // The actor may have been blocked since it was accepted: nothing is fetched then.
        if access_levels::for_actor(&self.app.db, me, &self.app.policy).await? == AccessLevel::Blocked {
            return Ok(PreparedActivity::Ignored("blocked"));
        }
        match &self.activity.kind {
            InboundActivityKind::Follow { object } => self.prepare_follow(object).await,
            InboundActivityKind::Create(CreateObject::Note(note)) => {
                self.prepare_reply(note.clone(), false).await
            }
            InboundActivityKind::Update(UpdateObject::Note(note)) => {
                self.prepare_reply(note.clone(), true).await
            }
            InboundActivityKind::Create(CreateObject::Reference(id)) => {
                self.prepare_reference(id, false).await
            }
            InboundActivityKind::Update(UpdateObject::Reference(id)) => {
                self.prepare_reference(id, true).await
            }
            InboundActivityKind::Update(UpdateObject::Actor(_)) => self.prepare_profile_update().await,
            InboundActivityKind::Move { object, target } => self.prepare_move(object, target).await,
            InboundActivityKind::QuoteRequest { object, instrument, is_attributed } => {
                self.prepare_quote_request(object, instrument, *is_attributed).await
            }
            _ => Ok(PreparedActivity::Plain),
        }
    }

    /// Whether it needs nothing that would have to be fetched.
    const fn is_plain(&self) -> bool {
        matches!(
            &self.activity.kind,
            InboundActivityKind::Undo(_)
                | InboundActivityKind::Delete { .. }
                | InboundActivityKind::Like { .. }
                | InboundActivityKind::Announce { .. }
                | InboundActivityKind::Block { .. }
                | InboundActivityKind::Flag { .. }
                | InboundActivityKind::Other
        )
    }
}
