//! Publishes reviews: one transaction stores the review, the exact bytes of its Create, and one fan-out row.

use std::time::Duration;

use anyhow::{Context, bail};

use super::error::FlowError;
use super::move_account::ensure_not_moved;
use super::review_media::{ReviewMedia, strip_remote_images};
use super::{App, fan_out};
use crate::domain::activity::ActivityKind;
use crate::domain::content_hash::content_hash;
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, CriticId, FeedId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState};
use crate::domain::slug::ascii_slug;
use crate::domain::time::Timestamp;
use crate::federation::vocab::{article, review_activity};
use crate::store::activities::NewActivity;
use crate::store::{Tx, critics, review_stats, reviews};

/// Makes a new review in the given state, with a free slug.
pub(super) async fn new_review(
    app: &App,
    tx: &mut Tx,
    critic: CriticId,
    content: ReviewContent,
    source: Option<FeedId>,
    state: ReviewState,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let content = normalize_content(app, content);
    let id = ReviewId::new(now);
    let original_date = content.published.unwrap_or(now);
    tx.lock("slugs").await?;
    let preferred = preferred_slug(&content);
    Ok(Review {
        id,
        critic,
        create_activity: ActivityId::new(now),
        slug: reviews::find_free_slug(tx, &preferred, id).await?,
        state,
        content,
        poster: None,
        feed: source,
        corrected: Vec::new(),
        original_date,
        released_at: if state == ReviewState::Published { now } else { original_date },
        revised_at: None,
        retracted_at: None,
    })
}

/// The slug that a review gets if it is free; empty if it gets its id.
pub(super) fn preferred_slug(content: &ReviewContent) -> String {
    let language = content.language.as_deref();
    if content.film.title.is_empty() {
        return ascii_slug(&content.title, language);
    }
    let film = ascii_slug(&content.film.title, language);
    match content.film.year {
        Some(year) if !film.is_empty() => ascii_slug(&format!("{film} {year}"), language),
        _ => film,
    }
}

/// Brings content into the form in which it is stored: without images of other sites, and with the site's language if
/// it names none.
pub(super) fn normalize_content(app: &App, mut content: ReviewContent) -> ReviewContent {
    content.body = strip_remote_images(app, &content.body);
    content.language.get_or_insert_with(|| app.site.language.clone());
    content
}

/// A review that is published by hand with a date of more than this time ago is archived.
pub(super) const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// Publishes a review by hand: now, or at its date if that is in the future. An old review is archived, unless the critic
/// announces it.
pub async fn publish(
    app: &App,
    critic: &Critic,
    content: ReviewContent,
    media: ReviewMedia,
    announce: bool,
) -> anyhow::Result<Review> {
    ensure_not_moved(critic)?;
    let now = app.clock.now();
    let state = match content.published {
        Some(date) if date > now => ReviewState::Scheduled,
        Some(date) if date < now - MAX_AGE && !announce => ReviewState::Archive,
        _ => ReviewState::Published,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let mut review = new_review(app, &mut tx, critic.id, content, None, state, now).await?;
    // A command that was interrupted and is run again does not publish twice.
    let others =
        reviews::list_by_film(&mut tx, critic.id, &review.content.film.title, &review.content.title).await?;
    let hash = content_hash(&review.content);
    if let Some(mut duplicate) = others.into_iter().find(|other| content_hash(&other.content) == hash) {
        if announce && duplicate.state == ReviewState::Archive {
            duplicate.announce(now)?;
            reviews::upsert(&mut tx, &duplicate, now).await?;
            write_create(app, &mut tx, critic, &duplicate, now).await?;
            tx.commit().await?;
            app.wake.notify();
            return Ok(duplicate);
        }
        bail!("this review has already been published: {}", app.origin.review_page(&duplicate));
    }
    review.poster = media.save(&mut tx, now).await?;
    reviews::upsert(&mut tx, &review, now).await?;
    if state == ReviewState::Published {
        write_create(app, &mut tx, critic, &review, now).await?;
    }
    fail_point!("publish-before-commit");
    tx.commit().await?;
    fail_point!("publish-after-commit");
    app.wake.notify();
    Ok(review)
}

/// Stores the Create of a public review and its fan-out to the followers.
pub(super) async fn write_create(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    review: &Review,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = article::article(&app.origin, critic, review, article::InteractionCounts::default());
    let create = review_activity::create(&app.origin, review.create_activity, review, &object);
    write_activity(app, tx, review, review.create_activity, ActivityKind::Create, &create, now).await
}

/// Stores an activity about a review and its fan-out to the followers.
pub(super) async fn write_activity(
    app: &App,
    tx: &mut Tx,
    review: &Review,
    id: ActivityId,
    kind: ActivityKind,
    body: &serde_json::Value,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = app.origin.article(review.id);
    let outgoing = NewActivity { id, critic: review.critic, kind, object: &object, body: &body.to_string() };
    Ok(fan_out::enqueue_for_followers(tx, &outgoing, now).await?)
}

/// Returns the critic who wrote a review.
pub async fn critic_for_review(app: &App, review: &Review) -> Result<Critic, FlowError> {
    Ok(critics::find(&app.db, review.critic).await?.context("the review has no critic")?)
}

/// The numbers of replies, likes and boosts of a review.
pub async fn interaction_counts(
    app: &App,
    review: ReviewId,
) -> crate::store::Result<article::InteractionCounts> {
    let stats = review_stats::for_review(&app.db, review).await?;
    Ok(article::InteractionCounts { replies: stats.comments, likes: stats.likes, shares: stats.boosts })
}
