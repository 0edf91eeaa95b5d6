//! The critic's own replies in the thread of a review: one transaction stores the comment, the exact bytes of its
//! activity, the fan-out to the followers, and a delivery to the inbox of each participant of the thread.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};
use url::Url;

use super::erasure::erase_from_files;
use super::error::FlowError;
use super::move_account::ensure_not_moved;
use super::stored_url::parse_stored_url;
use super::{App, fan_out};
use crate::domain::access_level::AccessLevel;
use crate::domain::activity::ActivityKind;
use crate::domain::comment::{self, CommentState, CriticReply, Mention};
use crate::domain::critic::Critic;
use crate::domain::id::{ActivityId, CommentId, ReviewId};
use crate::domain::review::Review;
use crate::domain::time::Timestamp;
use crate::federation::vocab::critic_reply as vocab;
use crate::sources::reply_markdown::{self as text, MentionTarget};
use crate::store::activities::NewActivity;
use crate::store::critic_replies::{self, StoredCriticReply};
use crate::store::{
    Tx, access_levels, activities, actors, comment_moderation, comments, critics, deliveries, reviews,
};

/// Participants of a thread that receive a reply, the most recent ones.
const MAX_PARTICIPANTS: u32 = 200;

/// Mentions in a reply.
const MAX_MENTIONS: usize = 20;

/// Inboxes that received a reply and receive its Delete.
const MAX_PREVIOUS_INBOXES: u32 = 100_000;

/// What the critic replies to.
#[derive(Debug, Clone, Copy)]
pub enum ReplyTarget {
    /// The review itself.
    Review(ReviewId),
    /// A comment on it.
    Comment(CommentId),
}

/// The position of a reply in a thread.
struct Position {
    review: Review,
    parent: Url,
    /// The author of the parent, if it is an actor of another server.
    author: Option<Url>,
}

/// A reply that is ready to be sent.
struct ComposedReply {
    content: String,
    mentions: Vec<Mention>,
    inboxes: BTreeSet<Url>,
}

