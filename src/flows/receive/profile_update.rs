//! Incoming Update activities about an actor: its profile is fetched again.

use super::inbound_activity::InboundActivity;
use super::prepared::PreparedActivity;
use crate::flows::resolve;
use crate::store::actors;

impl InboundActivity<'_> {
    /// Fetches the actor's profile from its own server. The copy in the activity is not used.
    pub(super) async fn prepare_profile_update(&self) -> anyhow::Result<PreparedActivity> {
        let sender = &self.activity.actor;
        // Only a stored actor is worth a request.
        if actors::find_by_uri(&self.app.db, sender).await?.is_some() {
            resolve::refresh_actor(self.app, sender).await?;
        }
        Ok(PreparedActivity::Plain)
    }
}
