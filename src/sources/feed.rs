//! Parses feeds: RSS 0.9x, 1.0 and 2.0, Atom, and JSON Feed.
//!
//! A document is either accepted or rejected with an error of one line. An entry that cannot be parsed is skipped with a
//! reason and does not affect other entries.

mod authors;
mod discovery;
mod doctype;
mod document_start;
mod encoding;
mod entry_dates;
mod entry_document;
mod entry_kind;
mod json_feed;
mod json_ld;
mod json_repair;
mod letterboxd;
mod lone_brackets;
mod members;
mod microdata;
mod next_page;
mod open_entry;
mod password;
mod paywall;
mod recording;
mod references;
mod root_element;
mod rss_atom;
mod split_entries;
mod start_tag;
mod text_element;
mod xml_reader;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;
use url::Url;

pub use self::discovery::find_feed;
use self::entry_dates::{EntryDates, SourceDates};
pub use self::next_page::{NextPage, PageHints, is_guessed};
pub use self::paywall::paid_note;
use super::credits::HeadlineColumns;
use super::html;
use super::review_content::{self, ReviewParts, SourceText};
use crate::domain::canonical_url::url_key;
use crate::domain::content_hash::content_hash;
use crate::domain::feed_entry::{EntryKind, EntrySource, ExcludedKind, FeedEntry};
use crate::domain::hash::sha256_hex;
use crate::domain::named_enum::named_enum;
use crate::domain::time::Timestamp;
use crate::domain::untrusted::Untrusted;

/// The maximum size of a document in bytes. Larger documents are neither downloaded completely nor parsed.
pub const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;
/// The same for a local file: the backup of a blog has all its comments.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// The maximum number of entries of a document, without those that are no public posts.
pub const MAX_ENTRIES: usize = 5_000;
/// The maximum number of all entries of a document: posts, comments, attachments, settings.
const MAX_ITEMS: usize = 20_000;
/// The same for a local file.
const MAX_FILE_ITEMS: usize = 200_000;
/// The maximum size of an entry in bytes. Larger entries are skipped.
const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;

/// The maximum size in bytes of an entry whose source is kept.
const MAX_SOURCE_BYTES: usize = 512 * 1024;

/// The format of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FeedFormat {
    /// RSS 0.9x or 2.0.
    #[default]
    Rss,
    /// RSS 1.0.
    Rdf,
    /// Atom.
    Atom,
    /// JSON Feed.
    Json,
}

named_enum!(FeedFormat, "format of a feed", {
    Rss => "RSS",
    Rdf => "RSS 1.0",
    Atom => "Atom",
    Json => "JSON Feed",
});

/// A parsed feed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeedDocument {
    /// The feed's title as plain text.
    pub title: Option<String>,
    /// The feed's language as a BCP 47 tag, which is also the language of entries that declare none.
    pub language: Option<String>,
    /// Its format.
    pub format: FeedFormat,
    /// The encoding of the document, if a detector had to guess it.
    pub guessed_charset: Option<&'static str>,
    /// The zone in which dates without a zone were read; `None` if it has no name.
    pub zone: Option<String>,
    /// The entries, in the order of the document.
    pub entries: Vec<FeedEntry>,
    /// What the document says about the other pages of the feed.
    pub pages: PageHints,
    /// The entries that are no public posts, such as drafts and comments, each by its title, link or position. They are in none
    /// of the other lists.
    pub excluded: Vec<ExcludedEntry>,
    /// The entries that were taken out of `entries` since they are not to be reviews, each by its title, with the reason.
    pub left_out: Vec<(String, String)>,
    /// The entries that were skipped, each by its title, link or position, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Ids that several entries share, and that therefore identify none of them.
    pub shared_guids: HashSet<String>,
    /// URLs that several entries share, as returned by `canonical_url::url_key`.
    pub shared_urls: HashSet<String>,
    /// The columns that were known, and those that several headlines of the document begin with.
    pub columns: HeadlineColumns,
}

/// An entry that is no public post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedEntry {
    /// Its title, link or position.
    pub name: String,
    /// What it is.
    pub kind: ExcludedKind,
    /// The id that the feed gives it.
    pub guid: Option<String>,
    /// Its link.
    pub url: Option<Url>,
}

/// Whether WordPress wrote a feed, by its `generator`.
fn is_wordpress(generator: &str) -> bool {
    generator.to_ascii_lowercase().contains("wordpress")
}

