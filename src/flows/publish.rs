//! Publishes reviews: one transaction stores the review, the exact bytes of its Create, and one fan-out row.

use anyhow::{Context, bail};

use super::error::FlowError;
use super::profile::ensure_not_moved;
use super::review_media::{ReviewMedia, strip_remote_images};
use super::{App, fan_out};
use crate::domain::activity::ActivityKind;
use crate::domain::content_hash::content_hash;
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::id::{ActivityId, CriticId, FeedId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState, slug};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{activity, article};
use crate::store::activities::NewActivity;
use crate::store::{Tx, critics, feed_entries, feed_log, feeds, review_stats, reviews};

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
        original_date,
        released_at: if state == ReviewState::Published { now } else { original_date },
        revised_at: None,
        retracted_at: None,
    })
}

/// The slug that a review gets if it is free.
pub(super) fn preferred_slug(content: &ReviewContent) -> String {
    if content.film.title.is_empty() {
        return slug(&content.title);
    }
    let year = content.film.year.map(|year| format!(" {year}")).unwrap_or_default();
    slug(&format!("{}{year}", content.film.title))
}

/// Brings content into the form in which it is stored: without images of other sites, and with the site's language if
/// it names none.
pub(super) fn normalize_content(app: &App, mut content: ReviewContent) -> ReviewContent {
    content.body = strip_remote_images(app, &content.body);
    content.language.get_or_insert_with(|| app.site.language.clone());
    content
}

/// Publishes a review by hand: now, or at its date if that is in the future.
pub async fn publish(
    app: &App,
    critic: &Critic,
    content: ReviewContent,
    pictures: ReviewMedia,
) -> anyhow::Result<Review> {
    ensure_not_moved(critic)?;
    let now = app.clock.now();
    let state = match content.published {
        Some(date) if date > now => ReviewState::Scheduled,
        _ => ReviewState::Published,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let mut review = new_review(app, &mut tx, critic.id, content, None, state, now).await?;
    // A command that was interrupted and is run again does not publish twice.
    let others =
        reviews::list_by_film(&mut tx, critic.id, &review.content.film.title, &review.content.title).await?;
    let hash = content_hash(&review.content);
    if let Some(duplicate) = others.iter().find(|other| content_hash(&other.content) == hash) {
        bail!("this review has already been published: {}", app.origin.review_page(duplicate));
    }
    review.poster = pictures.save(&mut tx, now).await?;
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
    let create = activity::create(&app.origin, review.create_activity, review, &object);
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

/// Publishes scheduled reviews whose time has come; returns how many were handled.
pub async fn release_due(app: &App) -> anyhow::Result<usize> {
    let due = reviews::list_due(&app.db, app.clock.now(), 20).await?;
    let mut released = 0;
    for review in &due {
        match release_scheduled(app, review.id).await {
            Ok(()) => released += 1,
            // A review that cannot be published does not stop the others.
            Err(error) => {
                tracing::error!(id = %review.id, error = format!("{error:#}"), "could not publish scheduled review");
            }
        }
    }
    Ok(released)
}

/// Publishes a scheduled review whose time has come. For a review of a feed the feed's limit applies: no more in an
/// interval than in one poll.
async fn release_scheduled(app: &App, id: ReviewId) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // Read again inside the transaction: another worker may have been faster.
    let Some(mut review) = reviews::find_for_update(&mut tx, id).await? else { return Ok(()) };
    if review.state != ReviewState::Scheduled || review.released_at > now {
        return Ok(());
    }
    let feed = match review.feed {
        Some(feed) => feeds::find(&mut tx, feed).await?,
        None => None,
    };
    let critic = critic_for_review(app, &review).await?;
    if let Err(moved) = ensure_not_moved(&critic) {
        return hold_for_turn(tx, review, feed.as_ref(), &moved.to_string(), now).await;
    }
    if let Some(feed) = &feed {
        let lately = reviews::count_released_since(&mut tx, feed.id, now - feed.interval).await?;
        let title = review.content.title.clone();
        if lately >= u64::from(feed.max_publish_per_poll) {
            let reason = format!(
                "scheduled time reached, but {lately} reviews were published recently; a later poll will publish it"
            );
            return hold_for_turn(tx, review, Some(feed), &reason, now).await;
        }
        feed_log::append(&mut tx, feed.id, IngestDecision::Published, &title, "scheduled time reached", now)
            .await?;
    }
    review.release(now)?;
    reviews::upsert(&mut tx, &review, now).await?;
    write_create(app, &mut tx, &critic, &review, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Holds a review whose time came but that cannot be published yet.
async fn hold_for_turn(
    mut tx: Tx,
    mut review: Review,
    feed: Option<&Feed>,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    review.state = ReviewState::Held;
    reviews::upsert(&mut tx, &review, now).await?;
    if let Some(feed) = feed {
        feed_entries::hold_until_next_poll(&mut tx, review.id).await?;
        feed_log::append(&mut tx, feed.id, IngestDecision::Held, &review.content.title, reason, now).await?;
    }
    tx.commit().await?;
    Ok(())
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
    let tally = review_stats::for_review(&app.db, review).await?;
    Ok(article::InteractionCounts { replies: tally.comments, likes: tally.likes, shares: tally.boosts })
}

/// Publishes a review that was held for the critic's decision.
pub async fn release_held(app: &App, id: ReviewId) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::find_for_update(&mut tx, id).await?.context("no such review")?;
    let critic = critic_for_review(app, &review).await?;
    ensure_not_moved(&critic)?;
    review.release(now)?;
    reviews::upsert(&mut tx, &review, now).await?;
    write_create(app, &mut tx, &critic, &review, now).await?;
    if let Some(feed) = review.feed {
        let title = &review.content.title;
        feed_log::append(&mut tx, feed, IngestDecision::Published, title, "released manually", now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}
