//! A review changes: its Update has the full object and a newer `updated`.

use anyhow::{Context, ensure};

use super::App;
use super::illustrate::Pictures;
use super::publish::{as_kept, counts, critic_of, send, wished_slug};
use crate::domain::activity::Kind;
use crate::domain::critic::Critic;
use crate::domain::entry::content_hash;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Draft, Review, State};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{activity, article};
use crate::store::{Tx, reviews};

/// Replaces what a review says.
pub async fn revise(app: &App, id: ReviewId, draft: Draft, pictures: Pictures) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let review = reviews::by_id(&app.db, id).await?.context("no such review")?;
    let same = content_hash(&as_kept(app, draft.clone())) == content_hash(&review.draft);
    let same_poster = pictures.poster() == review.poster.as_ref().map(|poster| poster.name.as_str());
    ensure!(!same || !same_poster, "nothing changed");
    let critic = critic_of(app, &review).await?;
    let counts = counts(app, id).await?;
    let mut tx = app.db.begin().await?;
    let review = apply(app, &mut tx, &critic, id, draft, pictures, counts, now).await?;
    tx.commit().await?;
    app.wake.up();
    Ok(review)
}

/// The same inside a transaction. An archive review changes without a word to anyone.
#[expect(clippy::too_many_arguments, reason = "everything that one revision needs, each a different thing")]
pub(super) async fn apply(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    id: ReviewId,
    draft: Draft,
    pictures: Pictures,
    counts: article::Counts,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let mut review = reviews::in_tx(tx, id).await?.context("no such review")?;
    let mut draft = as_kept(app, draft);
    if draft.published.is_none() {
        draft.published = review.draft.published;
    }
    let wish = wished_slug(&draft);
    if wish != wished_slug(&review.draft) {
        tx.lock("slugs").await?;
        review.slug = reviews::free_slug(tx, &wish, id).await?;
    }
    // A new poster that cannot be had now leaves the old one in its place.
    let poster_goes = draft.poster.is_none();
    review.revise(draft, now)?;
    let poster = pictures.save(tx, now).await?;
    if poster_goes || poster.is_some() {
        review.poster = poster;
    }
    if matches!(review.state, State::Held | State::Scheduled | State::Archive)
        && let Some(date) = review.draft.published
    {
        review.original_date = date;
        review.released_at = date;
    }
    reviews::save(tx, &review, now).await?;
    if review.state == State::Published {
        let object = article::article(&app.origin, critic, &review, counts);
        let update_id = ActivityId::new(now);
        let update = activity::update(&app.origin, update_id, &review, &object);
        send(app, tx, &review, update_id, Kind::Update, &update, now).await?;
    }
    Ok(review)
}
