//! Entries of a feed. `flows::ingest` decides what becomes of an entry.

use super::credit_evidence::CreditEvidence;
use super::review::ReviewContent;
use super::time::Timestamp;

/// A parsed entry of a feed document.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEntry {
    /// The id that the feed gives it: RSS `guid`, Atom `id` or JSON Feed `id`.
    pub guid: Option<String>,
    /// The review that it carries. `content.canonical_url` is the entry's own link.
    pub content: ReviewContent,
    /// What it was read from.
    pub source: EntrySource,
    /// Where the film and the rating of the review were read.
    pub evidence: Vec<CreditEvidence>,
    /// What the log says about its date, if that cannot be read or its zone was assumed.
    pub date_note: Option<String>,
    /// If its date cannot be read: the time before which it was published, as far as that is known.
    pub published_before: Option<Timestamp>,
    /// What it is, as far as the feed says.
    pub kind: EntryKind,
    /// The names of its authors, or of those of the feed if it names none.
    pub authors: Vec<String>,
    /// Whether it comes from an export or a backup of a blog. Followers have seen it, or were never to.
    pub is_exported: bool,
}

/// What an entry was read from, by which another version of Marquee tells whether the feed changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntrySource {
    /// A feed document with this entry only, as the feed has it.
    Document(String),
    /// The SHA-256 (hexadecimal) of an entry that is too large to be kept.
    Hash(String),
}

/// What a public entry is. Only posts are reviews, unless the config includes others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntryKind {
    /// A post.
    #[default]
    Post,
    /// The free beginning of a post that only members or payers can read.
    Teaser,
    /// A film in a diary, without a text.
    DiaryEntry,
    /// A list of films.
    List,
}

/// What an entry is that is not a public post. It is never a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExcludedKind {
    /// A draft, or a post that waits for approval.
    Draft,
    /// A post that its system will publish later.
    Scheduled,
    /// A private post.
    Private,
    /// A post that needs a password.
    Protected,
    /// A deleted post.
    Trashed,
    /// An entry whose status is unknown.
    UnknownStatus,
    /// A comment.
    Comment,
    /// A page.
    Page,
    /// A file.
    Attachment,
    /// A template or setting of a blog.
    Setting,
    /// Anything else, such as a menu item.
    Other,
}

impl ExcludedKind {
    /// Returns what so many of them are called in the log.
    pub const fn noun(self, count: usize) -> &'static str {
        let (one, many) = match self {
            Self::Draft => ("draft", "drafts"),
            Self::Scheduled => ("scheduled post", "scheduled posts"),
            Self::Private => ("private post", "private posts"),
            Self::Protected => ("post with a password", "posts with a password"),
            Self::Trashed => ("deleted post", "deleted posts"),
            Self::UnknownStatus => ("entry of unknown status", "entries of unknown status"),
            Self::Comment => ("comment", "comments"),
            Self::Page => ("page", "pages"),
            Self::Attachment => ("attachment", "attachments"),
            Self::Setting => ("template or setting", "templates or settings"),
            Self::Other => ("entry of another kind", "entries of other kinds"),
        };
        if count == 1 { one } else { many }
    }
}