/// Replies to a review or to a comment on it.
///
/// # Errors
/// If the target is not public, or the same reply exists.
pub async fn create(
    app: &App,
    critic: &Critic,
    target: ReplyTarget,
    source: &str,
) -> anyhow::Result<CriticReply> {
    ensure_not_moved(critic)?;
    let source = source.trim();
    let position = find_position(app, target).await?;
    let composed = compose(app, position.review.id, position.author.as_ref(), source).await?;
    let now = app.clock.now();
    let id = CommentId::new(now);
    let reply = CriticReply {
        id,
        critic: critic.id,
        url: reply_url(app, &position.review, id),
        language: position.review.content.language.clone(),
        review: position.review.id,
        in_reply_to: position.parent,
        content: composed.content,
        published: now,
        edited: None,
        mentions: composed.mentions,
    };
    let mut tx = app.db.begin().await?;
    tx.lock(&critic.id.to_string()).await?;
    if let Some(duplicate) =
        critic_replies::find_duplicate(&mut tx, critic.id, &reply.in_reply_to, source).await?
    {
        bail!("this reply has already been posted: {}", reply_url(app, &position.review, duplicate));
    }
    let (note, actor) = (app.origin.note(id), app.origin.actor(critic.id));
    critic_replies::insert(&mut tx, &reply, &note, &actor, source, now).await?;
    store_reply_activity(app, &mut tx, ActivityKind::Create, &reply, &composed.inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(reply)
}

/// Edits a reply.
///
/// # Errors
/// If it is not a critic's reply, was deleted, or has this text already.
pub async fn edit(app: &App, id: CommentId, source: &str) -> anyhow::Result<CriticReply> {
    let source = source.trim();
    let found = load(app, id).await?.context("the comment was not written by a critic of this site")?;
    ensure!(found.stored.state == CommentState::Shown, "the reply was deleted");
    ensure!(found.is_public(), "the review is no longer public");
    let LoadedReply { mut reply, stored, .. } = found;
    ensure!(stored.source.as_deref() != Some(source), "the reply already has this text");
    let composed =
        compose(app, reply.review, author(app, &reply.in_reply_to).await?.as_ref(), source).await?;
    let now = app.clock.now();
    // Dates on the wire have whole seconds: a second edit within one must still be newer.
    let last = reply.edited.unwrap_or(reply.published).max(reply.published);
    reply.edited = Some(now.max(last + std::time::Duration::from_secs(1)));
    reply.content = composed.content;
    reply.mentions = composed.mentions;
    let mut tx = app.db.begin().await?;
    ensure!(critic_replies::update(&mut tx, &reply, source, now).await?, "the reply was deleted");
    let inboxes = with_previous_inboxes(app, &mut tx, id, composed.inboxes).await?;
    store_reply_activity(app, &mut tx, ActivityKind::Update, &reply, &inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    Ok(reply)
}

/// Deletes a reply: the Delete goes to every inbox that received the reply, and its id returns 410 from then on.
///
/// # Errors
/// If it is not a critic's reply, or was deleted before.
pub async fn delete(app: &App, id: CommentId) -> anyhow::Result<()> {
    let LoadedReply { reply, stored, .. } =
        load(app, id).await?.context("the comment was not written by a critic of this site")?;
    ensure!(stored.state != CommentState::Deleted, "the reply has already been deleted");
    let inboxes = audience(app, reply.review, &reply.mentions).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    ensure!(
        comment_moderation::transition(&mut tx, id, CommentState::Shown, CommentState::Deleted).await?,
        "the reply has already been deleted"
    );
    comments::mark_deleted(&mut tx, id, now).await?;
    activities::erase_versions(&mut tx, &app.origin.note(id)).await?;
    let inboxes = with_previous_inboxes(app, &mut tx, id, inboxes).await?;
    let activity = ActivityId::new(now);
    let body = vocab::delete(&app.origin, activity, reply.critic, id, now);
    send(app, &mut tx, activity, ActivityKind::Delete, &reply, &body, &inboxes, now).await?;
    tx.commit().await?;
    app.wake.notify();
    erase_from_files(app).await;
    Ok(())
}

/// A critic's reply, as it is sent and as it is stored.
#[derive(Debug)]
pub struct LoadedReply {
    /// As it is sent.
    pub reply: CriticReply,
    /// As it is stored.
    pub stored: StoredCriticReply,
    /// Whether its review is public.
    pub is_review_public: bool,
}

impl LoadedReply {
    /// Whether everyone may read it: it is not deleted, and its review is public.
    pub fn is_public(&self) -> bool {
        self.is_review_public && self.stored.state == CommentState::Shown
    }
}

/// Loads a reply and its row.
///
/// # Errors
/// If its review does not exist.
pub async fn load(app: &App, id: CommentId) -> Result<Option<LoadedReply>, FlowError> {
    let Some(stored) = critic_replies::find(&app.db, id).await? else { return Ok(None) };
    let review = reviews::find(&app.db, stored.review_id).await?.context("the reply has no review")?;
    let parent = parse_stored_url("comments.parent_uri", &stored.parent_uri)?;
    let reply = CriticReply {
        id,
        critic: stored.critic_id,
        review: stored.review_id,
        url: reply_url(app, &review, id),
        in_reply_to: parent,
        content: stored.content.clone(),
        language: stored.language.clone(),
        published: stored.published_at,
        edited: stored.edited_at,
        mentions: stored.mentions().context("stored mentions cannot be parsed")?,
    };
    Ok(Some(LoadedReply { reply, stored, is_review_public: review.state.is_public() }))
}

fn reply_url(app: &App, review: &Review, id: CommentId) -> Url {
    let mut page = app.origin.review_page(review);
    page.set_fragment(Some(&comment::comment_anchor(id)));
    page
}

async fn find_position(app: &App, target: ReplyTarget) -> anyhow::Result<Position> {
    let (review, parent, author) = match target {
        ReplyTarget::Review(id) => (id, app.origin.article(id), None),
        ReplyTarget::Comment(id) => {
            let case = comment_moderation::find(&app.db, id).await?.context("no such comment")?;
            ensure!(
                case.state == CommentState::Shown,
                "the comment is {}; you can reply only to comments that are shown",
                case.state
            );
            let parent = parse_stored_url("comments.uri", &case.uri)?;
            (case.review_id, parent.clone(), author(app, &parent).await?)
        }
    };
    let review = reviews::find(&app.db, review).await?.context("no such review")?;
    ensure!(review.state.is_public(), "the review is not public");
    Ok(Position { review, parent, author })
}

/// The author of a comment, if it is an actor of another server.
async fn author(app: &App, parent: &Url) -> anyhow::Result<Option<Url>> {
    let Some(comment) = comments::find_by_uri(&app.db, parent).await? else { return Ok(None) };
    let actor = parse_stored_url("comments.actor", &comment.actor)?;
    Ok(Some(actor).filter(|actor| !app.origin.owns(actor)))
}

async fn compose(
    app: &App,
    review: ReviewId,
    author: Option<&Url>,
    source: &str,
) -> anyhow::Result<ComposedReply> {
    ensure!(source.len() <= text::MAX_BYTES, "the reply is longer than {} bytes", text::MAX_BYTES);
    let mentions = mentions(app, author, source).await?;
    let named = mentions.iter().filter_map(|mention| {
        Some(MentionTarget { handle: mention.handle.clone()?, url: mention.url.clone() })
    });
    let content = text::render_html(source, &named.collect::<Vec<_>>(), &app.origin);
    ensure!(!content.is_empty(), "the reply is empty");
    Ok(ComposedReply { content, inboxes: audience(app, review, &mentions).await?, mentions })
}

/// The mentions of a reply: the author of its parent, and the accounts that its text names, if they are stored.
async fn mentions(app: &App, author: Option<&Url>, source: &str) -> anyhow::Result<Vec<Mention>> {
    let mut mentions: Vec<Mention> = Vec::new();
    if let Some(author) = author
        && let Some(known) = actors::find_by_uri(&app.db, author).await?
    {
        mentions.push(Mention { actor: known.uri, url: known.url, handle: known.handle, in_text: false });
    }
    for handle in text::mentioned_handles(source).into_iter().take(MAX_MENTIONS) {
        let Some(uri) = actors::find_uri_by_handle(&app.db, &handle).await? else { continue };
        if let Some(mention) = mentions.iter_mut().find(|mention| mention.actor.as_str() == uri) {
            mention.in_text = true;
            continue;
        }
        if let Some(known) = actors::find_by_uri(&app.db, &parse_stored_url("actors.uri", &uri)?).await? {
            let mention = Mention { actor: known.uri, url: known.url, handle: known.handle, in_text: true };
            mentions.push(mention);
        }
    }
    Ok(mentions)
}

/// The inboxes of a thread's participants and of the mentioned actors. Blocked actors receive nothing.
async fn audience(app: &App, review: ReviewId, mentions: &[Mention]) -> anyhow::Result<BTreeSet<Url>> {
    let mut recipients = critic_replies::list_participants(&app.db, review, MAX_PARTICIPANTS).await?;
    for mention in mentions {
        if let Some(known) = actors::find_by_uri(&app.db, &mention.actor).await? {
            let inbox = known.delivery_inbox().to_string();
            recipients.push(critic_replies::ReplyRecipient { uri: known.uri.into(), inbox });
        }
    }
    let mut inboxes = BTreeSet::new();
    for recipient in recipients {
        let actor = parse_stored_url("actors.uri", &recipient.uri)?;
        if access_levels::for_actor(&app.db, &actor, &app.policy).await? != AccessLevel::Blocked {
            inboxes.insert(parse_stored_url("actors.inbox", &recipient.inbox)?);
        }
    }
    Ok(inboxes)
}

/// Adds the inboxes that received the reply before.
async fn with_previous_inboxes(
    app: &App,
    tx: &mut Tx,
    id: CommentId,
    mut inboxes: BTreeSet<Url>,
) -> anyhow::Result<BTreeSet<Url>> {
    for inbox in critic_replies::list_notified_inboxes(tx, &app.origin.note(id), MAX_PREVIOUS_INBOXES).await?
    {
        inboxes.insert(parse_stored_url("deliveries.inbox", &inbox)?);
    }
    Ok(inboxes)
}

/// Stores the Create or the Update of a reply, its fan-out and its deliveries.
async fn store_reply_activity(
    app: &App,
    tx: &mut Tx,
    kind: ActivityKind,
    reply: &CriticReply,
    inboxes: &BTreeSet<Url>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let id = ActivityId::new(now);
    let note = vocab::note(&app.origin, reply);
    let body = vocab::create_or_update(&app.origin, id, kind, reply, &note);
    send(app, tx, id, kind, reply, &body, inboxes, now).await
}

#[expect(clippy::too_many_arguments, reason = "the members of one activity, and where it goes")]
async fn send(
    app: &App,
    tx: &mut Tx,
    id: ActivityId,
    kind: ActivityKind,
    reply: &CriticReply,
    body: &serde_json::Value,
    inboxes: &BTreeSet<Url>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let object = app.origin.note(reply.id);
    let outgoing = NewActivity { id, critic: reply.critic, kind, object: &object, body: &body.to_string() };
    fan_out::enqueue_for_followers(tx, &outgoing, now).await?;
    for inbox in inboxes {
        deliveries::enqueue(tx, id, inbox, now).await?;
    }
    Ok(())
}

/// Returns the named critic or, if none is named, the author of the review.
pub async fn critic_for_reply(app: &App, review: ReviewId, named: Option<Critic>) -> anyhow::Result<Critic> {
    if let Some(critic) = named {
        return Ok(critic);
    }
    let review = reviews::find(&app.db, review).await?.context("no such review")?;
    critics::find(&app.db, review.critic).await?.context("the review has no critic")
}
