//! The cache of the activities that are being delivered: their bytes are read and hashed once for all inboxes.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::id::{ActivityId, CriticId};
use crate::federation::signature::digest::BodyDigest;
use crate::flows::App;
use crate::store::activities;

/// Activities that are kept in memory.
const CACHE_CAPACITY: usize = 64;

/// An activity that is sent, shared by all its deliveries.
#[derive(Debug)]
pub(super) struct OutboundActivity {
    pub(super) critic: CriticId,
    pub(super) body: Bytes,
    pub(super) digest: BodyDigest,
}

/// The activities that were sent recently. It is a plain map and not a cache of `moka`: one task uses it, activities do not
/// change, and while a fan-out runs nearly all look-ups are for one activity, so emptying it when it is full is enough.
#[derive(Debug, Default)]
pub struct ActivityCache(HashMap<ActivityId, Arc<OutboundActivity>>);

impl ActivityCache {
    pub(super) async fn get(
        &mut self,
        app: &App,
        id: ActivityId,
    ) -> anyhow::Result<Option<Arc<OutboundActivity>>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = activities::find(&app.db, id).await? else { return Ok(None) };
        if self.0.len() >= CACHE_CAPACITY {
            self.0.clear();
        }
        let body = Bytes::from(stored.body);
        let activity =
            Arc::new(OutboundActivity { critic: stored.critic_id, digest: BodyDigest::compute(&body), body });
        self.0.insert(id, Arc::clone(&activity));
        Ok(Some(activity))
    }
}
