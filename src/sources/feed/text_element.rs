//! Texts of an entry in the form that feed-rs reads. Feeds name other types of Atom texts than those of RFC 4287, such as the
//! types and modes of Atom 0.3, and contain markup that is not escaped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::BytesStart;

use super::entry_document::XmlFormat;
use super::references::mend_references;
use super::start_tag::{StartTag, local_name};

const CDATA_START: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// A title, summary or content of an entry that has not ended yet.
#[derive(Debug)]
pub(super) struct TextElement {
    name: String,
    /// Where its content starts in the document.
    start: usize,
    /// The `type` and the `mode` in lower case.
    text_type: Option<String>,
    mode: Option<String>,
    /// Other attributes that feed-rs reads.
    others: Vec<(String, String)>,
    /// Whether it contains elements, and not only text.
    pub(super) has_elements: bool,
}

impl TextElement {
    /// Returns `None` if the element is no text.
    pub(super) fn new(tag: &StartTag<'_>, start: usize) -> Option<Self> {
        const NAMES: [&str; 7] =
            ["title", "summary", "content", "description", "encoded", "body", "fullitem"];
        let is_text = NAMES.contains(&tag.local_name()) && !tag.name.starts_with("media:");
        let lower = |name| tag.attribute(name).map(|value: &str| value.trim().to_ascii_lowercase());
        let is_read = |name: &str| matches!(name, "src" | "xml:base" | "xml:lang");
        is_text.then(|| Self {
            name: tag.name.to_owned(),
            start,
            text_type: lower("type"),
            mode: lower("mode"),
            others: tag.attributes.iter().filter(|(name, _)| is_read(name)).cloned().collect(),
            has_elements: false,
        })
    }

