//! The outbox: stores an activity of a critic and its fan-out to the followers.

use crate::domain::time::Timestamp;
use crate::store::activities::{self, NewActivity};
use crate::store::{Result, Tx};

/// Stores an activity and its fan-out in the caller's transaction. Older activities about the same object that still wait
/// are superseded.
pub(super) async fn enqueue_for_followers(
    tx: &mut Tx,
    activity: &NewActivity<'_>,
    now: Timestamp,
) -> Result<()> {
    activities::insert_for_followers(tx, activity, now).await?;
    let kind = activity.kind.as_str();
    tracing::info!(activity = %activity.id, kind, object = %activity.object, "activity enqueued for the followers");
    Ok(())
}
