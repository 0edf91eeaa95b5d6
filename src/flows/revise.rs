//! Revises reviews: the Update carries the full object and a newer `updated`.

use anyhow::{Context, ensure};

use super::App;
use super::publish::{
    critic_for_review, interaction_counts, normalize_content, preferred_slug, write_activity,
};
use super::review_media::ReviewMedia;
use crate::domain::activity::ActivityKind;
use crate::domain::content_hash::content_hash;
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{article, review_activity};
use crate::store::{Tx, reviews};

/// Replaces the content of a review.
pub async fn revise(
    app: &App,
    id: ReviewId,
    content: ReviewContent,
    media: ReviewMedia,
) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let review = reviews::find(&app.db, id).await?.context("no such review")?;
    let same = content_hash(&normalize_content(app, content.clone())) == content_hash(&review.content);
    let same_poster = media.poster() == review.poster.as_ref().map(|poster| poster.name.as_str());
    ensure!(!same || !same_poster, "the review has not changed");
    let critic = critic_for_review(app, &review).await?;
    let counts = interaction_counts(app, id).await?;
    let mut tx = app.db.begin().await?;
    let review = apply_revision(app, &mut tx, &critic, id, content, media, counts, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}

/// Replaces the content of a review inside a transaction. A change of an archived review is not delivered.
#[expect(clippy::too_many_arguments, reason = "everything that one revision needs, each a different thing")]
pub(super) async fn apply_revision(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    id: ReviewId,
    content: ReviewContent,
    media: ReviewMedia,
    counts: article::InteractionCounts,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let mut review = reviews::find_for_update(tx, id).await?.context("no such review")?;
    let mut content = normalize_content(app, content);
    if content.published.is_none() {
        content.published = review.content.published;
    }
    let preferred = preferred_slug(&content);
    if preferred != preferred_slug(&review.content) {
        tx.lock("slugs").await?;
        review.slug = reviews::find_free_slug(tx, &preferred, id).await?;
    }
    // If a new poster cannot be fetched, the old one stays.
    let poster_goes = content.poster.is_none();
    review.revise(content, now)?;
    let poster = media.save(tx, now).await?;
    if poster_goes || poster.is_some() {
        review.poster = poster;
    }
    if matches!(review.state, ReviewState::Held | ReviewState::Scheduled | ReviewState::Archive)
        && let Some(date) = review.content.published
    {
        review.original_date = date;
        review.released_at = date;
    }
    reviews::upsert(tx, &review, now).await?;
    if review.state == ReviewState::Published {
        let object = article::article(&app.origin, critic, &review, counts);
        let update_id = ActivityId::new(now);
        let update = review_activity::update(&app.origin, update_id, &review, &object);
        write_activity(app, tx, &review, update_id, ActivityKind::Update, &update, now).await?;
    }
    Ok(review)
}
