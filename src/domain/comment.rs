//! Comments: replies from the fediverse, shown on a review's page, and critics' own replies.

use url::Url;

use super::id::{CommentId, CriticId, ReviewId};
use super::named_enum::named_enum;
use super::time::Timestamp;

/// A public reply to a review or to another reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// The local id, which is also the comment's anchor on the page.
    pub id: CommentId,
    /// The review that the thread belongs to.
    pub review: ReviewId,
    /// The id of the Note on the fediverse.
    pub uri: Url,
    /// The comment's page on its author's server.
    pub url: Url,
    /// The author.
    pub author: Author,
    /// The comment that this one replies to; `None` if it replies to the review.
    pub parent: Option<CommentId>,
    /// The content as sanitized HTML; empty if only a placeholder is shown.
    pub content: String,
    /// The content warning, as plain text.
    pub warning: Option<String>,
    /// The language, as a BCP 47 tag.
    pub language: Option<String>,
    /// When the author wrote it, according to the author's server; not later than it was received.
    pub published: Timestamp,
    /// When the author last edited it.
    pub edited: Option<Timestamp>,
    /// How much of it readers see.
    pub visibility: CommentVisibility,
}

/// Whether readers see a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentState {
    /// The page shows it.
    Shown,
    /// It waits for the critic's approval.
    Held,
    /// The critic hid it, and can show it again.
    Hidden,
    /// The critic deleted its text for good.
    Removed,
    /// It is not shown while its author blocks the critic.
    Withheld,
    /// It was never public. Only its id is kept, so that the same id cannot become public later.
    Private,
    /// Its author deleted its text. Its place in the thread stays.
    Deleted,
}

named_enum!(CommentState, "state of a comment", {
    Shown => "shown",
    Held => "held",
    Hidden => "hidden",
    Removed => "removed",
    Withheld => "withheld",
    Private => "private",
    Deleted => "deleted",
});

/// What a comment links to that has no words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// Another file.
    File,
    /// The comment itself, on its author's server.
    Post,
}

impl AttachmentKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Image, Self::Video, Self::Audio, Self::File, Self::Post];

    /// The class of a link without a description, which pages show in the language of the site.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Image => "attached-image",
            Self::Video => "attached-video",
            Self::Audio => "attached-audio",
            Self::File => "attached-file",
            Self::Post => "attached-post",
        }
    }

    /// The English text of such a link.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Image => "a picture",
            Self::Video => "a video",
            Self::Audio => "a sound",
            Self::File => "a file",
            Self::Post => "a post",
        }
    }
}

/// A file that is attached to a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it is.
    pub url: Option<Url>,
    /// Its description as plain text.
    pub description: Option<String>,
}

/// How much of a comment readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentVisibility {
    /// The whole comment.
    Shown,
    /// A placeholder that keeps its place in the thread: the author deleted it.
    Deleted,
    /// A placeholder: the critic hid it.
    Hidden,
    /// A placeholder: the critic removed its content for good.
    Removed,
    /// Nothing for now: it awaits moderation, or its author blocks the critic.
    Withheld,
}

/// An actor as shown beside a comment or in a facepile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The actor's id.
    pub uri: Url,
    /// The actor's profile page.
    pub url: Url,
    /// The display name, as plain text.
    pub name: String,
    /// `@user@host`, if WebFinger confirms that handle and actor point to each other.
    pub handle: Option<String>,
    /// The name of the avatar under `/media/`, once it has been fetched.
    pub avatar: Option<String>,
    /// Whether the actor's posts may appear in search results and feeds (FEP-5feb).
    pub indexable: bool,
    /// The user part of the handle, if the actor is a critic of this site.
    pub critic: Option<String>,
}

/// A local critic's reply in a thread, as it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriticReply {
    /// The id, which is also the last segment of the Note's id.
    pub id: CommentId,
    /// The critic who wrote it.
    pub critic: CriticId,
    /// The review that the thread belongs to.
    pub review: ReviewId,
    /// Its anchor on the review's page.
    pub url: Url,
    /// The id of the object that it replies to.
    pub in_reply_to: Url,
    /// The content as sanitized HTML.
    pub content: String,
    /// The language, as a BCP 47 tag.
    pub language: Option<String>,
    /// When it was written.
    pub published: Timestamp,
    /// When it was last edited.
    pub edited: Option<Timestamp>,
    /// The remote actors that it mentions.
    pub mentions: Vec<Mention>,
}

/// A remote actor whom a critic's reply mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The actor's id.
    pub actor: Url,
    /// The actor's profile page.
    pub url: Url,
    /// `@user@host`, if it is confirmed.
    pub handle: Option<String>,
    /// Whether the text already mentions the actor. If not, the mention is put in front of the text.
    pub in_text: bool,
}

/// The fragment of a comment on its review's page.
pub fn comment_anchor(id: CommentId) -> String {
    format!("comment-{id}")
}

/// Parses the fragment that [`comment_anchor`] makes.
pub fn parse_comment_anchor(fragment: &str) -> Option<CommentId> {
    fragment.strip_prefix("comment-")?.parse().ok()
}