/// Why a document is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The document has more bytes than this, [`MAX_DOCUMENT_BYTES`] or [`MAX_FILE_BYTES`].
    #[error("the feed is larger than {} MiB", .0 / 1024 / 1024)]
    TooLarge(usize),
    /// The document has more entries than this, [`MAX_ENTRIES`] or a larger number of all entries.
    #[error(
        "the feed has more than {0} entries; split it into several files, or use the address of a feed with pages"
    )]
    TooManyEntries(usize),
    /// The document consists of white space.
    #[error("the document is empty")]
    Empty,
    /// The document is an HTML page.
    #[error(
        "the document is an HTML page, not a feed; the feed's URL is in its <link rel=\"alternate\" type=\"application/rss+xml\">"
    )]
    Html,
    /// The format is unknown.
    #[error("the document is not RSS, Atom or JSON Feed")]
    NotAFeed,
    /// The document type declaration declares entities.
    #[error("the feed declares entities, which are never expanded")]
    Dtd,
    /// The end of the document is missing.
    #[error("the feed is truncated: {:?} is never closed", Untrusted::new(.0))]
    Truncated(String),
    /// The document is not well-formed.
    #[error("the feed is not well-formed: {}", Untrusted::new(.0))]
    Malformed(String),
    /// Elements are nested more than 256 deep, or more than 64 namespaces are in scope.
    #[error("the feed nests its elements or namespaces too deeply")]
    TooNested,
}

/// Why an entry was skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum EntryError {
    #[error("larger than 4 MiB")]
    TooLarge,
    #[error("no title and no text")]
    Empty,
    #[error("no link")]
    NoLink,
    #[error("not a JSON object")]
    NotAnObject,
    /// feed-rs cannot parse the entry.
    #[error("{0}")]
    Invalid(String),
}

/// What a feed says about itself.
#[derive(Default)]
struct FeedHead {
    format: FeedFormat,
    title: Option<String>,
    language: Option<String>,
    pages: PageHints,
    /// Whether the document is an export or a backup of a blog.
    is_export: bool,
    authors: Vec<String>,
    /// The software that wrote it.
    generator: Option<String>,
    /// What is never closed, if its end is missing.
    truncated: Option<String>,
    /// Whether entries follow its end.
    has_more: bool,
}

/// An entry before its content is processed.
struct ParsedEntry {
    guid: Option<String>,
    parts: ReviewParts,
    base: Url,
    dates: SourceDates,
    source: EntrySource,
    /// What it is, if it is not a public post.
    excluded: Option<ExcludedKind>,
    /// What it is otherwise.
    kind: EntryKind,
    /// Whether it has members that only exports and backups have.
    is_exported: bool,
    /// Whether WordPress exported it, so that its text is as the editor stored it.
    has_stored_text: bool,
    authors: Vec<String>,
}

impl ParsedEntry {
    /// Finds out from its texts whether all can read it. `generator` is the software that wrote the feed.
    fn read_access(&mut self, generator: Option<&str>) {
        if paywall::remove_paywall(&mut self.parts, generator) {
            self.kind = EntryKind::Teaser;
        }
        // The plugins of some paywalls have forms for members, which are removed then.
        if password::is_protected(&self.parts) {
            self.excluded.get_or_insert(ExcludedKind::Protected);
        }
        if generator.is_some_and(is_wordpress) && password::is_private(&self.parts) {
            self.excluded.get_or_insert(ExcludedKind::Private);
        }
    }
}

/// A feed that was fetched, and what is known about it besides its bytes.
#[derive(Debug, Clone, Copy)]
pub struct FeedSource<'a> {
    /// The document.
    pub bytes: &'a [u8],
    /// The URL that it was fetched from.
    pub base: &'a Url,
    /// The `charset` of the response.
    pub charset: Option<&'a str>,
    /// The zone of dates that name none.
    pub zone: &'a TimeZone,
    /// The columns that are known already.
    pub columns: &'a HeadlineColumns,
}

