//! Renders the comments on a review. A thread can be thousands of replies deep, so it is flattened without recursion
//! and indented only as far as fits on a phone.

use std::borrow::Cow;

use minijinja::Value;
use serde::Serialize;

use super::date_view::DateView;
use super::links::{ExternalLink, url_path};
use super::safe_html::safe_html;
use super::{Site, plain_text};
use crate::domain::comment::{self, AttachmentKind, Author, Comment, CommentVisibility};
use crate::domain::comment_thread::ThreadNode;
use crate::domain::facepile::FacepileActor;
use crate::domain::html_escape::escape;

/// The deepest indentation of replies.
const MAX_DEPTH: usize = 6;

/// The number of avatar colours in the style sheet.
const AVATAR_HUES: u32 = 8;

/// A comment at its position in the thread.
#[derive(Debug, Serialize)]
pub(super) struct CommentView {
    anchor: String,
    depth: usize,
    author: AuthorView,
    #[serde(rename = "answers")]
    reply_to: Option<ReplyTarget>,
    #[serde(rename = "at_home")]
    original: Option<ExternalLink>,
    content: Value,
    warning: Option<String>,
    language: Option<String>,
    published: DateView,
    edited: Option<DateView>,
    /// The text shown instead of a comment that is not visible.
    gone: Option<String>,
}

/// The comment that another one replies to.
#[derive(Debug, Clone, Serialize)]
struct ReplyTarget {
    anchor: String,
    /// `None` if the comment is not visible: its author is no longer named.
    name: Option<String>,
    /// What to call a comment that is not visible.
    instead: String,
}

/// The author of a comment.
#[derive(Debug, Serialize)]
struct AuthorView {
    name: String,
    /// `@user@host` if it is confirmed, otherwise the bare host that vouches for the name.
    from: String,
    page: Option<ExternalLink>,
    /// The path of the avatar, if it has been fetched.
    avatar: Option<String>,
    is_critic: bool,
    initial: String,
    hue: u32,
    indexable: bool,
}

/// The comments in reading order, each with its depth.
pub(super) fn flatten(site: &Site, threads: &[ThreadNode]) -> Vec<CommentView> {
    let mut views = Vec::new();
    let mut open = vec![(None::<ReplyTarget>, threads.iter())];
    while let Some((reply_to, siblings)) = open.last_mut() {
        let Some(node) = siblings.next() else {
            open.pop();
            continue;
        };
        let reply_to = reply_to.clone();
        let depth = open.len() - 1;
        let comment_view = comment_view(site, &node.comment, depth, reply_to);
        let target = ReplyTarget {
            anchor: comment_view.anchor.clone(),
            name: comment_view.gone.is_none().then(|| comment_view.author.name.clone()),
            instead: site.messages.get(match node.comment.visibility {
                CommentVisibility::Deleted => "a-deleted-comment",
                CommentVisibility::Removed => "a-removed-comment",
                CommentVisibility::Hidden | CommentVisibility::Withheld | CommentVisibility::Shown => {
                    "a-hidden-comment"
                }
            }),
        };
        views.push(comment_view);
        open.push((Some(target), node.replies.iter()));
    }
    views
}

fn comment_view(site: &Site, comment: &Comment, depth: usize, reply_to: Option<ReplyTarget>) -> CommentView {
    let warning = comment.warning.as_deref().map(plain_text::text);
    CommentView {
        anchor: comment::comment_anchor(comment.id),
        depth: depth.min(MAX_DEPTH),
        author: author_view(site, &comment.author),
        reply_to,
        original: ExternalLink::new(&comment.url).filter(|_| comment.author.critic.is_none()),
        content: comment_content(site, &comment.content),
        warning: warning.filter(|warning| !warning.is_empty()),
        language: comment.language.clone(),
        published: DateView::new(site, comment.published),
        edited: comment.edited.map(|moment| DateView::new(site, moment)),
        gone: match comment.visibility {
            CommentVisibility::Shown => None,
            CommentVisibility::Deleted => Some(site.messages.get("comment-deleted")),
            CommentVisibility::Hidden => Some(site.messages.get("comment-hidden")),
            CommentVisibility::Removed => Some(site.messages.get("comment-removed")),
            CommentVisibility::Withheld => Some(site.messages.get("comment-withheld")),
        },
    }
}

/// The content of a comment. Links to attachments without a description are in the language of the site.
fn comment_content(site: &Site, content: &str) -> Value {
    let mut content = Cow::Borrowed(content);
    for kind in AttachmentKind::ALL {
        let marker = format!(" class=\"{}\"", kind.class());
        if content.contains(&marker) {
            let text = site.messages.get(kind.class());
            let (english, local) = (format!(">{}</a>", kind.text()), format!(">{}</a>", escape(&text)));
            let mut parts = content.split(&marker);
            let mut shown = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                shown.push_str(&marker);
                shown.push_str(&part.replacen(&english, &local, 1));
            }
            content = Cow::Owned(shown);
        }
    }
    safe_html(&content)
}

/// An actor who likes or boosts the review.
#[derive(Debug, Serialize)]
pub(super) struct FaceView {
    #[serde(rename = "who")]
    actor: AuthorView,
    likes: bool,
    boosts: bool,
}

impl FaceView {
    pub(super) fn new(site: &Site, face: &FacepileActor) -> Self {
        Self { actor: author_view(site, &face.author), likes: face.has_liked, boosts: face.has_boosted }
    }
}

fn author_view(site: &Site, author: &Author) -> AuthorView {
    let host = author.uri.host_str().unwrap_or_default();
    let from = match (&author.critic, &author.handle) {
        (Some(handle), _) => format!("@{handle}@{}", site.handle_domain),
        (None, Some(handle)) => plain_text::name(handle),
        (None, None) => host.to_owned(),
    };
    let name = Some(plain_text::name(&author.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| from.clone());
    let initial = name.chars().find(|c| c.is_alphanumeric());
    let hash = author
        .uri
        .as_str()
        .bytes()
        .fold(0u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let page = match &author.critic {
        Some(handle) => ExternalLink::new(&site.origin.profile_page(handle)),
        None => ExternalLink::new(&author.url),
    };
    AuthorView {
        initial: initial.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect()),
        name,
        from,
        page,
        avatar: author.avatar.as_ref().map(|name| url_path(&site.origin.media_url_by_name(name))),
        is_critic: author.critic.is_some(),
        indexable: author.indexable,
        hue: hash % AVATAR_HUES,
    }
}
