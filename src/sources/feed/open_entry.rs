//! An entry of an XML feed that has not ended yet.

use super::entry_document::{EntryDocument, XmlFormat};
use super::excerpt;
use super::members::text_of;
use super::references::decode_references;
use super::root_element::Root;
use super::start_tag::StartTag;
use crate::sources::html;

/// An entry that has not ended yet.
pub(super) struct OpenEntry {
    pub(super) document: EntryDocument,
    /// The name of its element.
    name: String,
    /// Where its start tag begins in the document.
    start: usize,
    /// How many elements were open when it had begun.
    pub(super) depth: usize,
}

impl OpenEntry {
    /// Begins an entry with its start tag.
    pub(super) fn new(root: &Root<'_>, tag: &StartTag<'_>, start: usize, depth: usize) -> Self {
        let xml = match (root.format, depth) {
            (_, 1) => root.tag.clone(),
            (XmlFormat::Atom, _) => format!("{}<{}>", root.tag, tag.to_entry()),
            _ => format!("{}<channel><{}>", root.tag, tag.to_entry()),
        };
        let document = EntryDocument {
            xml,
            language: tag.attribute("xml:lang").map(str::to_owned),
            about: tag.attribute("rdf:about").map(str::to_owned),
            is_permalink: true,
            ..EntryDocument::default()
        };
        Self { document, name: tag.name.to_owned(), start, depth }
    }

    /// Takes the name of the entry in the log from its title, or else from its link or id. A member whose end tag is missing
    /// (`is_closed`) ends at the next tag.
    pub(super) fn learn_name(&mut self, member: &str, xml: &str, is_closed: bool) {
        if !matches!(member, "title" | "link" | "guid" | "id") {
            return;
        }
        let text = if is_closed {
            text_of(xml)
        } else {
            let inner = xml.split_once('>').map_or("", |(_, inner)| inner).trim_start();
            let inner = inner.strip_prefix("<![CDATA[").unwrap_or(inner);
            decode_references(inner.split('<').next().unwrap_or_default())
        };
        let text = excerpt(&html::plain_text(&text));
        if !text.is_empty() && (member == "title" || self.document.name.is_none()) {
            self.document.name = Some(text);
        }
    }

