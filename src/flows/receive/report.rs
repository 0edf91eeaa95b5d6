//! Reports: kept for the critics to look at, so many a day of each server.

use std::time::Duration;

use url::Url;

use super::apply::{Effect, InboundActivity};
use crate::store::Tx;
use crate::store::reports::{self, NewReport};

/// A server's further reports of one day are not kept.
const MOST_A_DAY: u64 = 20;

/// While so many wait to be looked at, no further ones are kept.
const MOST_OPEN: u64 = 1_000;

impl InboundActivity<'_> {
    pub(super) async fn apply_report(
        &self,
        tx: &mut Tx,
        objects: &[Url],
        content: &str,
    ) -> anyhow::Result<Effect> {
        let actor = &self.activity.actor;
        if objects.is_empty() {
            return Ok(Effect::Ignored("it does not say what it is about"));
        }
        let reported = NewReport { actor, activity: self.activity.id.as_ref(), objects, content };
        let host = actor.host_str().unwrap_or_default();
        if reports::exists(tx, &reported).await? {
            return Ok(Effect::Ignored("it is here already"));
        }
        let now = self.app.clock.now();
        let day = now - Duration::from_hours(24);
        if reports::count_from_host(tx, host, day).await? >= MOST_A_DAY {
            return Ok(Effect::Ignored("its server reported too much today"));
        }
        if reports::count_open(tx).await? >= MOST_OPEN {
            return Ok(Effect::Ignored("too many reports wait"));
        }
        reports::insert(tx, &reported, now).await?;
        Ok(Effect::Applied("a report"))
    }
}
