//! A critic answers in the thread of a review: in one transaction the comment, its activity in exact bytes, the
//! fan-out to the followers, and a delivery to each inbox of those who take part in the thread.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};
use url::Url;

use super::App;
use super::profile::ensure_not_moved;
use crate::domain::activity::ActivityKind;
use crate::domain::comment::{self, CriticReply, Mention};
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, CommentId, ReviewId};
use crate::domain::moderation::AccessLevel;
use crate::domain::review::Review;
use crate::domain::time::Timestamp;
use crate::federation::vocab::critic_reply as vocab;
use crate::sources::critic_reply::{self as text, MentionTarget};
use crate::store::activities::{self, NewActivity};
use crate::store::critic_replies::{self, StoredCriticReply};
use crate::store::{Tx, actors, blocks, comments, critics, deliveries, moderation, reviews};

/// So many of a thread hear of an answer, those who wrote last.
const MOST_PARTICIPANTS: u32 = 200;

/// So many may be spoken to in one answer.
const MOST_MENTIONS: usize = 20;

/// So many inboxes that heard of an answer are told of its end.
const MOST_TOLD: u32 = 100_000;

/// What an answer stands under.
#[derive(Debug, Clone, Copy)]
pub enum ReplyTarget {
    /// The review itself.
    Review(ReviewId),
    /// A comment on it.
    Comment(CommentId),
}

/// Where an answer goes.
struct Place {
    review: Review,
    parent: Url,
    /// Who is answered, where it is somebody of another server.
    author: Option<Url>,
}

/// A text, made fit to go out.
struct Composed {
    content: String,
    mentions: Vec<Mention>,
    inboxes: BTreeSet<Url>,
}

