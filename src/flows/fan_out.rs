//! Fan-out: an activity for all followers is stored with one fan-out row, which is expanded into deliveries later, a part
//! at a time.

use super::App;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;
use crate::store::activities::{self, NewActivity};
use crate::store::fan_outs::{self, FanOut};
use crate::store::{Result, Tx};

/// Stores an activity and its fan-out in the caller's transaction. Older activities about the same object that still wait
/// are superseded.
pub(super) async fn enqueue_for_followers(
    tx: &mut Tx,
    activity: &NewActivity<'_>,
    now: Timestamp,
) -> Result<()> {
    activities::insert_for_followers(tx, activity, now).await
}

/// Writes the next delivery rows of a fan-out; returns `false` if no fan-out waits.
pub async fn expand_next(app: &App) -> anyhow::Result<bool> {
    // The read pool is asked first, so that SQLite's only writer stays free if nothing is due.
    if !fan_outs::has_any(&app.db).await? {
        return Ok(false);
    }
    let mut tx = app.db.begin().await?;
    let Some(fan_out) = fan_outs::claim(&mut tx).await? else {
        return Ok(false);
    };
    fan_outs::expand(&mut tx, &fan_out, app.clock.now()).await?;
    fail_point!("expand-before-commit");
    tx.commit().await?;
    fail_point!("expand-after-commit");
    if fan_out.cursor.is_empty() {
        let FanOut { activity_id, kind, object_uri, .. } = &fan_out;
        tracing::info!(activity = %activity_id, %kind, object = %Untrusted::new(&object_uri), "fan-out started");
    }
    tracing::debug!(activity = %fan_out.activity_id, "fan-out expanded");
    app.wake.notify();
    Ok(true)
}