/// Parses a feed. Dates are never invented; an entry that has only the date of its last change counts as published then.
///
/// # Errors
/// See [`FeedError`]. Each message is one line for the critic.
pub fn parse(source: FeedSource<'_>) -> Result<FeedDocument, FeedError> {
    let FeedSource { bytes, base, charset, zone, columns } = source;
    ensure_size(bytes, base)?;
    let (text, guessed_charset) = encoding::decode(bytes, charset);
    let text = text.trim_start_matches(|c: char| c == '\u{FEFF}' || c.is_whitespace());
    let (head, entries) = match parse_text(text, base) {
        Err(FeedError::NotAFeed) => {
            parse_text(document_start::find_after_junk(text).ok_or(FeedError::NotAFeed)?, base)?
        }
        parsed => parsed?,
    };
    let mut document = FeedDocument {
        title: head
            .title
            .map(|t| html::single_line_text(&t, review_content::MAX_TITLE_CHARS))
            .filter(|t| !t.is_empty()),
        language: head.language.as_deref().and_then(review_content::normalize_language),
        pages: head.pages,
        format: head.format,
        guessed_charset,
        ..FeedDocument::default()
    };
    let read = || entries.iter().filter_map(|entry| entry.parsed.as_ref().ok());
    let dates = EntryDates::new(read().map(|entry| &entry.dates), document.language.clone(), zone);
    document.zone = dates.zone_name();
    document.columns = columns.clone();
    let headlines: Vec<String> =
        read().filter_map(|entry| entry.parts.title.as_ref()).map(SourceText::plain).collect();
    document.columns.learn(headlines.iter().map(String::as_str));
    let is_exported = head.is_export || read().any(|entry| entry.is_exported);
    let feed = FeedContext {
        language: document.language.clone(),
        authors: head.authors,
        is_exported,
        generator: head.generator,
        columns: document.columns.clone(),
        dates,
    };
    for (index, NamedEntry { name, mut parsed }) in entries.into_iter().enumerate() {
        if let Ok(parsed) = &mut parsed {
            parsed.read_access(feed.generator.as_deref());
        }
        let name = || name.unwrap_or_else(|| format!("entry {}", index + 1));
        if let Ok(ParsedEntry { excluded: Some(kind), guid, parts, .. }) = parsed {
            document.excluded.push(ExcludedEntry { name: name(), kind, guid, url: parts.link });
            continue;
        }
        match parsed.and_then(|parsed| into_entry(parsed, &feed)) {
            Ok(entry) => document.entries.push(entry),
            Err(error) => document.skipped.push((name(), error.to_string())),
        }
    }
    document.note_end(head.truncated, head.has_more);
    document.find_shared();
    document.ensure_count()
}

/// Fails if a document is too large.
fn ensure_size(bytes: &[u8], base: &Url) -> Result<(), FeedError> {
    let max_bytes = if base.scheme() == "file" { MAX_FILE_BYTES } else { MAX_DOCUMENT_BYTES };
    if bytes.len() > max_bytes { Err(FeedError::TooLarge(max_bytes)) } else { Ok(()) }
}

fn parse_text(text: &str, base: &Url) -> Result<ParsedFeed, FeedError> {
    match text.chars().next() {
        None => Err(FeedError::Empty),
        Some('<') => parse_xml(text, base),
        Some('{') => json_feed::parse(text, base),
        Some(_) => Err(FeedError::NotAFeed),
    }
}

type ParsedFeed = (FeedHead, Vec<NamedEntry>);

/// An entry that was parsed or not, and what it is called in the log.
struct NamedEntry {
    name: Option<String>,
    parsed: Result<ParsedEntry, EntryError>,
}

/// Returns the URL against which relative URLs of an entry are resolved: that of its page, or that of the feed if the
/// feed is a local file, since its images are next to it.
fn entry_base(link: Option<&Url>, base: &Url) -> Url {
    link.filter(|_| base.scheme() != "file").unwrap_or(base).clone()
}

fn parse_xml(text: &str, base: &Url) -> Result<ParsedFeed, FeedError> {
    let text = lone_brackets::escape_lone_brackets(text);
    let feed = split_entries::split(&text)?;
    let max_items = if base.scheme() == "file" { MAX_FILE_ITEMS } else { MAX_ITEMS };
    if feed.entries.len() > max_items {
        return Err(FeedError::TooManyEntries(max_items));
    }
    let is_export = entry_kind::is_export(&feed.members)
        || feed.entries.iter().any(|entry| entry_kind::is_of_wordpress_export(&entry.members));
    let parse = |entry: &entry_document::EntryDocument| {
        if entry.xml.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLarge);
        }
        if let Some(problem) = &entry.problem {
            return Err(EntryError::Invalid(problem.clone()));
        }
        rss_atom::parse_entry(entry, feed.format, base, is_export)
    };
    let entries =
        feed.entries.iter().map(|entry| NamedEntry { name: entry.name.clone(), parsed: parse(entry) });
    let entries = entries.collect();
    Ok((rss_atom::parse_head(&feed, base), entries))
}

/// What all entries of a feed share.
struct FeedContext {
    language: Option<String>,
    authors: Vec<String>,
    is_exported: bool,
    generator: Option<String>,
    columns: HeadlineColumns,
    dates: EntryDates,
}

