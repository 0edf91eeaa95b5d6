//! Start tags of an XML feed.

use quick_xml::events::BytesStart;

use super::excerpt;
use super::references::decode_references;

/// The maximum number of attributes of one element.
const MAX_ATTRIBUTES: usize = 256;
/// The maximum size of an element's name in bytes.
const MAX_NAME_BYTES: usize = 200;
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
    /// Why it is no tag of XML.
    pub(super) problem: Option<String>,
}

impl<'a> StartTag<'a> {
    pub(super) fn parse(tag: &BytesStart<'_>, name: &'a str) -> Self {
        let begins_name = |c: char| c.is_alphabetic() || c == '_';
        let is_name = name.len() <= MAX_NAME_BYTES && name.starts_with(begins_name);
        let mut problem = (!is_name).then(|| format!("<{}", excerpt(name)));
        let mut attributes = Vec::new();
        // feed-rs checks for duplicates, so that only the entry that has them is skipped.
        for attribute in tag.attributes().with_checks(false) {
            if attributes.len() >= MAX_ATTRIBUTES {
                let what = format!("<{}> has more than {MAX_ATTRIBUTES} attributes", excerpt(name));
                problem.get_or_insert(what);
                break;
            }
            let Ok(attribute) = attribute else {
                problem.get_or_insert_with(|| format!("an attribute of <{}> has no value", excerpt(name)));
                break;
            };
            attributes.push((attribute.key.as_ref().to_owned(), decode_references(&attribute.value)));
        }
        Self { name, attributes, raw: (**tag).to_owned(), problem }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn local_name(&self) -> &'a str {
        local_name(self.name)
    }

    pub(super) fn namespace_declarations(&self) -> usize {
        self.attributes.iter().filter(|(name, _)| name == "xmlns" || name.starts_with("xmlns:")).count()
    }

    /// Returns the tag as the root of a document for feed-rs, without angle brackets. The elements of a feed have no namespace
    /// there: some feeds declare one of their own, and that of Atom 0.3 is one that feed-rs does not know.
    pub(super) fn to_root(&self, name: &str) -> String {
        let mut root = BytesStart::new(name);
        let own = self.attributes.iter().map(|(name, value)| (name.as_str(), current_namespace(value)));
        root.extend_attributes(own.filter(|(name, _)| !matches!(*name, "version" | "xmlns")));
        root.push_attribute(("version", "2.0"));
        root.extend_attributes(
            IMPLIED_NAMESPACES.into_iter().filter(|(name, _)| self.attribute(name).is_none()),
        );
        (*root).to_owned()
    }

    /// Returns the tag of an entry in the same way.
    pub(super) fn to_entry(&self) -> String {
        if self.attribute("xmlns").is_none() {
            return self.raw.clone();
        }
        let mut entry = BytesStart::new(self.name);
        let own = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        entry.extend_attributes(own.filter(|(name, _)| *name != "xmlns"));
        (*entry).to_owned()
    }
}

/// Returns a name without its prefix.
pub(super) fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Returns the namespace that replaced an earlier one of Atom or RSS, or the same one.
fn current_namespace(uri: &str) -> &str {
    match uri {
        "http://purl.org/atom/ns#" => "http://www.w3.org/2005/Atom",
        "http://my.netscape.com/rdf/simple/0.9/"
        | "http://channel.netscape.com/rdf/simple/0.9/"
        | "http://backend.userland.com/rss2" => "http://purl.org/rss/1.0/",
        uri => uri,
    }
}

#[cfg(test)]
mod tests {
    use super::super::FeedError;
    use super::super::tests::{parse_as, read};

    const GOOD: &str = "<item><title>Good</title></item>";

    fn rss(items: &str) -> String {
        format!("<rss version='2.0'><channel>{items}</channel></rss>")
    }

    #[test]
    fn an_entry_that_would_exhaust_a_parser_is_skipped() {
        let attributes = " a=''".repeat(80_000);
        let many = " xmlns:n='x'".repeat(100);
        let (wide, deep) = (format!("<p{attributes}/>"), "<a>".repeat(100_000));
        let too_deep = "its elements or namespaces are nested too deeply";
        for (broken, reason) in [
            (
                format!("<item{attributes}><title>Broken</title></item>"),
                "<item> has more than 256 attributes",
            ),
            (format!("<item><title>Broken</title>{wide}</item>"), "<p> has more than 256 attributes"),
            (format!("<item><title>Broken</title>{deep}</item>"), too_deep),
            (format!("<item><title>Broken</title><description>{deep}</description></item>"), too_deep),
            (format!("<item{many}><title>Broken</title></item>"), too_deep),
            (format!("<item><title>Broken</title><p{many}/></item>"), too_deep),
        ] {
            let document = read(&rss(&format!("{GOOD}{broken}{GOOD}")));
            assert_eq!(document.entries.len(), 2, "{reason}");
            assert_eq!(document.skipped, [("Broken".to_owned(), reason.to_owned())]);
        }
        let endless = rss(&format!("{GOOD}<item><title>A</title>{deep}"));
        assert_eq!(parse_as(endless.as_bytes(), None).unwrap_err(), FeedError::TooNested);
        let image = rss(&format!("<image{attributes}><url>x</url></image><title>A <3 B</title>{GOOD}"));
        assert_eq!(read(&image).entries.len(), 1);
    }
}
