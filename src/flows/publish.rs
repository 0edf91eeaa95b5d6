//! A review goes out: in one transaction the review, its Create in exact bytes, and one fan-out row.

use anyhow::{Context, bail};

use super::App;
use super::profile::ensure_not_moved;
use super::review_media::{ReviewMedia, strip_remote_images};
use crate::domain::activity::ActivityKind;
use crate::domain::critic::Critic;
use crate::domain::feed::{Feed, IngestDecision};
use crate::domain::feed_entry::content_hash;
use crate::domain::id::{ActivityId, CriticId, FeedId, ReviewId};
use crate::domain::review::{Review, ReviewContent, ReviewState, slug};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{activity, article};
use crate::store::activities::{self, NewActivity};
use crate::store::{Tx, critics, entries, feeds, review_stats, reviews};

/// A new review of a draft, in a state, with a slug that is free.
pub(super) async fn new_review(
    app: &App,
    tx: &mut Tx,
    critic: CriticId,
    draft: ReviewContent,
    source: Option<FeedId>,
    state: ReviewState,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let draft = normalize_content(app, draft);
    let id = ReviewId::new(now);
    let original_date = draft.published.unwrap_or(now);
    tx.lock("slugs").await?;
    let wish = preferred_slug(&draft);
    Ok(Review {
        id,
        critic,
        create_activity: ActivityId::new(now),
        slug: reviews::find_free_slug(tx, &wish, id).await?,
        state,
        content: draft,
        poster: None,
        feed: source,
        original_date,
        released_at: if state == ReviewState::Published { now } else { original_date },
        revised_at: None,
        retracted_at: None,
    })
}

/// What the address of a review would best end in.
pub(super) fn preferred_slug(draft: &ReviewContent) -> String {
    if draft.film.title.is_empty() {
        return slug(&draft.title);
    }
    let year = draft.film.year.map(|year| format!(" {year}")).unwrap_or_default();
    slug(&format!("{}{year}", draft.film.title))
}

/// A draft as it is kept: with no pictures in its body but ours, and in the site's language where it names none.
pub(super) fn normalize_content(app: &App, mut draft: ReviewContent) -> ReviewContent {
    draft.body = strip_remote_images(app, &draft.body);
    draft.language.get_or_insert_with(|| app.site.language.clone());
    draft
}

/// Publishes a draft by hand, now, or at its hour where it is dated ahead.
pub async fn publish(
    app: &App,
    critic: &Critic,
    draft: ReviewContent,
    pictures: ReviewMedia,
) -> anyhow::Result<Review> {
    ensure_not_moved(critic)?;
    let now = app.clock.now();
    let state = match draft.published {
        Some(date) if date > now => ReviewState::Scheduled,
        _ => ReviewState::Published,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let mut review = new_review(app, &mut tx, critic.id, draft, None, state, now).await?;
    // Who was interrupted and asks again does not publish twice.
    let others =
        reviews::list_by_film(&mut tx, critic.id, &review.content.film.title, &review.content.title).await?;
    let wanted = content_hash(&review.content);
    if let Some(twin) = others.iter().find(|other| content_hash(&other.content) == wanted) {
        bail!("this review is here already: {}", app.origin.review_page(twin));
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

/// Writes the Create of a public review, and that it goes to all followers.
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

/// Writes an activity about a review, and that it goes to all followers.
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
    Ok(activities::insert_for_followers(tx, &outgoing, now).await?)
}

/// Publishes reviews that waited for their hour, once it has come; gives how many of them were dealt with.
pub async fn release_due(app: &App) -> anyhow::Result<usize> {
    let due = reviews::list_due(&app.db, app.clock.now(), 20).await?;
    let mut released = 0;
    for review in &due {
        match release_scheduled(app, review.id).await {
            Ok(()) => released += 1,
            // One that cannot go out keeps no other from it.
            Err(error) => {
                tracing::error!(id = %review.id, error = format!("{error:#}"), "review not released");
            }
        }
    }
    Ok(released)
}

/// Publishes a review whose hour has come. One of a feed goes by the feed's measure: no more of them in an
/// interval than in a poll.
async fn release_scheduled(app: &App, id: ReviewId) -> anyhow::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    // As it stands now: another worker may have been quicker.
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
            let reason = format!("its hour came, but {lately} went out lately: waits for its turn");
            return hold_for_turn(tx, review, Some(feed), &reason, now).await;
        }
        feeds::append_log(&mut tx, feed.id, IngestDecision::Published, &title, "its hour came", now).await?;
    }
    review.release(now)?;
    reviews::upsert(&mut tx, &review, now).await?;
    write_create(app, &mut tx, &critic, &review, now).await?;
    tx.commit().await?;
    Ok(())
}

/// A review whose hour came, but that does not go out yet.
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
        entries::hold_until_next_poll(&mut tx, review.id).await?;
        feeds::append_log(&mut tx, feed.id, IngestDecision::Held, &review.content.title, reason, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The critic who wrote a review.
pub async fn critic_for_review(app: &App, review: &Review) -> anyhow::Result<Critic> {
    critics::find(&app.db, review.critic).await?.context("the review's critic is gone")
}

/// How often a review was answered, liked and boosted.
pub async fn interaction_counts(
    app: &App,
    review: ReviewId,
) -> crate::store::Result<article::InteractionCounts> {
    let tally = review_stats::for_review(&app.db, review).await?;
    Ok(article::InteractionCounts { replies: tally.comments, likes: tally.likes, shares: tally.boosts })
}

/// Publishes a review that is held for the critic's decision.
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
        feeds::append_log(&mut tx, feed, IngestDecision::Published, title, "released by hand", now).await?;
    }
    tx.commit().await?;
    app.wake.notify();
    Ok(review)
}
