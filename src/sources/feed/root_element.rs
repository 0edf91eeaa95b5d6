//! The root element of an XML feed, which tells its format and is the root of the documents that are made of its entries.

use super::entry_document::{EntryDocument, XmlFormat};
use super::start_tag::StartTag;
use super::{FeedError, excerpt};

/// The maximum size in bytes of its start tag, which is repeated in the document of each entry.
const MAX_TAG_BYTES: usize = 16 * 1024;
/// The maximum size in bytes of the feed's title and language that are repeated in the source of each entry.
const MAX_REPEATED_HEAD_BYTES: usize = 2_000;

/// The root element.
pub(super) struct Root<'a> {
    pub(super) format: XmlFormat,
    pub(super) name: &'a str,
    /// Its start tag, with the namespaces and the version that feed-rs expects, and its name there.
    pub(super) tag: String,
    pub(super) parser_name: &'a str,
    /// Its start tag as it is in the document.
    source: String,
    /// Its `xml:lang`.
    pub(super) language: Option<String>,
}

impl<'a> Root<'a> {
    /// Reads the start tag.
    ///
    /// # Errors
    /// If it is not that of a feed, or too long to be repeated.
    pub(super) fn new(tag: &StartTag<'a>) -> Result<Self, FeedError> {
        let format = match tag.local_name() {
            "rss" => XmlFormat::Rss,
            "RDF" => XmlFormat::Rdf,
            "feed" | "entry" => XmlFormat::Atom,
            name if name.eq_ignore_ascii_case("html") => return Err(FeedError::Html),
            _ => return Err(FeedError::NotAFeed),
        };
        if tag.raw.len() > MAX_TAG_BYTES {
            let what = format!("the start tag of <{}> is too long", excerpt(tag.name));
            return Err(FeedError::Malformed(what));
        }
        // feed-rs reads more members of an entry of RSS 2.0 than of RSS 1.0, and needs no link.
        let parser_name = if format == XmlFormat::Atom { tag.name } else { "rss" };
        Ok(Root {
            format,
            name: tag.name,
            tag: format!("<{}>", tag.to_root(parser_name)),
            parser_name,
            source: format!("<{}>", tag.raw),
            language: tag.attribute("xml:lang").map(str::to_owned),
        })
    }

    /// Makes the source of an entry a feed document of its own, which can be parsed again later. `head` holds what the feed
    /// says about itself.
    pub(super) fn complete_source(&self, entry: &mut EntryDocument, head: &str, has_channel: bool) {
        let (start, root) = (&self.source, self.name);
        if entry.source.starts_with(start) {
            return;
        }
        let head = if head.len() <= MAX_REPEATED_HEAD_BYTES { head } else { "" };
        let own = &entry.source;
        entry.source = match (has_channel, entry.is_in_channel) {
            (true, true) => format!("{start}<channel>{head}{own}</channel></{root}>"),
            (true, false) => format!("{start}<channel>{head}</channel>{own}</{root}>"),
            (false, _) => format!("{start}{head}{own}</{root}>"),
        };
    }
}
