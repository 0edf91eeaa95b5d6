//! The comments under a review. A thread may be thousands of replies deep: it is flattened without
//! recursion, and drawn no deeper than a phone is wide.

use minijinja::Value;
use serde::Serialize;

use super::view::{Moment, Outside, path, safe_html};
use super::{Site, plain};
use crate::domain::comment::{self, Author, Branch, Comment, Presence};
use crate::domain::face::Face;

/// Replies to replies move to the right so many times and no further.
const DEEPEST: usize = 6;

/// How many colours the discs beside the names have.
const HUES: u32 = 8;

/// A comment at its place in the conversation.
#[derive(Debug, Serialize)]
pub(super) struct Remark {
    anchor: String,
    depth: usize,
    author: AuthorView,
    answers: Option<Answered>,
    at_home: Option<Outside>,
    content: Value,
    warning: Option<String>,
    language: Option<String>,
    published: Moment,
    edited: Option<Moment>,
    /// What stands in its place where it is not shown.
    gone: Option<String>,
}

/// The comment that another answers.
#[derive(Debug, Clone, Serialize)]
struct Answered {
    anchor: String,
    /// None where the comment is not shown: its author is not named any more.
    name: Option<String>,
    /// What it is called then.
    instead: String,
}

/// Who wrote a comment.
#[derive(Debug, Serialize)]
struct AuthorView {
    name: String,
    /// `@user@host` where it is confirmed, else the bare host that vouches for the name.
    from: String,
    page: Option<Outside>,
    /// The path of the picture, once it is here.
    avatar: Option<String>,
    is_critic: bool,
    initial: String,
    hue: u32,
    indexable: bool,
}

/// The comments in the order in which they are read, each with its depth.
pub(super) fn flatten(site: &Site, branches: &[Branch]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut open = vec![(None::<Answered>, branches.iter())];
    while let Some((answered, siblings)) = open.last_mut() {
        let Some(branch) = siblings.next() else {
            open.pop();
            continue;
        };
        let answered = answered.clone();
        let depth = open.len() - 1;
        let remark = remark(site, &branch.comment, depth, answered);
        let here = Answered {
            anchor: remark.anchor.clone(),
            name: remark.gone.is_none().then(|| remark.author.name.clone()),
            instead: site.words.say(match branch.comment.presence {
                Presence::Deleted => "a-deleted-comment",
                Presence::Removed => "a-removed-comment",
                Presence::Hidden | Presence::Withheld | Presence::Shown => "a-hidden-comment",
            }),
        };
        remarks.push(remark);
        open.push((Some(here), branch.replies.iter()));
    }
    remarks
}

fn remark(site: &Site, comment: &Comment, depth: usize, answers: Option<Answered>) -> Remark {
    let warning = comment.warning.as_deref().map(plain::text);
    Remark {
        anchor: comment::anchor(comment.id),
        depth: depth.min(DEEPEST),
        author: author(site, &comment.author),
        answers,
        at_home: Outside::new(&comment.url).filter(|_| comment.author.critic.is_none()),
        content: safe_html(&comment.content),
        warning: warning.filter(|warning| !warning.is_empty()),
        language: comment.language.clone(),
        published: Moment::new(site, comment.published),
        edited: comment.edited.map(|moment| Moment::new(site, moment)),
        gone: match comment.presence {
            Presence::Shown => None,
            Presence::Deleted => Some(site.words.say("comment-deleted")),
            Presence::Hidden => Some(site.words.say("comment-hidden")),
            Presence::Removed => Some(site.words.say("comment-removed")),
            Presence::Withheld => Some(site.words.say("comment-withheld")),
        },
    }
}

/// Somebody who likes or boosts the review.
#[derive(Debug, Serialize)]
pub(super) struct FaceView {
    who: AuthorView,
    likes: bool,
    boosts: bool,
}

impl FaceView {
    pub(super) fn new(site: &Site, face: &Face) -> Self {
        Self { who: author(site, &face.who), likes: face.likes, boosts: face.boosts }
    }
}

fn author(site: &Site, author: &Author) -> AuthorView {
    let host = author.uri.host_str().unwrap_or_default();
    let from = match (&author.critic, &author.handle) {
        (Some(handle), _) => format!("@{handle}@{}", site.handle_domain),
        (None, Some(handle)) => plain::name(handle),
        (None, None) => host.to_owned(),
    };
    let name = Some(plain::name(&author.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| from.clone());
    let initial = name.chars().find(|c| c.is_alphanumeric());
    let sum = author
        .uri
        .as_str()
        .bytes()
        .fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let page = match &author.critic {
        Some(handle) => Outside::new(&site.origin.profile_page(handle)),
        None => Outside::new(&author.url),
    };
    AuthorView {
        initial: initial.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect()),
        name,
        from,
        page,
        avatar: author.avatar.as_ref().map(|name| path(&site.origin.media_named(name))),
        is_critic: author.critic.is_some(),
        indexable: author.indexable,
        hue: sum % HUES,
    }
}
