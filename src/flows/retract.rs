//! Retracts reviews: the Delete is sent, and the id of the review returns 410 from then on.

use anyhow::Context;

use super::App;
use super::publish::write_activity;
use crate::domain::activity::ActivityKind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Review, ReviewState};
use crate::federation::vocab::review_activity;
use crate::store::reviews;

/// Retracts a review. A review that was never public is retracted without a Delete.
pub async fn retract(app: &App, id: ReviewId) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::find_for_update(&mut tx, id).await?.context("no such review")?;
    let was = review.state;
    review.retract(now)?;
    reviews::upsert(&mut tx, &review, now).await?;
    // Any server may have fetched an archived review, so its Delete is sent, too.
    if matches!(was, ReviewState::Published | ReviewState::Archive) {
        let delete_id = ActivityId::new(now);
        let delete = review_activity::delete(&app.origin, delete_id, &review);
        write_activity(app, &mut tx, &review, delete_id, ActivityKind::Delete, &delete, now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}
