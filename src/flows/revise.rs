//! Revises reviews: the Update carries the full object and a newer `updated`.

use anyhow::{Context, ensure};

use super::App;
use super::publish::{
    critic_for_review, interaction_counts, normalize_content, preferred_slug, write_activity,
};
use super::review_media::ReviewMedia;
use crate::domain::activity::ActivityKind;
use crate::domain::content_fields::{copy_fields, differing_fields};
use crate::domain::content_hash::content_hash;
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, ReviewId};
use crate::domain::review::{ContentField, Poster, Review, ReviewContent, ReviewState, TransitionError};
use crate::domain::time::Timestamp;
use crate::federation::vocab::{article, review_activity};
use crate::sources::review_markdown::is_same_body;
use crate::store::{Tx, pending_images, reviews};

/// Replaces the content of a review. Returns `None` if nothing changed.
///
/// Content that was written by hand may leave out what identifies the review: the URL where it was published first, the
/// page of the film and the date. They stay then.
pub async fn revise(
    app: &App,
    id: ReviewId,
    content: ReviewContent,
    media: ReviewMedia,
) -> anyhow::Result<Option<Review>> {
    let now = app.clock.now();
    let review = reviews::find(&app.db, id).await?.context("no such review")?;
    ensure!(review.state != ReviewState::Retracted, TransitionError::Retracted);
    let content = keep_identity(&review, content);
    let same = content_hash(&normalize_content(app, content.clone())) == content_hash(&review.content);
    let same_poster = match (&content.poster, media.poster()) {
        (Some(_), None) => true,
        (_, poster) => poster == review.poster.as_ref().map(|poster| poster.name.as_str()),
    };
    let seconds = |date: Option<Timestamp>| date.map(|date| date.to_string());
    let same_date = review.state == ReviewState::Published
        || content.published.is_none()
        || seconds(content.published) == seconds(review.content.published);
    if same && same_poster && same_date {
        return Ok(None);
    }
    let critic = critic_for_review(app, &review).await?;
    let counts = interaction_counts(app, id).await?;
    let mut tx = app.db.begin().await?;
    let revision = Revision { content, media, author: RevisionAuthor::Critic };
    let revised = apply_revision(app, &mut tx, &critic, id, revision, counts, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(Some(revised))
}

/// Fills in what identifies a review and is missing in its new content. A body that readers see as the same stays.
fn keep_identity(review: &Review, mut new: ReviewContent) -> ReviewContent {
    let old = &review.content;
    if new.poster.is_none() && !is_poster_shown(review) {
        new.poster.clone_from(&old.poster);
    }
    new.canonical_url = new.canonical_url.or_else(|| old.canonical_url.clone());
    if old.film.title == new.film.title {
        new.film.identity = new.film.identity.or_else(|| old.film.identity.clone());
    }
    new.recording = new.recording.or_else(|| old.recording.clone());
    new.updated = new.updated.or(old.updated);
    if is_same_body(&new.body, &old.body) {
        new.body.clone_from(&old.body);
        if new.has_spoilers == old.has_spoilers {
            new.teaser.clone_from(&old.teaser);
        }
    }
    new
}

/// Whether the poster of a review can be shown: one in a file next to a feed cannot before it is copied.
pub fn is_poster_shown(review: &Review) -> bool {
    let declared = review.content.poster.as_ref();
    declared.is_none_or(|poster| poster.url.scheme() != "file" || review.poster.is_some())
}

/// Returns the poster of a review if its new content refers to the same image, by its URL or by that of our copy. A file
/// next to the text may have changed, so it does not count.
pub fn kept_poster(app: &App, review: &Review, new: &ReviewContent) -> Option<Poster> {
    let (old, new) = (review.content.poster.as_ref()?, new.poster.as_ref()?);
    let copy = review.poster.as_ref().map(|media| app.origin.media_url(media));
    let is_kept = new.url.scheme() != "file" && (new.url == old.url || Some(&new.url) == copy.as_ref());
    is_kept.then(|| Poster { url: old.url.clone(), alt: new.alt.clone() })
}

/// The new content of a review.
pub(super) struct Revision {
    pub(super) content: ReviewContent,
    pub(super) media: ReviewMedia,
    pub(super) author: RevisionAuthor,
}

/// Who revises a review.
#[derive(Clone, Copy)]
pub(super) enum RevisionAuthor {
    /// The critic: the feed of the review does not replace what the critic corrects.
    Critic,
    /// The feed.
    Feed,
    /// The feed, since the critic accepts all that it says.
    AcceptedFeed,
}

/// Replaces the content of a review inside a transaction. A change of an archived review is not delivered.
pub(super) async fn apply_revision(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    id: ReviewId,
    revision: Revision,
    counts: article::InteractionCounts,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let Revision { content, media, author } = revision;
    let mut review = reviews::find_for_update(tx, id).await?.context("no such review")?;
    let mut content = complete(app, &review, content);
    let before = Replaced::new(&review, &content);
    match author {
        RevisionAuthor::Critic if review.feed.is_some() => {
            let mut corrected = differing_fields(&review.content, &content);
            if review.content.body != content.body {
                // Only the markup, a link or an image is another.
                corrected.push(ContentField::Body);
            }
            for field in corrected {
                if !review.corrected.contains(&field) {
                    review.corrected.push(field);
                }
            }
        }
        RevisionAuthor::Critic => {}
        RevisionAuthor::Feed => copy_fields(&review.corrected, &review.content, &mut content),
        RevisionAuthor::AcceptedFeed => review.corrected.clear(),
    }
    let preferred = preferred_slug(&content);
    if preferred != preferred_slug(&review.content) {
        tx.lock("slugs").await?;
        review.slug = reviews::find_free_slug(tx, &preferred, id).await?;
    }
    review.revise(content, now)?;
    save(tx, &mut review, &before, media, now).await?;
    if review.state == ReviewState::Published {
        write_update(app, tx, critic, &review, counts, now).await?;
    }
    Ok(review)
}

/// Shows images that were fetched after their review was stored. A published review is updated.
pub(super) async fn illustrate(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    mut review: Review,
    images: Illustration,
    counts: article::InteractionCounts,
    now: Timestamp,
) -> anyhow::Result<Review> {
    let Illustration { body, media } = images;
    let content = ReviewContent { body, ..review.content.clone() };
    let is_published = review.state == ReviewState::Published;
    if is_published {
        review.revise(content, now)?;
    } else {
        review.content = content;
    }
    let poster = media.save(tx, now).await?;
    review.poster = poster.or(review.poster);
    reviews::upsert(tx, &review, now).await?;
    if is_published {
        write_update(app, tx, critic, &review, counts, now).await?;
    }
    Ok(review)
}

/// The images that a review was stored without.
pub(super) struct Illustration {
    /// The body with its images.
    pub(super) body: String,
    pub(super) media: ReviewMedia,
}

async fn write_update(
    app: &App,
    tx: &mut Tx,
    critic: &Critic,
    review: &Review,
    counts: article::InteractionCounts,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = article::article(&app.origin, critic, review, counts);
    let update_id = ActivityId::new(now);
    let update = review_activity::update(&app.origin, update_id, review, &object);
    write_activity(app, tx, review, update_id, ActivityKind::Update, &update, now).await
}

/// Replaces the content of a review that is read differently now, though its source has not changed: nothing is sent to
/// followers, and the address of the page stays. Fields that the critic corrected stay, too.
pub(super) async fn mend(
    app: &App,
    tx: &mut Tx,
    mut review: Review,
    content: ReviewContent,
    media: ReviewMedia,
    now: Timestamp,
) -> anyhow::Result<()> {
    let mut content = complete(app, &review, content);
    let before = Replaced::new(&review, &content);
    copy_fields(&review.corrected, &review.content, &mut content);
    review.content = content;
    save(tx, &mut review, &before, media, now).await
}

/// Whether readers see that a feed changed a review. They do not if the critic corrected all that it changed.
pub(super) fn is_visible(app: &App, review: &Review, new: &ReviewContent, media: &ReviewMedia) -> bool {
    let mut new = complete(app, review, new.clone());
    copy_fields(&review.corrected, &review.content, &mut new);
    let has_other_poster = !review.corrected.contains(&ContentField::Poster)
        && media.poster().is_some_and(|name| review.poster.as_ref().is_none_or(|poster| poster.name != name));
    has_other_poster || media.pending_body().is_some() || content_hash(&new) != content_hash(&review.content)
}

/// The new content of a review in the form in which it is stored. It keeps its date if the new content has none.
fn complete(app: &App, review: &Review, content: ReviewContent) -> ReviewContent {
    let mut content = normalize_content(app, content);
    if content.published.is_none() {
        content.published = review.content.published;
    }
    content
}

/// What a review had and was given, before the critic's corrections are put back.
struct Replaced {
    old_body: String,
    given_body: String,
    given_poster: Option<Poster>,
}

impl Replaced {
    fn new(review: &Review, given: &ReviewContent) -> Self {
        Self {
            old_body: review.content.body.clone(),
            given_body: given.body.clone(),
            given_poster: given.poster.clone(),
        }
    }
}

/// Stores a review whose content was replaced.
async fn save(
    tx: &mut Tx,
    review: &mut Review,
    replaced: &Replaced,
    media: ReviewMedia,
    now: Timestamp,
) -> anyhow::Result<()> {
    let body = &review.content.body;
    match media.pending_body() {
        Some(pending) if *body == replaced.given_body => {
            pending_images::upsert(tx, review.id, pending, now).await?;
        }
        Some(_) => pending_images::upsert(tx, review.id, body, now).await?,
        None if *body != replaced.old_body => pending_images::delete(tx, review.id).await?,
        None => {}
    }
    let poster = media.save(tx, now).await?;
    let is_given = review.content.poster == replaced.given_poster;
    // If a new poster cannot be fetched, the old one stays, and so does one that the critic chose.
    if review.content.poster.is_none() || is_given && poster.is_some() {
        review.poster = poster.filter(|_| is_given);
    }
    if matches!(review.state, ReviewState::Held | ReviewState::Scheduled | ReviewState::Archive)
        && let Some(date) = review.content.published
    {
        review.original_date = date;
        review.released_at = date;
    }
    Ok(reviews::upsert(tx, review, now).await?)
}
