//! Reports: kept for the critics to look at, so many a day of each server.

use std::time::Duration;

use url::Url;

use super::letter::{Effect, Letter};
use crate::store::Tx;
use crate::store::reports::{self, Reported};

/// A server's further reports of one day are not kept.
const MOST_A_DAY: u64 = 20;

/// While so many wait to be looked at, no further ones are kept.
const MOST_OPEN: u64 = 1_000;

impl Letter<'_> {
    pub(super) async fn report(&self, tx: &mut Tx, objects: &[Url], content: &str) -> anyhow::Result<Effect> {
        let actor = &self.activity.actor;
        if objects.is_empty() {
            return Ok(Effect::None("it does not say what it is about"));
        }
        let reported = Reported { actor, activity: self.activity.id.as_ref(), objects, content };
        let host = actor.host_str().unwrap_or_default();
        if reports::is_known(tx, &reported).await? {
            return Ok(Effect::None("it is here already"));
        }
        let now = self.app.clock.now();
        let day = now - Duration::from_hours(24);
        if reports::from_host_since(tx, host, day).await? >= MOST_A_DAY {
            return Ok(Effect::None("its server reported too much today"));
        }
        if reports::total_open(tx).await? >= MOST_OPEN {
            return Ok(Effect::None("too many reports wait"));
        }
        reports::insert(tx, &reported, now).await?;
        Ok(Effect::Done("a report"))
    }
}
