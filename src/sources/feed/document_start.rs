//! Where a feed begins in a document in which something precedes it: PHP writes warnings to the page, and plugins write
//! comments and scripts.

/// The maximum size in bytes of what may precede a feed.
const MAX_JUNK_BYTES: usize = 64 * 1024;
/// How a feed in XML begins, in lower case.
const XML_STARTS: [&str; 4] = ["<?xml", "<rss", "<rdf:rdf", "<feed"];
/// What only HTML pages have, and what is never skipped.
const OF_PAGES: [&str; 5] = ["<html", "<head", "<body", "<!doctype", "<!entity"];

/// Returns the feed in a text that begins with something else. A page of HTML has none, even if a feed is shown in it.
pub(super) fn find_after_junk(text: &str) -> Option<&str> {
    let head = text.get(..text.floor_char_boundary(MAX_JUNK_BYTES))?.to_ascii_lowercase();
    let starts = XML_STARTS.iter().flat_map(|start| head.match_indices(start));
    let ends_name =
        |at: usize| head.get(at..).is_some_and(|rest| rest.starts_with([' ', '\t', '\r', '\n', '>']));
    let xml = starts.filter(|(at, start)| *at > 0 && ends_name(at + start.len())).map(|(at, _)| at).min();
    let at = xml.or_else(|| json_start(&head))?;
    let junk = head.get(..at)?;
    if OF_PAGES.iter().any(|tag| junk.contains(tag)) {
        return None;
    }
    text.get(at..)
}

/// Returns where a JSON Feed begins: with a brace and a name.
fn json_start(text: &str) -> Option<usize> {
    if text.starts_with(['{', '[']) || !text.contains("jsonfeed.org/version/") {
        return None;
    }
    let mut braces = text.match_indices('{').map(|(at, _)| at);
    braces.find(|at| text.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with('"')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::FeedError;
    use super::super::tests::{parse_as, read};

    const RSS: &str =
        "<rss version='2.0'><channel><title>T</title><item><title>A</title></item></channel></rss>";
    const JSON: &str =
        r#"{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "A"}]}"#;

    #[test]
    fn what_precedes_or_follows_a_feed_is_ignored() {
        let warning =
            "<br />\n<b>Warning</b>: Undefined variable $x in <b>/www/feed.php</b> on line <b>3</b><br />\n";
        let headers = "Warning: Cannot modify header information - headers already sent by (output started at /a.php:1)";
        let declared = format!("<?xml version='1.0' encoding='UTF-8'?>{RSS}");
        let atom = "<?xml version=\"1.0\"?><feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title></entry></feed>";
        for feed in [RSS, &declared, atom, JSON] {
            for before in [
                "",
                "\n\n",
                "\u{FEFF}\n",
                "\n\u{FEFF}",
                "<!-- cached -->\n",
                warning,
                headers,
                "<script>x()</script>",
            ] {
                for after in [
                    "",
                    "\n",
                    "<script src='x'></script>",
                    "\n<!-- 0.3 s -->\nOK",
                    "<div><p>Ad",
                    "<!-- cut",
                    "</rss>",
                    "&",
                ] {
                    let text = format!("{before}{feed}{after}");
                    let document = read(&text);
                    assert_eq!((document.entries.len(), document.skipped), (1, Vec::new()), "{text}");
                }
            }
        }
        let between = format!("<?xml version='1.0'?>\n{warning}{RSS}");
        assert_eq!(read(&between).entries.len(), 1);
    }

    #[test]
    fn entries_after_the_end_of_a_feed_are_not_lost_without_a_line() {
        let document = read(&format!("{RSS}{RSS}"));
        let name = "what follows the end of the feed".to_owned();
        assert_eq!(
            (document.entries.len(), document.skipped.first().map(|(name, _)| name)),
            (1, Some(&name))
        );
    }

    #[test]
    fn a_page_that_shows_a_feed_is_none() {
        let error = |text: &str| parse_as(text.as_bytes(), None).unwrap_err();
        assert_eq!(error(&format!("<!doctype html><html><body>{RSS}")), FeedError::Html);
        assert_eq!(error(&format!("<html><head></head><body>{RSS}</body></html>")), FeedError::Html);
        assert_eq!(error(&format!("Hello <body>{RSS}</body>")), FeedError::NotAFeed);
        assert_eq!(error(&format!("Hello <!ENTITY x 'y'>{RSS}")), FeedError::NotAFeed);
        assert_eq!(error("<p>Hello</p>"), FeedError::NotAFeed);
        assert_eq!(error("Hello <?xml-stylesheet href='x'?><opml/>"), FeedError::NotAFeed);
        assert_eq!(error("Hello <?xml version='1.0'?><opml/>"), FeedError::NotAFeed);
        assert_eq!(error(&format!("{}{RSS}", "Hello ".repeat(20_000))), FeedError::NotAFeed);
        assert_eq!(error(&format!("[{JSON}]")), FeedError::NotAFeed);
    }

    proptest! {
        #[test]
        fn no_text_around_a_feed_hides_its_entries(before in "[a-z0-9 .:/()\n]{0,80}", after in "[a-z0-9 .<>/&\n]{0,40}") {
            let document = read(&format!("{before}{RSS}{after}"));
            prop_assert_eq!((document.entries.len(), document.skipped.len()), (1, 0));
        }
    }
}
