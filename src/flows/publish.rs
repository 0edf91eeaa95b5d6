//! A review goes out: in one transaction the review, its Create in exact bytes, and one fan-out row.

use anyhow::{Context, bail};

use super::App;
use super::illustrate::{Pictures, only_ours};
use super::profile::ensure_here;
use crate::domain::activity::Kind;
use crate::domain::critic::Critic;
use crate::domain::entry::content_hash;
use crate::domain::feed::{Decision, Feed};
use crate::domain::id::{ActivityId, CriticId, FeedId, ReviewId};
use crate::domain::review::{Draft, Review, State, slug};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{activity, article};
use crate::store::activities::{self, Outgoing};
use crate::store::{Tx, critics, entries, feeds, reviews, tallies};

/// A new review of a draft, in a state, with a slug that is free.
pub(super) async fn compose(
    app: &App,
    tx: &mut Tx,
    critic: CriticId,
    draft: Draft,
    source: Option<FeedId>,
    state: State,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let draft = as_kept(app, draft);
    let id = ReviewId::new(now);
    let original_date = draft.published.unwrap_or(now);
    tx.lock("slugs").await?;
    let wish = wished_slug(&draft);
    Ok(Review {
        id,
        critic,
        create: ActivityId::new(now),
        slug: reviews::free_slug(tx, &wish, id).await?,
        state,
        draft,
        poster: None,
        source,
        original_date,
        released_at: if state == State::Published { now } else { original_date },
        revised_at: None,
        retracted_at: None,
    })
}

/// What the address of a review would best end in.
pub(super) fn wished_slug(draft: &Draft) -> String {
    if draft.film.title.is_empty() {
        return slug(&draft.title);
    }
    let year = draft.film.year.map(|year| format!(" {year}")).unwrap_or_default();
    slug(&format!("{}{year}", draft.film.title))
}

/// A draft as it is kept: with no pictures in its body but ours, and in the site's language where it names none.
pub(super) fn as_kept(app: &App, mut draft: Draft) -> Draft {
    draft.body = only_ours(app, &draft.body);
    draft.language.get_or_insert_with(|| app.site.language.clone());
    draft
}

/// Publishes a draft by hand, now, or at its hour where it is dated ahead.
pub async fn publish(app: &App, critic: &Critic, draft: Draft, pictures: Pictures) -> anyhow::Result<Review> {
    ensure_here(critic)?;
    let now = app.clock.now();
    let state = match draft.published {
        Some(date) if date > now => State::Scheduled,
        _ => State::Published,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    let mut review = compose(app, &mut tx, critic.id, draft, None, state, now).await?;
    // Who was interrupted and asks again does not publish twice.
    let others = reviews::of_film(&mut tx, critic.id, &review.draft.film.title, &review.draft.title).await?;
    let wanted = content_hash(&review.draft);
    if let Some(twin) = others.iter().find(|other| content_hash(&other.draft) == wanted) {
        bail!("this review is here already: {}", app.origin.review_page(twin));
    }
    review.poster = pictures.save(&mut tx, now).await?;
    reviews::save(&mut tx, &review, now).await?;
    if state == State::Published {
        announce(app, &mut tx, critic, &review, now).await?;
    }
    fail_point!("publish-before-commit");
    tx.commit().await?;
    fail_point!("publish-after-commit");
    app.wake.up();
    Ok(review)
}

/// Writes the Create of a public review, and that it goes to all followers.
pub(super) async fn announce(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    review: &Review,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = article::article(&app.origin, critic, review, article::Counts::default());
    let create = activity::create(&app.origin, review.create, review, &object);
    send(app, tx, review, review.create, Kind::Create, &create, now).await
}

/// Writes an activity about a review, and that it goes to all followers.
pub(super) async fn send(
    app: &App,
    tx: &mut Tx,
    review: &Review,
    id: ActivityId,
    kind: Kind,
    body: &serde_json::Value,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = app.origin.article(review.id);
    let outgoing = Outgoing { id, critic: review.critic, kind, object: &object, body: &body.to_string() };
    Ok(activities::to_followers(tx, &outgoing, now).await?)
}

/// Publishes reviews that waited for their hour, once it has come; gives how many of them were dealt with.
pub async fn release_due(app: &App) -> anyhow::Result<usize> {
    let due = reviews::due(&app.db, app.clock.now(), 20).await?;
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
    let Some(mut review) = reviews::in_tx(&mut tx, id).await? else { return Ok(()) };
    if review.state != State::Scheduled || review.released_at > now {
        return Ok(());
    }
    let feed = match review.source {
        Some(feed) => feeds::by_id(&mut tx, feed).await?,
        None => None,
    };
    let critic = critic_of(app, &review).await?;
    if let Err(moved) = ensure_here(&critic) {
        return hold_for_turn(tx, review, feed.as_ref(), &moved.to_string(), now).await;
    }
    if let Some(feed) = &feed {
        let lately = reviews::released_since(&mut tx, feed.id, now - feed.interval).await?;
        let title = review.draft.title.clone();
        if lately >= u64::from(feed.max_publish_per_poll) {
            let reason = format!("its hour came, but {lately} went out lately: waits for its turn");
            return hold_for_turn(tx, review, Some(feed), &reason, now).await;
        }
        feeds::log(&mut tx, feed.id, Decision::Published, &title, "its hour came", now).await?;
    }
    review.release(now)?;
    reviews::save(&mut tx, &review, now).await?;
    announce(app, &mut tx, &critic, &review, now).await?;
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
    review.state = State::Held;
    reviews::save(&mut tx, &review, now).await?;
    if let Some(feed) = feed {
        entries::hold_for_turn(&mut tx, review.id).await?;
        feeds::log(&mut tx, feed.id, Decision::Held, &review.draft.title, reason, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The critic who wrote a review.
pub async fn critic_of(app: &App, review: &Review) -> anyhow::Result<Critic> {
    critics::by_id(&app.db, review.critic).await?.context("the review's critic is gone")
}

/// How often a review was answered, liked and boosted.
pub async fn counts(app: &App, review: ReviewId) -> crate::store::Result<article::Counts> {
    let tally = tallies::of_review(&app.db, review).await?;
    Ok(article::Counts { replies: tally.comments, likes: tally.likes, shares: tally.boosts })
}

/// Publishes a review that is held for the critic's decision.
pub async fn release(app: &App, id: ReviewId) -> anyhow::Result<Review> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let mut review = reviews::in_tx(&mut tx, id).await?.context("no such review")?;
    let critic = critic_of(app, &review).await?;
    ensure_here(&critic)?;
    review.release(now)?;
    reviews::save(&mut tx, &review, now).await?;
    announce(app, &mut tx, &critic, &review, now).await?;
    if let Some(feed) = review.source {
        let title = &review.draft.title;
        feeds::log(&mut tx, feed, Decision::Published, title, "released by hand", now).await?;
    }
    tx.commit().await?;
    app.wake.up();
    Ok(review)
}
