//! One entry of an XML feed.

use super::members::Members;
use crate::domain::feed_entry::EntrySource;

/// The children of an entry that feed-rs reads. Those in `members` are read besides, and all others are dropped.
pub(super) const KEPT_CHILDREN: [&str; 13] = [
    "title",
    "link",
    "description",
    "summary",
    "content",
    "encoded",
    "body",
    "fullitem",
    "category",
    "guid",
    "id",
    "subject",
    "language",
];
/// The children of an entry that hold its dates, in lower case: RSS and Atom of all versions, and Dublin Core. feed-rs does
/// not read them, since it knows fewer forms of dates.
pub(super) const DATE_CHILDREN: [&str; 7] =
    ["pubdate", "date", "published", "issued", "created", "updated", "modified"];

/// The format of an XML feed, which its root element determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XmlFormat {
    /// RSS 0.9x or 2.0.
    Rss,
    /// RSS 1.0.
    Rdf,
    /// Atom.
    Atom,
}

/// One entry as a separate document, with the members that feed-rs does not parse.
#[derive(Debug, Default)]
pub(super) struct EntryDocument {
    /// The feed with only this entry, for feed-rs.
    pub(super) xml: String,
    /// The feed with only this entry, as it is in the document.
    pub(super) source: String,
    /// The hash of the entry, if it is too large to be kept.
    pub(super) hash: Option<String>,
    /// The `xml:lang` of its text, or else of its element.
    pub(super) language: Option<String>,
    /// The `rdf:about`, which is the id in RSS 1.0.
    pub(super) about: Option<String>,
    /// Whether the guid is the URL of the entry (`isPermaLink`).
    pub(super) is_permalink: bool,
    /// Whether it is within the channel, as in RSS 2.0, and not beside it, as in RSS 1.0.
    pub(super) is_in_channel: bool,
    /// Images and other media.
    pub(super) media: Vec<MediaElement>,
    /// Its title, or else its link or id, for the log.
    pub(super) name: Option<String>,
    /// Why it cannot be read, if its tags do not match.
    pub(super) problem: Option<String>,
    /// Its dates: the name of the element in lower case, and its text.
    pub(super) dates: Vec<(String, String)>,
    /// What else it says about itself.
    pub(super) members: Members,
}

impl EntryDocument {
    /// Returns what is kept of the entry.
    pub(super) fn kept_source(&self) -> EntrySource {
        match &self.hash {
            Some(hash) => EntrySource::Hash(hash.clone()),
            None => EntrySource::Document(self.source.clone()),
        }
    }

    /// Returns the first date of those names.
    pub(super) fn date(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|wanted| {
            let found = self.dates.iter().find(|(name, text)| name == wanted && !text.is_empty());
            found.map(|(_, text)| text.as_str())
        })
    }
}

/// `<enclosure>`, `<media:content>`, `<media:thumbnail>` or `<itunes:image>`.
#[derive(Debug)]
pub(super) struct MediaElement {
    /// The name without the prefix.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// What `<media:description>`, `<media:text>` and `<media:title>` within it say, with the name of the element.
    pub(super) texts: Vec<(&'static str, String)>,
}

impl MediaElement {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}