/// Answers a review or a comment on it.
///
/// # Errors
/// Where there is nothing to answer, or the same answer stands there already.
pub async fn create(
    app: &App,
    critic: &Critic,
    under: ReplyTarget,
    source: &str,
) -> anyhow::Result<CriticReply> {
    ensure_not_moved(critic)?;
    let source = source.trim();
    let place = place(app, under).await?;
    let composed = compose(app, place.review.id, place.author.as_ref(), source).await?;
    let now = app.clock.now();
    let id = CommentId::new(now);
    let answer = CriticReply {
        id,
        critic: critic.id,
        url: page(app, &place.review, id),
        language: place.review.content.language.clone(),
        review: place.review.id,
        in_reply_to: place.parent,
        content: composed.content,
        published: now,
        edited: None,
        mentions: composed.mentions,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    if let Some(twin) =
        critic_replies::find_duplicate(&mut tx, critic.id, &answer.in_reply_to, source).await?
    {
        bail!("this answer is here already: {}", page(app, &place.review, twin));
    }
    let (note, actor) = (app.origin.note(id), app.origin.actor(critic.id));
    critic_replies::insert(&mut tx, &answer, &note, &actor, source, now).await?;
    tell(app, &mut tx, ActivityKind::Create, &answer, &composed.inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(answer)
}

/// Replaces what an answer says.
///
/// # Errors
/// Where it is no answer of a critic's, deleted, or says this already.
pub async fn edit(app: &App, id: CommentId, source: &str) -> anyhow::Result<CriticReply> {
    let source = source.trim();
    let (mut answer, stored) = load(app, id).await?.context("no critic of this site wrote this comment")?;
    ensure!(stored.state != "withdrawn", "its review is not public any more");
    ensure!(stored.state == "shown", "it is deleted");
    ensure!(stored.source.as_deref() != Some(source), "nothing changed");
    let composed =
        compose(app, answer.review, author(app, &answer.in_reply_to).await?.as_ref(), source).await?;
    let now = app.clock.now();
    // The wire has whole seconds: a second edit within one must still be newer.
    let last = answer.edited.unwrap_or(answer.published).max(answer.published);
    answer.edited = Some(now.max(last + std::time::Duration::from_secs(1)));
    answer.content = composed.content;
    answer.mentions = composed.mentions;
    let mut tx = app.db.begin().await?;
    ensure!(critic_replies::update(&mut tx, &answer, source, now).await?, "it is deleted");
    let inboxes = with_told(app, &mut tx, id, composed.inboxes).await?;
    tell(app, &mut tx, ActivityKind::Update, &answer, &inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(answer)
}

/// Deletes an answer: who heard of it hears of its end, and its id answers 410 from then on.
///
/// # Errors
/// Where it is no answer of a critic's, or deleted already.
pub async fn delete(app: &App, id: CommentId) -> anyhow::Result<()> {
    let (answer, stored) = load(app, id).await?.context("no critic of this site wrote this comment")?;
    ensure!(stored.state != "deleted", "it is deleted already");
    let inboxes = audience(app, answer.review, &answer.mentions).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    ensure!(moderation::transition(&mut tx, id, "shown", "deleted").await?, "it is deleted already");
    comments::mark_deleted(&mut tx, id, now).await?;
    let inboxes = with_told(app, &mut tx, id, inboxes).await?;
    let activity = ActivityId::new(now);
    let body = vocab::delete(&app.origin, activity, answer.critic, id, now);
    send(app, &mut tx, activity, ActivityKind::Delete, &answer, &body, &inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(())
}

/// An answer as it stands, and what is kept of it: `withdrawn` where its review is not public any more.
pub async fn load(app: &App, id: CommentId) -> anyhow::Result<Option<(CriticReply, StoredCriticReply)>> {
    let Some(mut stored) = critic_replies::find(&app.db, id).await? else { return Ok(None) };
    let review = reviews::find(&app.db, stored.review_id).await?.context("the answer's review is gone")?;
    if stored.state == "shown" && !review.state.is_public() {
        "withdrawn".clone_into(&mut stored.state);
    }
    let parent = Url::parse(&stored.parent_uri)?;
    let answer = CriticReply {
        id,
        critic: stored.critic_id,
        review: stored.review_id,
        url: page(app, &review, id),
        in_reply_to: parent,
        content: stored.content.clone(),
        language: stored.language.clone(),
        published: stored.published_at,
        edited: stored.edited_at,
        mentions: stored.mentions()?,
    };
    Ok(Some((answer, stored)))
}

fn page(app: &App, review: &Review, id: CommentId) -> Url {
    let mut page = app.origin.review_page(review);
    page.set_fragment(Some(&comment::comment_anchor(id)));
    page
}

async fn place(app: &App, under: ReplyTarget) -> anyhow::Result<Place> {
    let (review, parent, author) = match under {
        ReplyTarget::Review(id) => (id, app.origin.article(id), None),
        ReplyTarget::Comment(id) => {
            let case = moderation::find(&app.db, id).await?.context("no such comment")?;
            ensure!(
                case.state == "shown",
                "the comment is {}: only one that is shown can be answered",
                case.state
            );
            let parent = Url::parse(&case.uri)?;
            (case.review_id, parent.clone(), author(app, &parent).await?)
        }
    };
    let review = reviews::find(&app.db, review).await?.context("no such review")?;
    ensure!(review.state.is_public(), "the review is not public");
    Ok(Place { review, parent, author })
}

/// Who wrote a comment, where it is somebody of another server.
async fn author(app: &App, parent: &Url) -> anyhow::Result<Option<Url>> {
    let Some(comment) = comments::find_by_uri(&app.db, parent).await? else { return Ok(None) };
    let actor = Url::parse(&comment.actor)?;
    Ok(Some(actor).filter(|actor| !app.origin.owns(actor)))
}

async fn compose(
    app: &App,
    review: ReviewId,
    author: Option<&Url>,
    source: &str,
) -> anyhow::Result<Composed> {
    ensure!(source.len() <= text::MAX_BYTES, "the answer is longer than {} bytes", text::MAX_BYTES);
    let mentions = mentions(app, author, source).await?;
    let named = mentions.iter().filter_map(|mention| {
        Some(MentionTarget { handle: mention.handle.clone()?, url: mention.url.clone() })
    });
    let content = text::render_html(source, &named.collect::<Vec<_>>(), &app.origin);
    ensure!(!content.is_empty(), "the answer is empty");
    Ok(Composed { content, inboxes: audience(app, review, &mentions).await?, mentions })
}

/// Whom an answer speaks to: the author whom it answers, and those whom its text names, as far as they are known.
async fn mentions(app: &App, author: Option<&Url>, source: &str) -> anyhow::Result<Vec<Mention>> {
    let mut mentions: Vec<Mention> = Vec::new();
    if let Some(author) = author
        && let Some(known) = actors::find_by_uri(&app.db, author).await?
    {
        mentions.push(Mention { actor: known.uri, url: known.url, handle: known.handle, in_text: false });
    }
    for handle in text::mentioned_handles(source).into_iter().take(MOST_MENTIONS) {
        let Some(uri) = moderation::find_actor_by_handle(&app.db, &handle).await? else { continue };
        if let Some(mention) = mentions.iter_mut().find(|mention| mention.actor.as_str() == uri) {
            mention.in_text = true;
            continue;
        }
        if let Some(known) = actors::find_by_uri(&app.db, &Url::parse(&uri)?).await? {
            let mention = Mention { actor: known.uri, url: known.url, handle: known.handle, in_text: true };
            mentions.push(mention);
        }
    }
    Ok(mentions)
}

/// The inboxes of those who take part in a thread, and of those who are spoken to. Who is blocked hears nothing.
async fn audience(app: &App, review: ReviewId, mentions: &[Mention]) -> anyhow::Result<BTreeSet<Url>> {
    let mut hearers = critic_replies::list_participants(&app.db, review, MOST_PARTICIPANTS).await?;
    for mention in mentions {
        if let Some(known) = actors::find_by_uri(&app.db, &mention.actor).await? {
            let inbox = known.delivery_inbox().to_string();
            hearers.push(critic_replies::ReplyRecipient { uri: known.uri.into(), inbox });
        }
    }
    let mut inboxes = BTreeSet::new();
    for hearer in hearers {
        let actor = Url::parse(&hearer.uri)?;
        if blocks::access_level(&app.db, &actor, &app.policy).await? != AccessLevel::Blocked {
            inboxes.insert(Url::parse(&hearer.inbox)?);
        }
    }
    Ok(inboxes)
}

/// The same, and the inboxes that were told of the answer before.
async fn with_told(
    app: &App,
    tx: &mut Tx,
    id: CommentId,
    mut inboxes: BTreeSet<Url>,
) -> anyhow::Result<BTreeSet<Url>> {
    for inbox in critic_replies::list_notified_inboxes(tx, &app.origin.note(id), MOST_TOLD).await? {
        inboxes.insert(Url::parse(&inbox)?);
    }
    Ok(inboxes)
}

/// Writes the Create or the Update of an answer, and where it goes.
async fn tell(
    app: &App,
    tx: &mut Tx,
    kind: ActivityKind,
    answer: &CriticReply,
    inboxes: &BTreeSet<Url>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let id = ActivityId::new(now);
    let note = vocab::note(&app.origin, answer);
    let body = vocab::create_or_update(&app.origin, id, kind, answer, &note);
    send(app, tx, id, kind, answer, &body, inboxes, now).await
}

#[expect(clippy::too_many_arguments, reason = "the members of one activity, and where it goes")]
async fn send(
    app: &App,
    tx: &mut Tx,
    id: ActivityId,
    kind: ActivityKind,
    answer: &CriticReply,
    body: &serde_json::Value,
    inboxes: &BTreeSet<Url>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = app.origin.note(answer.id);
    let outgoing = NewActivity { id, critic: answer.critic, kind, object: &object, body: &body.to_string() };
    activities::insert_for_followers(tx, &outgoing, now).await?;
    for inbox in inboxes {
        deliveries::enqueue(tx, id, inbox, now).await?;
    }
    Ok(())
}

/// The critic who wrote a review, unless another one is named.
pub async fn author_for_review(app: &App, review: ReviewId, named: Option<Critic>) -> anyhow::Result<Critic> {
    if let Some(critic) = named {
        return Ok(critic);
    }
    let review = reviews::find(&app.db, review).await?.context("no such review")?;
    critics::find(&app.db, review.critic).await?.context("the review's critic is gone")
}
