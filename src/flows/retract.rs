//! A review is taken back: its Delete goes out, and its id answers 410 from then on.

use anyhow::Context;

use super::App;
use super::publish::send;
use crate::domain::activity::Kind;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Review, State};
use crate::federation::vocab::activity;
use crate::store::reviews;

/// Takes a review back. Who never heard of it hears nothing.
pub async fn retract(app: &App, id: ReviewId) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::in_tx(&mut tx, id).await?.context("no such review")?;
    let was = review.state;
    review.retract(now)?;
    reviews::save(&mut tx, &review, now).await?;
    // An archive review may have been fetched by anyone, so its Delete goes out, too.
    if matches!(was, State::Published | State::Archive) {
        let delete_id = ActivityId::new(now);
        let delete = activity::delete(&app.origin, delete_id, &review);
        send(app, &mut tx, &review, delete_id, Kind::Delete, &delete, now).await?;
    }
    tx.commit().await?;
    app.wake.up();
    Ok(review)
}
