//! Renders the comments on a review. A thread can be thousands of replies deep, so it is flattened without recursion
//! and indented only as far as fits on a phone.

use std::borrow::Cow;

use minijinja::Value;
use serde::Serialize;

use super::conversation::Conversation;
use super::date_view::DateView;
use super::links::{ExternalLink, url_path};
use super::safe_html::safe_html;
use super::{Site, plain_text};
use crate::domain::comment::{self, AttachmentKind, Author, Comment, CommentVisibility};
use crate::domain::comment_layout::PlacedComment;
use crate::domain::facepile::FacepileActor;
use crate::domain::html_escape::escape;
use crate::domain::id::CommentId;
use crate::domain::review::Review;
use crate::sources::html;

/// The deepest indentation of replies.
const MAX_DEPTH: usize = 6;

/// The number of avatar colours in the style sheet.
const AVATAR_HUES: u32 = 8;

/// A comment at its position in the thread.
#[derive(Debug, Serialize)]
pub(super) struct CommentView {
    anchor: String,
    depth: usize,
    pub(super) author: AuthorView,
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
    /// The fold that begins with this comment.
    fold: Option<FoldView>,
    /// Whether a fold ends with this comment.
    ends_fold: bool,
}

/// The comment that another one replies to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReplyTarget {
    anchor: String,
    /// A link to it, which may be on another page.
    href: String,
    /// `None` if the comment is not visible: its author is no longer named.
    name: Option<String>,
    /// What to call a comment that is not visible.
    instead: String,
}

/// The author of a comment.
#[derive(Debug, Serialize)]
pub(super) struct AuthorView {
    pub(super) name: String,
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

/// Comments that are shown only after the reader asks for them.
#[derive(Debug, Serialize)]
struct FoldView {
    anchor: String,
    depth: usize,
    count: usize,
    author: String,
    is_by_one: bool,
}

/// The comments of a page in reading order, each with its depth.
pub(super) fn flatten(site: &Site, conversation: &Conversation<'_>) -> Vec<CommentView> {
    let known = |placed: &PlacedComment| Some((placed.clone(), conversation.comments.get(&placed.id)?));
    let placed: Vec<_> = conversation.placed().iter().filter_map(known).collect();
    let mut views: Vec<CommentView> = Vec::with_capacity(placed.len());
    for run in placed.chunk_by(|(a, _), (b, _)| a.is_folded == b.is_folded) {
        let first = views.len();
        for (place, comment) in run {
            let reply_to = place.parent.and_then(|parent| reply_target(site, conversation, parent));
            let content = shown_content(site, conversation, comment);
            views.push(comment_view(site, comment, place.depth, reply_to, content));
        }
        if run.first().is_some_and(|(place, _)| place.is_folded) {
            let fold = fold_view(site, run);
            if let Some(view) = views.get_mut(first) {
                view.fold = Some(fold);
            }
            if let Some(view) = views.last_mut() {
                view.ends_fold = true;
            }
        }
    }
    views
}

fn fold_view(site: &Site, run: &[(PlacedComment, &Comment)]) -> FoldView {
    let named = run.iter().map(|(_, comment)| *comment).find(|c| c.visibility == CommentVisibility::Shown);
    let is_by_one = |first: &Comment| run.iter().all(|(_, c)| c.author.uri == first.author.uri);
    let depth = run.iter().map(|(place, _)| place.depth).min().unwrap_or_default();
    FoldView {
        anchor: run.first().map(|(place, _)| format!("fold-{}", place.id)).unwrap_or_default(),
        depth: depth.min(MAX_DEPTH),
        count: run.len(),
        author: named.map(|comment| author_view(site, &comment.author).name).unwrap_or_default(),
        is_by_one: named.is_some_and(is_by_one),
    }
}

/// What is said of the comment that another one replies to.
fn reply_target(site: &Site, conversation: &Conversation<'_>, parent: CommentId) -> Option<ReplyTarget> {
    let comment = conversation.comments.get(&parent)?;
    let is_shown = comment.visibility == CommentVisibility::Shown;
    Some(ReplyTarget {
        anchor: comment::comment_anchor(parent),
        href: conversation.link_to(site, parent),
        name: is_shown.then(|| author_view(site, &comment.author).name),
        instead: site.messages.get(match comment.visibility {
            CommentVisibility::Deleted => "a-deleted-comment",
            CommentVisibility::Removed => "a-removed-comment",
            CommentVisibility::Hidden | CommentVisibility::Withheld | CommentVisibility::Shown => {
                "a-hidden-comment"
            }
        }),
    })
}

/// The beginning of a comment, followed by a link to all of it if that is longer.
fn shown_content(site: &Site, conversation: &Conversation<'_>, comment: &Comment) -> Value {
    let Some(beginning) = html::shorten_comment(&comment.content, conversation.comment_bytes) else {
        return comment_content(site, &comment.content);
    };
    let href = comment_page_path(site, conversation.review, comment.id);
    let link = format!(
        "<p class=\"read-on\"><a href=\"{}\">{}</a></p>",
        escape(&href),
        escape(&site.messages.get("read-on"))
    );
    comment_content(site, &(beginning + &link))
}

/// The path of the page of one comment.
pub(super) fn comment_page_path(site: &Site, review: &Review, id: CommentId) -> String {
    format!("{}/comments/{id}", url_path(&site.origin.review_page(review)))
}

pub(super) fn comment_view(
    site: &Site,
    comment: &Comment,
    depth: usize,
    reply_to: Option<ReplyTarget>,
    content: Value,
) -> CommentView {
    let warning = comment.warning.as_deref().map(plain_text::text);
    CommentView {
        anchor: comment::comment_anchor(comment.id),
        depth: depth.min(MAX_DEPTH),
        author: author_view(site, &comment.author),
        reply_to,
        original: ExternalLink::new(&comment.url).filter(|_| comment.author.critic.is_none()),
        content,
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
        fold: None,
        ends_fold: false,
    }
}

/// The content of a comment. Links to attachments without a description are in the language of the site.
pub(super) fn comment_content(site: &Site, content: &str) -> Value {
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

pub(super) fn author_view(site: &Site, author: &Author) -> AuthorView {
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
