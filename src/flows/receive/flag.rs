//! Incoming Flag activities: reports are stored for the critics to review, up to a limit a day and server.

use std::time::Duration;

use url::Url;

use super::inbound_activity::{Effect, InboundActivity};
use crate::store::reports::{self, NewReport};
use crate::store::{Result, Tx};

/// Reports of one server in a day; further ones are ignored.
const MAX_PER_DAY: u64 = 20;

/// Open reports in all; further ones are ignored.
const MAX_OPEN: u64 = 1_000;

impl InboundActivity<'_> {
    pub(super) async fn apply_report(&self, tx: &mut Tx, objects: &[Url], content: &str) -> Result<Effect> {
        let actor = &self.activity.actor;
        if objects.is_empty() {
            return Ok(Effect::Ignored("the report does not name an object"));
        }
        let reported = NewReport { actor, activity: self.activity.id.as_ref(), objects, content };
        let host = actor.host_str().unwrap_or_default();
        if reports::exists(tx, &reported).await? {
            return Ok(Effect::Ignored("duplicate report"));
        }
        let now = self.app.clock.now();
        let day = now - Duration::from_hours(24);
        if reports::count_from_host(tx, host, day).await? >= MAX_PER_DAY {
            return Ok(Effect::Ignored("too many reports from this server today"));
        }
        if reports::count_open(tx).await? >= MAX_OPEN {
            return Ok(Effect::Ignored("too many open reports"));
        }
        reports::insert(tx, &reported, now).await?;
        Ok(Effect::Applied("report recorded"))
    }
}
