//! Start tags of an XML feed.

use quick_xml::events::BytesStart;

use super::entry_document::XmlFormat;
use super::references::decode_references;
use super::{FeedError, excerpt};

/// The maximum number of attributes of one element.
const MAX_ATTRIBUTES: usize = 256;
/// Prefixes that feeds use without declaring them.
const IMPLIED_NAMESPACES: [(&str, &str); 2] = [
    ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
    ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
];

/// A start tag. References in the values are decoded.
pub(super) struct StartTag<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: Vec<(String, String)>,
    /// The tag as it is in the document, without its angle brackets.
    pub(super) raw: String,
}

impl<'a> StartTag<'a> {
    pub(super) fn parse(tag: &BytesStart<'_>, name: &'a str) -> Result<Self, FeedError> {
        let mut attributes = Vec::new();
        // feed-rs checks for duplicates, so that only the entry that has them is skipped.
        for attribute in tag.attributes().with_checks(false) {
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(FeedError::TooManyAttributes(excerpt(name)));
            }
            let attribute = attribute.map_err(|_| {
                FeedError::Malformed(format!("an attribute of <{}> has no value", excerpt(name)))
            })?;
            attributes.push((attribute.key.as_ref().to_owned(), decode_references(&attribute.value)));
        }
        Ok(Self { name, attributes, raw: (**tag).to_owned() })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn local_name(&self) -> &'a str {
        self.name.rsplit(':').next().unwrap_or(self.name)
    }

    pub(super) fn namespace_declarations(&self) -> usize {
        self.attributes.iter().filter(|(name, _)| name == "xmlns" || name.starts_with("xmlns:")).count()
    }

    /// Returns the tag as the root of a document for feed-rs. The elements of RSS have no namespace, but some feeds declare
    /// one for them.
    pub(super) fn to_root(&self, format: XmlFormat) -> String {
        let mut root = BytesStart::new(self.name);
        let own = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let is_kept = |name: &str| name != "version" && (name != "xmlns" || format != XmlFormat::Rss);
        root.extend_attributes(own.filter(|(name, _)| is_kept(name)));
        root.push_attribute(("version", "2.0"));
        root.extend_attributes(
            IMPLIED_NAMESPACES.into_iter().filter(|(name, _)| self.attribute(name).is_none()),
        );
        format!("<{}>", &*root)
    }
}