fn into_entry(parsed: ParsedEntry, feed: &FeedContext) -> Result<FeedEntry, EntryError> {
    let ParsedEntry { guid, mut parts, base, dates, kind, source, has_stored_text, authors, .. } = parsed;
    for text in [&mut parts.body, &mut parts.summary] {
        if let Some(SourceText::Html(html)) = text
            && let Cow::Owned(expanded) = html::expand_wordpress_text(html, has_stored_text)
        {
            *html = expanded;
        }
    }
    let dates = feed.dates.read(&dates, parts.language.as_deref());
    parts.columns = feed.columns.clone();
    (parts.published, parts.updated) = (dates.published, dates.updated);
    let (mut content, evidence) = parts.into_content(&base).ok_or(EntryError::Empty)?;
    content.language = content.language.or_else(|| feed.language.clone());
    Ok(FeedEntry {
        guid,
        content,
        source,
        evidence,
        date_note: dates.note,
        published_before: dates.before,
        kind,
        authors: if authors.is_empty() { feed.authors.clone() } else { authors },
        is_exported: feed.is_exported,
    })
}

impl FeedDocument {
    /// Fails if it has too many entries.
    fn ensure_count(self) -> Result<Self, FeedError> {
        let count = self.entries.len() + self.skipped.len();
        if count > MAX_ENTRIES { Err(FeedError::TooManyEntries(MAX_ENTRIES)) } else { Ok(self) }
    }

    /// Notes what was lost at the end of the document.
    fn note_end(&mut self, truncated: Option<String>, has_more: bool) {
        let cut = truncated.map(|what| ("the end of the feed", FeedError::Truncated(what).to_string()));
        let more = has_more.then(|| {
            ("what follows the end of the feed", "it has entries, but a document holds one feed".to_owned())
        });
        self.skipped.extend(cut.into_iter().chain(more).map(|(name, reason)| (name.to_owned(), reason)));
    }

    /// Returns the page after this one, which was fetched from `url`.
    pub fn next_page(&self, url: &Url) -> NextPage {
        self.pages.next_page(url, self.entries.len() + self.skipped.len() + self.excluded.len())
    }

    /// Adds the entries of the page after this one, without those that have moved there since this one was fetched.
    pub fn append(&mut self, next: Self) {
        type Name = (String, Result<Timestamp, String>);
        type Keys = (Option<String>, Option<Url>, Option<Name>);
        // The id alone may be a position, which is another entry's on each page.
        let keys = |entry: &FeedEntry| -> Keys {
            let FeedEntry { guid, content, .. } = entry;
            let name = content
                .canonical_url
                .is_none()
                .then(|| (content.title.clone(), content.published.ok_or_else(|| content_hash(content))));
            (guid.clone(), content.canonical_url.clone(), name)
        };
        let known: HashSet<Keys> =
            self.entries.iter().map(keys).filter(|(guid, url, _)| guid.is_some() || url.is_some()).collect();
        self.entries.extend(next.entries.into_iter().filter(|entry| !known.contains(&keys(entry))));
        self.skipped.extend(next.skipped);
        self.left_out.extend(next.left_out);
        self.find_shared();
    }

    /// Finds the ids and URLs that several entries share. The same entry once more, such as a post that a blog pins to its top, is
    /// removed.
    fn find_shared(&mut self) {
        let mut seen = HashSet::new();
        self.entries.retain(|entry| {
            let content = &entry.content;
            let url = content.canonical_url.as_ref().map(url_key);
            entry.guid.is_none()
                || url.is_none()
                || seen.insert((entry.guid.clone(), url, content.published, content_hash(content)))
        });
        let duplicates = |keys: Vec<String>| -> HashSet<String> {
            let mut count: HashMap<String, usize> = HashMap::new();
            for key in keys {
                *count.entry(key).or_default() += 1;
            }
            count.into_iter().filter(|(_, n)| *n > 1).map(|(key, _)| key).collect()
        };
        self.shared_guids = duplicates(self.entries.iter().filter_map(|e| e.guid.clone()).collect());
        let urls = self.entries.iter().filter_map(|e| e.content.canonical_url.as_ref());
        self.shared_urls = duplicates(urls.map(url_key).collect());
    }
}

/// Returns the hash of an entry if it is too large to be kept.
fn hash_of_large(entry: &str) -> Option<String> {
    (entry.len() > MAX_SOURCE_BYTES).then(|| sha256_hex(entry.as_bytes()))
}

/// Shortens a part of the document for an error message.
fn excerpt(text: &str) -> String {
    html::single_line_text(text, 40)
}

#[cfg(test)]
mod tests;
