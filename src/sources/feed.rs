//! Feeds: RSS 0.9x, 1.0 and 2.0, Atom, JSON Feed. A document is read whole or refused with one line that
//! says why; within it, an entry that cannot be read is left out with a note and costs no other entry.

mod encoding;
mod json;
mod splitter;
mod xml;

use std::collections::{HashMap, HashSet};

use url::Url;

use super::html;
use super::review_content::{self, ReviewParts};
use crate::domain::feed_entry::{self, FeedEntry};

/// Larger documents are not read; nor are they fetched to their end.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;
/// A document with more entries is refused.
pub const MAX_ENTRIES: usize = 5_000;
/// A larger entry is left out.
const MAX_ENTRY: usize = 4 * 1024 * 1024;

/// A feed document, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeedDocument {
    /// What the feed calls itself, plain text.
    pub title: Option<String>,
    /// BCP 47 tag of the feed's language; entries without their own have it too.
    pub language: Option<String>,
    /// The entries, in the order of the document.
    pub entries: Vec<FeedEntry>,
    /// Entries that were left out: what they are called, and why.
    pub skipped: Vec<(String, String)>,
    /// Ids that several entries have: they identify none of them.
    pub shared_guids: HashSet<String>,
    /// Addresses, as `entry::normalise_url` writes them, that several entries have.
    pub shared_urls: HashSet<String>,
}

/// Why a document is no feed that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// More than `MAX_DOCUMENT` bytes.
    #[error("the feed is larger than 16 MiB")]
    TooLarge,
    /// More than `MAX_ENTRIES` entries.
    #[error("the feed has more than 5000 entries")]
    TooManyEntries,
    /// Nothing but spaces.
    #[error("the document is empty")]
    Empty,
    /// A page for people.
    #[error(
        "the document is an HTML page, not a feed; look in it for <link rel=\"alternate\" type=\"application/rss+xml\">"
    )]
    Html,
    /// Something else.
    #[error("the document is neither RSS nor Atom nor JSON Feed")]
    NotAFeed,
    /// An encoding that nobody knows.
    #[error("the feed declares the encoding {0:?}, which is not known")]
    Encoding(String),
    /// It declares entities of its own, or something like it.
    #[error("the feed has a DTD of its own; entities are never expanded, so it is refused")]
    Dtd,
    /// The end is missing.
    #[error("the feed breaks off: {0:?} is never closed")]
    Truncated(String),
    /// It is not well-formed.
    #[error("the feed is not well-formed: {0}")]
    Malformed(String),
    /// An element with hundreds of attributes.
    #[error("the element <{0}> of the feed has more than 256 attributes")]
    TooManyAttributes(String),
    /// Elements hundreds deep, or dozens of namespaces at once.
    #[error("the feed nests its elements or namespaces too deeply")]
    TooNested,
}

/// What a feed says about itself.
#[derive(Default)]
struct Head {
    title: Option<String>,
    language: Option<String>,
}

/// What a feed says about one entry.
struct Found {
    guid: Option<String>,
    parts: ReviewParts,
    base: Url,
}

/// Reads a feed that was found at `base`. Bytes that are none in the feed's encoding cost the entry that they
/// stand in. A date is there only where the feed gives one; an Atom entry that has only `updated` was
/// published then, as far as anyone can tell.
///
/// # Errors
/// See `FeedError`; each is one line for the critic.
pub fn parse(bytes: &[u8], base: &Url) -> Result<FeedDocument, FeedError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(FeedError::TooLarge);
    }
    let (text, damaged) = encoding::decode(bytes)?;
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let (head, found) = match text.chars().next() {
        None => return Err(FeedError::Empty),
        Some('<') => read_xml(text, damaged, base)?,
        Some('{') => json::read(text, base)?,
        Some(_) => return Err(FeedError::NotAFeed),
    };
    let mut document = FeedDocument {
        title: head
            .title
            .map(|t| html::single_line_text(&t, review_content::MAX_TITLE_CHARS))
            .filter(|t| !t.is_empty()),
        language: head.language.as_deref().and_then(review_content::normalize_language),
        ..FeedDocument::default()
    };
    for (at, found) in found.into_iter().enumerate() {
        match found.and_then(|found| entry(found, document.language.as_ref())) {
            Ok(entry) => document.entries.push(entry),
            Err(why) => document.skipped.push((format!("entry {}", at + 1), why)),
        }
    }
    document.note_shared();
    Ok(document)
}

type Read = (Head, Vec<Result<Found, String>>);

/// Where relative addresses of an entry are seen from: its page, but the feed itself where that is a local file,
/// whose pictures lie beside it.
fn seen_from(link: Option<&Url>, base: &Url) -> Url {
    link.filter(|_| base.scheme() != "file").unwrap_or(base).clone()
}

fn read_xml(text: &str, damaged: bool, base: &Url) -> Result<Read, FeedError> {
    let outline = splitter::outline(text)?;
    let read = |piece: &splitter::Piece| {
        if piece.document.len() > MAX_ENTRY {
            return Err("it is larger than 4 MiB".to_owned());
        }
        if damaged && piece.document.contains('\u{FFFD}') {
            return Err("it has bytes that are not in the encoding of the feed".to_owned());
        }
        xml::found(piece, outline.dialect, base)
    };
    let entries = outline.entries.iter().map(read).collect();
    Ok((xml::head(&outline, base), entries))
}

fn entry(found: Found, language: Option<&String>) -> Result<FeedEntry, String> {
    let Found { guid, parts, base } = found;
    let mut draft = parts.into_content(&base).ok_or("it has neither a title nor a text")?;
    draft.language = draft.language.or_else(|| language.cloned());
    Ok(FeedEntry { guid, content: draft })
}

impl FeedDocument {
    fn note_shared(&mut self) {
        let several = |keys: Vec<String>| -> HashSet<String> {
            let mut count: HashMap<String, usize> = HashMap::new();
            for key in keys {
                *count.entry(key).or_default() += 1;
            }
            count.into_iter().filter(|(_, n)| *n > 1).map(|(key, _)| key).collect()
        };
        self.shared_guids = several(self.entries.iter().filter_map(|e| e.guid.clone()).collect());
        let urls = self.entries.iter().filter_map(|e| e.content.canonical_url.as_ref());
        self.shared_urls = several(urls.map(feed_entry::url_key).collect());
    }
}

/// A piece of somebody's document, fit for an error message.
fn excerpt(text: &str) -> String {
    html::single_line_text(text, 40)
}

#[cfg(test)]
mod tests;
