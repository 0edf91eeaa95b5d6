//! Entries of a feed. `flows::ingest` decides what becomes of an entry.

use super::review::ReviewContent;

/// A parsed entry of a feed document.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEntry {
    /// The id that the feed gives it: RSS `guid`, Atom `id` or JSON Feed `id`.
    pub guid: Option<String>,
    /// The review that it carries. `content.canonical_url` is the entry's own link.
    pub content: ReviewContent,
    /// A feed document with this entry only, as the feed has it; `None` if that is too large to be kept.
    pub source: Option<String>,
    /// What the log says about its date, if that cannot be read or its zone was assumed.
    pub date_note: Option<String>,
}
