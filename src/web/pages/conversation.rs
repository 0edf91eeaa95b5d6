//! The comments under a review. A thread may be thousands of replies deep: it is flattened without
//! recursion, and drawn no deeper than a phone is wide.

use minijinja::Value;
use serde::Serialize;

use super::view::{Moment, Outside, safe_html};
use super::{Site, plain};
use crate::domain::comment::{Author, Branch, Comment};

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
    deleted: bool,
}

/// The comment that another answers.
#[derive(Debug, Clone, Serialize)]
struct Answered {
    anchor: String,
    /// None where the comment was deleted: its author is not named any more.
    name: Option<String>,
}

/// Who wrote a comment.
#[derive(Debug, Serialize)]
struct AuthorView {
    name: String,
    /// `@user@host` where it is confirmed, else the bare host that vouches for the name.
    from: String,
    page: Option<Outside>,
    initial: String,
    hue: u32,
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
            name: (!remark.deleted).then(|| remark.author.name.clone()),
        };
        remarks.push(remark);
        open.push((Some(here), branch.replies.iter()));
    }
    remarks
}

fn remark(site: &Site, comment: &Comment, depth: usize, answers: Option<Answered>) -> Remark {
    let warning = comment.warning.as_deref().map(plain::text);
    Remark {
        anchor: format!("comment-{}", comment.id),
        depth: depth.min(DEEPEST),
        author: author(&comment.author),
        answers,
        at_home: Outside::new(&comment.url),
        content: safe_html(&comment.content),
        warning: warning.filter(|warning| !warning.is_empty()),
        language: comment.language.clone(),
        published: Moment::new(site, comment.published),
        edited: comment.edited.map(|moment| Moment::new(site, moment)),
        deleted: comment.deleted,
    }
}

fn author(author: &Author) -> AuthorView {
    let host = author.uri.host_str().unwrap_or_default();
    let from = author.handle.as_deref().map_or_else(|| host.to_owned(), plain::name);
    let name = Some(plain::name(&author.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| from.clone());
    let initial = name.chars().find(|c| c.is_alphanumeric());
    let sum = author
        .uri
        .as_str()
        .bytes()
        .fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    AuthorView {
        initial: initial.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect()),
        name,
        from,
        page: Outside::new(&author.url),
        hue: sum % HUES,
    }
}
