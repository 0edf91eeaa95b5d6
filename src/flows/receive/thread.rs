//! Where in a thread a reply belongs: up from what it answers, to a review of ours or a comment that is here.

use std::collections::HashSet;
use std::time::Duration;

use url::Url;

use super::reply::ThreadPost;
use crate::domain::moderation::{AccessLevel, FirstCommentPolicy};
use crate::domain::review::Review;
use crate::flows::{App, resolve};
use crate::store::{Tx, actors, blocks, comments, reviews};

/// So many requests are made for one reply, whatever it hangs under: posts first, then their authors.
const MOST_FETCHES: usize = 20;

/// An author costs a request for the actor and one for its handle.
const FETCHES_AN_AUTHOR: usize = 2;

/// And they take no longer than this.
const LONGEST_CLIMB: Duration = Duration::from_secs(40);

/// Where the way up ended.
pub(super) enum ThreadRoot {
    /// In the thread of a review of ours. What was met on the way, the oldest first.
    Found(Box<Review>, Vec<ThreadPost>),
    /// At a post that cannot be had now.
    Missing(Url),
    /// At nothing of ours, for this reason.
    NotOurs(&'static str),
}

/// In whose thread a post stands that we know.
enum Known {
    Yes(Box<Review>),
    /// It is ours, and not there for everyone.
    Closed,
    No,
}

/// Climbs no further than to the parent itself.
pub(super) async fn resolve_parent(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    Ok(match known(app, parent).await? {
        Known::Yes(review) => ThreadRoot::Found(review, Vec::new()),
        Known::Closed => ThreadRoot::NotOurs("what it answers is not here"),
        Known::No => ThreadRoot::Missing(parent.clone()),
    })
}

/// Climbs up from a reply's parent, and fetches on the way what is not here.
pub(super) async fn resolve_thread(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    let climbing = Box::pin(climb_on(app, parent));
    match tokio::time::timeout(LONGEST_CLIMB, climbing).await {
        Ok(climbed) => climbed,
        Err(_) => Ok(ThreadRoot::Missing(parent.clone())),
    }
}

async fn climb_on(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    let mut way: Vec<ThreadPost> = Vec::new();
    let mut seen = HashSet::new();
    let mut at = parent.clone();
    loop {
        match known(app, &at).await? {
            Known::Yes(review) => {
                let spent = way.len();
                introduce(app, &way, MOST_FETCHES - spent).await?;
                way.reverse();
                return Ok(ThreadRoot::Found(review, way));
            }
            Known::Closed => return Ok(ThreadRoot::NotOurs("what it answers is not here")),
            Known::No if way.len() == MOST_FETCHES => {
                return Ok(ThreadRoot::NotOurs("the thread is too deep"));
            }
            Known::No => {}
        }
        if !seen.insert(at.clone()) {
            return Ok(ThreadRoot::NotOurs("the thread goes in a circle"));
        }
        let note = match resolve::fetch_post(app, &at).await {
            Ok(Ok(note)) => note,
            Ok(Err(unfit)) => {
                tracing::info!(post = %at, %unfit, "a thread is not followed");
                return Ok(ThreadRoot::NotOurs("what it answers is nothing that counts"));
            }
            Err(error) => {
                tracing::info!(post = %at, error = format!("{error:#}"), "a thread is not followed for now");
                return Ok(ThreadRoot::Missing(at));
            }
        };
        let (Some(parent), Some(author)) = (note.in_reply_to.clone(), note.attributed_to.clone()) else {
            return Ok(ThreadRoot::NotOurs("its thread is none of ours"));
        };
        at = parent.clone();
        way.push(ThreadPost { note, author, parent });
    }
}

async fn known(app: &App, post: &Url) -> anyhow::Result<Known> {
    let review = match app.origin.parse_article_id(post) {
        Some(review) => Some(review),
        None => comments::find_by_uri(&app.db, post).await?.map(|comment| comment.review_id),
    };
    let review = match review {
        Some(review) => reviews::find(&app.db, review).await?,
        None if app.origin.owns(post) => None,
        None => return Ok(Known::No),
    };
    Ok(match review.filter(|review| review.state.is_public()) {
        Some(review) => Known::Yes(Box::new(review)),
        None => Known::Closed,
    })
}

/// Looks at those who wrote, the nearest first, as far as the budget reaches. Who cannot be had has no name yet.
async fn introduce(app: &App, way: &[ThreadPost], budget: usize) -> anyhow::Result<()> {
    let mut budget = budget;
    for post in way {
        if actors::find_by_uri(&app.db, &post.author).await?.is_some() {
            continue;
        }
        if budget < FETCHES_AN_AUTHOR {
            return Ok(());
        }
        budget -= FETCHES_AN_AUTHOR;
        if let Err(error) = resolve::resolve_actor(app, &post.author).await {
            tracing::info!(actor = %post.author, error = format!("{error:#}"), "an author is not known");
        }
    }
    Ok(())
}

/// In which state what an actor writes enters, as the critics want it by now. Whom they let through is heard,
/// wherever they live.
pub(super) async fn initial_comment_state(
    app: &App,
    tx: &mut Tx,
    actor: &Url,
) -> anyhow::Result<&'static str> {
    let standing = blocks::access_level_in_tx(tx, actor, &app.policy).await?;
    if standing == AccessLevel::Blocked {
        return Ok("hidden");
    }
    if actors::is_trusted(tx, actor).await? {
        return Ok("shown");
    }
    let waits = standing != AccessLevel::Open || app.policy.first_comments == FirstCommentPolicy::Held;
    Ok(if waits { "held" } else { "shown" })
}
