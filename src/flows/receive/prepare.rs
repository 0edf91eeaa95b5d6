//! Prepares received activities: everything that an activity needs is fetched before a transaction is opened to apply it.

use super::inbound_activity::InboundActivity;
use super::prepared::PreparedActivity;
use crate::domain::access_level::AccessLevel;
use crate::federation::vocab::remote_activity::{CreateObject, InboundActivityKind, UpdateObject};
use crate::store::access_levels;

impl InboundActivity<'_> {
    /// Fetches what the activity needs, before any transaction is opened.
    pub(super) async fn prepare(&self) -> anyhow::Result<PreparedActivity> {
        if self.is_plain() {
            return Ok(PreparedActivity::Plain);
        }
        let sender = &self.activity.actor;
        // The actor may have been blocked since it was accepted: nothing is fetched then.
        if access_levels::for_actor(&self.app.db, sender, &self.app.policy).await? == AccessLevel::Blocked {
            return Ok(PreparedActivity::Ignored("blocked"));
        }
        match &self.activity.kind {
            InboundActivityKind::Follow { object } => self.prepare_follow(object).await,
            InboundActivityKind::Create(CreateObject::Note(note)) => {
                self.prepare_reply(note.clone(), false).await
            }
            InboundActivityKind::Update(UpdateObject::Note(note)) => self.prepare_edit(note.clone()).await,
            InboundActivityKind::Create(CreateObject::Reference(id)) => self.prepare_reference(id).await,
            InboundActivityKind::Update(UpdateObject::Reference(id)) => {
                self.prepare_edit_by_reference(id).await
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