    /// Returns the element for feed-rs; its content ends at `end`.
    pub(super) fn to_xml(&self, document: &str, end: usize, format: XmlFormat) -> String {
        let content = document.get(self.start..end).unwrap_or_default();
        // RSS has several names for the whole text; feed-rs knows one.
        let is_whole = matches!(local_name(&self.name), "content" | "body" | "fullitem");
        let name = if is_whole && format != XmlFormat::Atom { "content:encoded" } else { &*self.name };
        let mut start = BytesStart::new(name);
        start.extend_attributes(self.others.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let content = if format == XmlFormat::Atom {
            if let Some(text_type) = self.atom_type() {
                start.push_attribute(("type", text_type));
            }
            self.decoded(content).unwrap_or_else(|| mend_references(content))
        } else if self.has_elements {
            // RSS has no markup, so this is HTML that was not escaped.
            format!("{CDATA_START}{}{CDATA_END}", without_cdata(content))
        } else {
            mend_references(content)
        };
        format!("<{}>{content}</{name}>", &*start)
    }

    /// Returns the text that a content of Atom 0.3 encodes in base64.
    fn decoded(&self, content: &str) -> Option<String> {
        if self.mode.as_deref() != Some("base64") {
            return None;
        }
        let encoded: String = content.split_whitespace().collect();
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        Some(quick_xml::escape::escape(text).into_owned())
    }

    /// Returns the type as feed-rs knows it.
    fn atom_type(&self) -> Option<&str> {
        if self.others.iter().any(|(name, _)| name == "src") {
            return self.text_type.as_deref();
        }
        let is_escaped = self.mode.as_deref() == Some("escaped") || !self.has_elements;
        let text_type = self.text_type.as_deref();
        match text_type.map(|text_type| text_type.split(';').next().unwrap_or_default().trim()) {
            None | Some("text" | "text/plain") if !self.has_elements => text_type.and(Some("text")),
            Some("text/xml" | "application/xml") => text_type,
            Some(other) if other.contains('/') && !is_markup(other) => text_type,
            _ if is_escaped => Some("html"),
            _ => Some("xhtml"),
        }
    }
}

fn is_markup(media_type: &str) -> bool {
    matches!(media_type, "text/html" | "text/plain" | "application/xhtml+xml")
}

/// Returns markup in which the text of each CDATA section is escaped.
fn without_cdata(markup: &str) -> String {
    let mut escaped = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, section)) = rest.split_once(CDATA_START) {
        escaped.push_str(before);
        let (text, after) = section.split_once(CDATA_END).unwrap_or((section, ""));
        escaped.push_str(&quick_xml::escape::escape(text));
        rest = after;
    }
    escaped.push_str(rest);
    escaped.replace(CDATA_END, "]]&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::read;

    #[test]
    fn texts_of_atom_0_3_are_read_by_their_type_and_mode() {
        for (attributes, content, expected) in [
            ("", "Salt &lt;3", "<p>Salt &lt;3</p>"),
            ("type='text/html' mode='escaped'", "&lt;b&gt;Salt&lt;/b&gt;", "<p><strong>Salt</strong></p>"),
            ("type='TEXT/HTML' mode='escaped'", "<![CDATA[<b>Salt</b>]]>", "<p><strong>Salt</strong></p>"),
            (
                "type='text/html; charset=utf-8' mode='escaped'",
                "&lt;b&gt;Salt&lt;/b&gt;",
                "<p><strong>Salt</strong></p>",
            ),
            ("type='text/plain' mode='escaped'", "Salt &lt;b&gt;", "<p>Salt &lt;b&gt;</p>"),
            (
                "type='application/xhtml+xml' mode='xml'",
                "<div xmlns='http://www.w3.org/1999/xhtml'><b>Salt</b> &amp; sand</div>",
                "<p><strong>Salt</strong> &amp; sand</p>",
            ),
            ("type='text/html' mode='xml'", "<b>Salt</b>", "<p><strong>Salt</strong></p>"),
            ("type='application/xhtml+xml'", "&lt;b&gt;Salt&lt;/b&gt;", "<p><strong>Salt</strong></p>"),
            ("mode='xml'", "Salt and <b>sand</b>", "<p>Salt and <strong>sand</strong></p>"),
            ("type='text/html' mode='base64'", "PGI+U2Fs\n dDwvYj4=", "<p><strong>Salt</strong></p>"),
        ] {
            let feed = format!(
                "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>A</title>\
                 <link rel='alternate' type='text/html' href='https://crit.example/a'/>\
                 <content {attributes}>{content}</content></entry></feed>"
            );
            let document = read(&feed);
            let entry = document.entries.first().expect(attributes);
            assert_eq!(entry.content.body, expected, "{attributes}");
            assert_eq!(entry.content.canonical_url.as_ref().unwrap().as_str(), "https://crit.example/a");
        }
    }

    #[test]
    fn an_entry_may_declare_the_namespace_of_its_feed() {
        for (root, entry) in [
            ("<feed>", "<entry xmlns='http://www.w3.org/2005/Atom'>"),
            ("<feed xmlns='http://example.com/newformat#'>", "<entry>"),
            ("<feed>", "<entry xmlns='http://purl.org/atom/ns#'>"),
        ] {
            let document = read(&format!("{root}{entry}<title>Salt</title></entry></feed>"));
            assert_eq!(document.entries.first().expect(root).content.title, "Salt");
        }
        let prefixed =
            "<a:feed xmlns:a='http://purl.org/atom/ns#'><a:entry><a:title>Salt</a:title></a:entry></a:feed>";
        assert_eq!(read(prefixed).entries.first().unwrap().content.title, "Salt");
    }

    #[test]
    fn markup_that_rss_does_not_escape_is_the_text() {
        for (description, expected) in [
            ("<p>Salt, <b>sand</b></p><p>Sea</p>", "<p>Salt, <strong>sand</strong></p><p>Sea</p>"),
            ("Salt &amp; <i>sand</i> &lt;3", "<p>Salt &amp; <em>sand</em> &lt;3</p>"),
            ("<p><![CDATA[Salt <3]]></p>", "<p>Salt &lt;3</p>"),
            ("<p>Salt & sand</p>", "<p>Salt &amp; sand</p>"),
            ("<p>Salt<br/>sand<x:y/></p>", "<p>Salt<br>sand</p>"),
            ("<p><video controls></video>Salt</p>", "<p>Salt</p>"),
        ] {
            let item = format!("<item><title>A</title><description>{description}</description></item>");
            let document = read(&format!("<rss><channel>{item}</channel></rss>"));
            assert_eq!(document.entries.first().expect(description).content.body, expected, "{description}");
        }
    }

    #[test]
    fn the_whole_text_of_an_rss_item_has_several_names() {
        for element in [
            "<content:encoded>&lt;b&gt;Salt&lt;/b&gt;</content:encoded>",
            "<body xmlns='http://www.w3.org/1999/xhtml'><b>Salt</b></body>",
            "<xhtml:body xmlns:xhtml='http://www.w3.org/1999/xhtml'><b>Salt</b></xhtml:body>",
            "<fullitem>&lt;b&gt;Salt&lt;/b&gt;</fullitem>",
            "<atom:content type='html' xmlns:atom='http://www.w3.org/2005/Atom'>&lt;b&gt;Salt&lt;/b&gt;</atom:content>",
        ] {
            let item = format!("<item><title>A</title><description>Short</description>{element}</item>");
            let document = read(&format!("<rss><channel>{item}</channel></rss>"));
            assert_eq!(
                document.entries.first().expect(element).content.body,
                "<p><strong>Salt</strong></p>",
                "{element}"
            );
        }
    }

    #[test]
    fn an_item_of_rss_1_0_needs_no_link() {
        for namespace in ["http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/"] {
            let root = format!(
                "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='{namespace}' \
                 xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Row</title><dc:language>fr</dc:language>\
                 </channel>"
            );
            let items = "<item rdf:about='https://crit.example/a'><title>A</title></item>\
                <item><title>B</title><dc:language>de</dc:language></item>";
            let document = read(&format!("{root}{items}</rdf:RDF>"));
            let [first, second] = document.entries.as_slice() else { panic!("{document:?}") };
            assert_eq!(first.content.canonical_url.as_ref().unwrap().as_str(), "https://crit.example/a");
            assert_eq!((second.content.title.as_str(), &second.content.canonical_url), ("B", &None));
            let languages = [&document.language, &first.content.language, &second.content.language];
            assert_eq!(languages.map(|language| language.as_deref().unwrap()), ["fr", "fr", "de"]);
        }
    }

    #[test]
    fn what_an_entry_leaves_open_ends_with_it() {
        let item = |name: &str, text: &str| {
            format!("<item><title>{name}</title><description>{text}</description></item>")
        };
        for (text, what) in [
            ("<![CDATA[<p>Salt</p>", "<![CDATA["),
            ("<!-- <p>Salt</p>", "<!--"),
            ("<a href=\"https://crit.example>Salt</a>", "<a"),
            ("<? Salt", "<?"),
            ("<!salt ", "<!salt"),
        ] {
            for last in ["<![CDATA[Sea]]>", "<!-- Sea --> \"Sea\" ?>"] {
                let items = [item("A", "Sand"), item("Broken", text), item("Third", last), item("D", "Sea")];
                let document =
                    read(&format!("<rss version='2.0'><channel>{}</channel></rss>", items.concat()));
                let titles: Vec<_> = document.entries.iter().map(|e| e.content.title.as_str()).collect();
                assert_eq!(titles, ["A", "Third", "D"], "{text}");
                let [(name, reason)] = document.skipped.as_slice() else { panic!("{text}: {document:?}") };
                assert_eq!((name.as_str(), reason), ("Broken", &format!("{what:?} is not closed")));
            }
        }
    }

    proptest! {
        #[test]
        fn damage_to_an_entry_leaves_the_others(
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4_usize, "[<>&\"'/!?=\\[\\]a-c -]{0,4}"), 1..4)
        ) {
            let item = |name: &str| {
                format!(
                    "<item><title>{name}</title><link>https://crit.example/{name}</link>\
                     <description><![CDATA[<p class=\"x\">Salt</p>]]></description></item>"
                )
            };
            let mut broken = item("Broken");
            for (at, removed, inserted) in edits {
                let at = at.index(broken.len());
                let end = (at + removed).min(broken.len());
                broken.replace_range(at..end, &inserted);
            }
            // What begins or ends an entry is not damage to one.
            prop_assume!(broken.matches("</item>").count() == 1 && broken.ends_with("</item>"));
            prop_assume!(broken.matches("<item>").count() == 1 && broken.starts_with("<item>"));
            let items = [item("A"), broken.clone(), item("Third"), item("D")].concat();
            let document = read(&format!("<rss version='2.0'><channel>{items}</channel></rss>"));
            let titles: Vec<_> = document.entries.iter().map(|entry| entry.content.title.as_str()).collect();
            for good in ["A", "Third", "D"] {
                prop_assert!(titles.contains(&good), "{}: {:?} {:?}", broken, titles, document.skipped);
            }
            prop_assert_eq!(document.entries.len() + document.skipped.len(), 4);
        }
    }

    #[test]
    fn what_precedes_the_missing_end_of_a_feed_is_read() {
        let item = |name: &str| format!("<item><title>{name}</title><description>Salt</description></item>");
        let whole = format!("<rss version='2.0'><channel>{}{}", item("A"), item("B"));
        for (end, skipped) in [
            ("</channel></rss", "the end of the feed"),
            ("</channel>", "the end of the feed"),
            ("", "the end of the feed"),
            ("<!-- cut", "the end of the feed"),
            ("<item><title>C</title><description><![CDATA[cut", "C"),
            ("<item><title>C</title><descr", "C"),
        ] {
            let document = read(&format!("{whole}{end}"));
            assert_eq!(document.entries.len(), 2, "{end}");
            let [(name, reason)] = document.skipped.as_slice() else { panic!("{end}: {document:?}") };
            assert_eq!(name, skipped);
            assert!(reason.starts_with("the feed is truncated: "), "{reason}");
        }
    }
}
