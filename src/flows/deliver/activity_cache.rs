//! The cache of the activities that are being delivered: their bytes are read and hashed once for all inboxes.

use std::sync::Arc;

use bytes::Bytes;
use moka::policy::EvictionPolicy;

use crate::domain::id::{ActivityId, CriticId};
use crate::federation::signature::digest::BodyDigest;
use crate::flows::App;
use crate::store::activities;

/// Activities that are kept in memory.
const CACHE_CAPACITY: u64 = 64;

/// An activity that is sent, shared by all its deliveries.
#[derive(Debug)]
pub(super) struct OutboundActivity {
    pub(super) critic: CriticId,
    pub(super) body: Bytes,
    pub(super) digest: BodyDigest,
}

/// The activities that were sent recently.
#[derive(Debug)]
pub struct ActivityCache(moka::sync::Cache<ActivityId, Arc<OutboundActivity>>);

impl Default for ActivityCache {
    fn default() -> Self {
        // The activity of a new fan-out must replace an old one, however often that was used.
        Self(
            moka::sync::Cache::builder()
                .max_capacity(CACHE_CAPACITY)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        )
    }
}

impl ActivityCache {
    pub(super) async fn get(
        &self,
        app: &App,
        id: ActivityId,
    ) -> anyhow::Result<Option<Arc<OutboundActivity>>> {
        if let Some(cached) = self.0.get(&id) {
            return Ok(Some(cached));
        }
        // The text of a deleted object is erased.
        let Some(stored) = activities::find(&app.db, id).await?.filter(|stored| !stored.body.is_empty())
        else {
            return Ok(None);
        };
        let body = Bytes::from(stored.body);
        let activity =
            Arc::new(OutboundActivity { critic: stored.critic_id, digest: BodyDigest::compute(&body), body });
        self.0.insert(id, Arc::clone(&activity));
        Ok(Some(activity))
    }
}
