//! Finds the thread that a reply belongs to: from its parent upwards, to a review of this site or a stored comment.

use std::collections::HashSet;
use std::time::Duration;

use url::Url;

use super::prepared::ThreadPost;
use crate::domain::review::Review;
use crate::domain::untrusted::Untrusted;
use crate::flows::{App, resolve};
use crate::store::{actors, comments, reviews};

/// Requests for one reply, however deep it is: first posts, then their authors.
const MAX_FETCHES: usize = 20;

/// Requests for an author: one for the actor and one for its handle.
const FETCHES_PER_AUTHOR: usize = 2;

/// All of these requests together.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(40);

/// Where a thread leads.
pub(super) enum ThreadRoot {
    /// To a review of this site. With the posts between it and the reply that are not stored, oldest first.
    Found(Box<Review>, Vec<ThreadPost>),
    /// To a post that cannot be fetched now.
    Missing(Url),
    /// Not to a review of this site, for this reason.
    NotOurs(&'static str),
}

/// What is known about a post without fetching it.
enum KnownPost {
    Yes(Box<Review>),
    /// It is a post of this site that is not public.
    Closed,
    No,
}

/// Looks only at the parent itself and fetches nothing.
pub(super) async fn resolve_parent(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    Ok(match find_known_post(app, parent).await? {
        KnownPost::Yes(review) => ThreadRoot::Found(review, Vec::new()),
        KnownPost::Closed => ThreadRoot::NotOurs("the parent post is not public"),
        KnownPost::No => ThreadRoot::Missing(parent.clone()),
    })
}

/// Follows a thread upwards from a reply's parent and fetches the posts that are not stored.
pub(super) async fn resolve_thread(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    let resolving = Box::pin(resolve_upwards(app, parent));
    match tokio::time::timeout(RESOLVE_TIMEOUT, resolving).await {
        Ok(root) => root,
        Err(_) => Ok(ThreadRoot::Missing(parent.clone())),
    }
}

async fn resolve_upwards(app: &App, parent: &Url) -> anyhow::Result<ThreadRoot> {
    let mut posts: Vec<ThreadPost> = Vec::new();
    let mut seen = HashSet::new();
    let mut id = parent.clone();
    loop {
        match find_known_post(app, &id).await? {
            KnownPost::Yes(review) => {
                let spent = posts.len();
                fetch_authors(app, &posts, MAX_FETCHES - spent).await?;
                posts.reverse();
                return Ok(ThreadRoot::Found(review, posts));
            }
            KnownPost::Closed => return Ok(ThreadRoot::NotOurs("the parent post is not public")),
            KnownPost::No if posts.len() == MAX_FETCHES => {
                return Ok(ThreadRoot::NotOurs("the thread is too deep"));
            }
            KnownPost::No => {}
        }
        if !seen.insert(id.clone()) {
            return Ok(ThreadRoot::NotOurs("the thread is circular"));
        }
        let note = match resolve::fetch_post(app, &id).await {
            Ok(Ok(note)) => note,
            Ok(Err(error)) => {
                tracing::info!(post = %Untrusted::new(&id), error = ?Untrusted::chain(&error), "could not resolve thread");
                return Ok(ThreadRoot::NotOurs("an ancestor is not a usable post"));
            }
            Err(error) => {
                tracing::info!(post = %Untrusted::new(&id), error = ?Untrusted::chain(&error), "could not resolve thread; will retry");
                return Ok(ThreadRoot::Missing(id));
            }
        };
        let (Some(parent), Some(author)) = (note.in_reply_to.clone(), note.attributed_to.clone()) else {
            return Ok(ThreadRoot::NotOurs("the thread does not start with a review"));
        };
        id = parent.clone();
        posts.push(ThreadPost { note, author, parent });
    }
}

async fn find_known_post(app: &App, post: &Url) -> anyhow::Result<KnownPost> {
    let review = match app.origin.parse_article_id(post) {
        Some(review) => Some(review),
        None => comments::find_by_uri(&app.db, post).await?.map(|comment| comment.review_id),
    };
    let review = match review {
        Some(review) => reviews::find(&app.db, review).await?,
        None if app.origin.owns(post) => None,
        None => return Ok(KnownPost::No),
    };
    Ok(match review.filter(|review| review.state.is_public()) {
        Some(review) => KnownPost::Yes(Box::new(review)),
        None => KnownPost::Closed,
    })
}

/// Fetches the authors of the posts, the nearest first, as far as the budget of requests allows. An author that cannot
/// be fetched stays without a name for now.
async fn fetch_authors(app: &App, posts: &[ThreadPost], budget: usize) -> anyhow::Result<()> {
    let mut budget = budget;
    for post in posts {
        if actors::find_by_uri(&app.db, &post.author).await?.is_some() {
            continue;
        }
        if budget < FETCHES_PER_AUTHOR {
            return Ok(());
        }
        budget -= FETCHES_PER_AUTHOR;
        if let Err(error) = resolve::resolve_actor(app, &post.author).await {
            tracing::info!(actor = %Untrusted::new(&post.author), error = ?Untrusted::chain(&error), "could not resolve author");
        }
    }
    Ok(())
}