    /// Ends the entry at that position of the feed. `is_closed` tells whether its end tag is there.
    pub(super) fn finish(
        self,
        root: &Root<'_>,
        feed: &str,
        position: usize,
        is_closed: bool,
    ) -> EntryDocument {
        let Self { mut document, name, start, depth } = self;
        feed.get(start..position).unwrap_or_default().clone_into(&mut document.source);
        if !is_closed {
            document.source.extend(["</", &name, ">"]);
        }
        (document.hash, document.is_in_channel) = (super::hash_of_large(&document.source), depth == 3);
        let end = match root.format {
            _ if depth == 1 => format!("</{name}>"),
            XmlFormat::Atom => format!("</{name}></{}>", root.name),
            XmlFormat::Rss | XmlFormat::Rdf => format!("</{name}></channel></{}>", root.parser_name),
        };
        document.xml.push_str(&end);
        document
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::read;
    use super::super::{EntrySource, FeedDocument};

    fn item(title: &str, more: &str) -> String {
        format!("<item><title>{title}</title><description>Salt {title}</description>{more}</item>")
    }

    fn unclosed(title: &str, more: &str) -> String {
        item(title, more).replace("</item>", "")
    }

    fn rss(items: &[String]) -> FeedDocument {
        read(&format!("<rss version='2.0'><channel>{}</channel></rss>", items.concat()))
    }

    fn titles(document: &FeedDocument) -> Vec<&str> {
        document.entries.iter().map(|entry| entry.content.title.as_str()).collect()
    }

    #[test]
    fn an_entry_begins_the_next_one_if_the_end_tag_before_it_is_missing() {
        let cut_text = "<item><title>B</title><description>Salt".to_owned();
        let cut_title = "<item><title>B".to_owned();
        for (items, read, skipped) in [
            (vec![item("A", ""), unclosed("B", ""), item("C", "")], vec!["A", "B", "C"], None),
            (vec![unclosed("A", ""), unclosed("B", ""), item("C", "")], vec!["A", "B", "C"], None),
            (
                vec![item("A", ""), unclosed("B", "<category>x</category>\n "), item("C", "")],
                vec!["A", "B", "C"],
                None,
            ),
            // The last one is ended by the channel.
            (vec![item("A", ""), unclosed("B", "")], vec!["A", "B"], None),
            (
                vec![item("A", ""), cut_text, item("C", "")],
                vec!["A", "C"],
                Some("<description> is closed by <item>"),
            ),
            (
                vec![item("A", ""), cut_title, item("C", "")],
                vec!["A", "C"],
                Some("<title> is closed by <item>"),
            ),
            // What an entry has after one within it is not read, so it is not whole.
            (
                vec![item("A", ""), item("B", &item("X", "")), item("C", "")],
                vec!["A", "X", "C"],
                Some("unmatched </item>"),
            ),
        ] {
            let document = rss(&items);
            assert_eq!(titles(&document), read, "{items:?}");
            let expected: Vec<_> =
                skipped.map(|reason| ("B".to_owned(), reason.to_owned())).into_iter().collect();
            assert_eq!(document.skipped, expected, "{items:?}");
        }
    }

    #[test]
    fn an_entry_without_an_end_tag_is_the_same_when_it_is_read_again() {
        let feed = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title><id>1</id>\
            <content type='html'>Salt</content><entry><title>B</title><id>2</id></entry></feed>";
        let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>\
            <channel><title>T</title></channel><item><title>A</title><item><title>B</title></item></rdf:RDF>";
        let rss = "<rss><channel><item><title>A</title><link>/a</link><item><title>B</title></item></channel></rss>";
        for text in [feed, rdf, rss] {
            let document = read(text);
            assert_eq!((titles(&document), document.skipped.len()), (vec!["A", "B"], 0), "{text}");
            for entry in &document.entries {
                let EntrySource::Document(source) = &entry.source else { panic!("{entry:?}") };
                assert_eq!(read(source).entries, std::slice::from_ref(entry), "{source}");
            }
        }
    }

    #[test]
    fn the_name_of_a_skipped_entry_ends_with_its_title() {
        let rest = "<link>https://crit.example/7</link><guid>7</guid><pubDate>Mon, 30 Nov 2026</pubDate>";
        for (title, name) in [
            ("<title>A & B &amp; C", "A & B & C"),
            ("<title><![CDATA[A & B</title>", "A & B"),
            ("<title>A <i>B</title>", "A B"),
            ("<title>A <3 B</title><p>", "A <3 B"),
            ("<title>A", "A"),
            ("<link>https://crit.example/7", "https://crit.example/7"),
        ] {
            let document = rss(&[item("Z", ""), format!("<item>{title}{rest}</item>"), item("Y", "")]);
            assert_eq!(titles(&document), ["Z", "Y"], "{title}");
            let [(skipped, _)] = document.skipped.as_slice() else { panic!("{title}: {document:?}") };
            assert_eq!(skipped, name, "{title}");
        }
    }

    #[test]
    fn elements_of_that_name_elsewhere_in_an_entry_begin_none() {
        let scores = "<scores><item>5</item><item>4</item></scores>";
        let document = rss(&[item("A", scores), item("B", "<media:item/>")]);
        assert_eq!((titles(&document), document.skipped.len()), (vec!["A", "B"], 0));
    }

    proptest! {
        #[test]
        fn missing_end_tags_of_entries_lose_no_entry(closed in proptest::collection::vec(any::<bool>(), 1..8)) {
            let names: Vec<String> = (0..closed.len()).map(|n| format!("Film {n}")).collect();
            let items: Vec<String> = names.iter().zip(&closed)
                .map(|(name, closed)| if *closed { item(name, "") } else { unclosed(name, "") })
                .collect();
            let document = rss(&items);
            prop_assert_eq!(titles(&document), names);
            prop_assert_eq!(document.skipped.len(), 0);
        }
    }
}
