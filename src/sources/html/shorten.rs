//! Shortens safe HTML to a number of bytes.
//!
//! It ends with the last block that fits. Only where that would leave less than half of the room in use, as with one long
//! paragraph, a block ends within its text, at the end of a word.

use super::elements;
use super::tree::{Element, Node};
use crate::domain::html_escape::serialized_char_len;

/// Ends a text that was cut.
const ELLIPSIS: &str = "\u{2026}";
/// The last word of a text that was cut is dropped, unless it is longer than this.
const MAX_WORD_BYTES: usize = 40;

/// Shortens nodes so that they take at most `limit` bytes as HTML.
pub(super) fn shorten(nodes: Vec<Node>, limit: usize) -> Vec<Node> {
    if nodes.iter().map(Node::bytes).sum::<usize>() <= limit {
        return nodes;
    }
    let Some(room) = limit.checked_sub(ELLIPSIS.len()) else { return Vec::new() };
    Shortener { left: room, enough: room / 2 }.keep(nodes)
}

struct Shortener {
    /// The bytes that may still be used. There is room for one ellipsis beside them.
    left: usize,
    /// A block that does not fit is left out if no more than this is left.
    enough: usize,
}

impl Shortener {
    /// Returns the nodes that fit, up to the first one that does not.
    fn keep(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        let mut kept = Vec::new();
        for node in nodes {
            let bytes = node.bytes();
            if bytes > self.left {
                kept.extend(self.cut(node));
                break;
            }
            self.left -= bytes;
            kept.push(node);
        }
        kept
    }

    /// Returns the beginning of a node that does not fit.
    fn cut(&mut self, node: Node) -> Option<Node> {
        let element = match node {
            Node::Text(text) => return Some(Node::Text(self.cut_text(&text))),
            // A link ends with the host that it leads to, so it is shown as a whole or not at all.
            Node::Element(e) if e.name == "a" => return Some(Node::Text(ELLIPSIS.to_owned())),
            Node::Element(e) if elements::is_void(&e.name) => return None,
            Node::Element(e) => e,
        };
        let is_paragraph = element.is_block() && !element.children.iter().any(Node::is_block);
        let tags = element.tag_bytes();
        if tags > self.left || (is_paragraph && self.left <= self.enough) {
            return None;
        }
        self.left -= tags;
        let children = self.keep(element.children);
        (!children.is_empty()).then_some(Node::Element(Element { children, ..element }))
    }

    fn cut_text(&self, text: &str) -> String {
        let (mut end, mut word_end, mut bytes) = (0, 0, 0);
        for (at, c) in text.char_indices() {
            if c.is_whitespace() {
                word_end = at;
            }
            bytes += serialized_char_len(c);
            if bytes > self.left {
                break;
            }
            end = at + c.len_utf8();
        }
        // A text without spaces ends anywhere.
        let end = if end - word_end.min(end) <= MAX_WORD_BYTES { word_end.min(end) } else { end };
        format!("{}{ELLIPSIS}", text.get(..end).unwrap_or_default().trim_end())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tree;
    use super::*;

    fn shortened(html: &str, limit: usize) -> String {
        tree::write(&shorten(tree::parse(html), limit))
    }

    #[test]
    fn a_text_ends_with_the_last_block_that_fits() {
        let html = "<p>one two</p><p>three</p><ul><li>four</li><li>five</li></ul><p>six</p>";
        assert_eq!(shortened(html, html.len()), html);
        assert_eq!(shortened(html, html.len() - 1), html.replace("<p>six</p>", ""));
        assert_eq!(shortened(html, 56), "<p>one two</p><p>three</p><ul><li>four</li></ul>");
        assert_eq!(shortened(html, 43), "<p>one two</p><p>three</p>");
        let quoted = "<blockquote><p>one</p><p>two</p></blockquote>";
        assert_eq!(shortened(quoted, 40), "<blockquote><p>one</p></blockquote>");
    }

    #[test]
    fn one_long_block_ends_with_a_word() {
        assert_eq!(shortened("<p>one two three four five</p>", 24), "<p>one two three\u{2026}</p>");
        assert_eq!(shortened("<p>one <em>two three</em> four</p>", 31), "<p>one <em>two\u{2026}</em></p>");
        assert_eq!(shortened(&format!("<p>{}</p>", "\u{6620}".repeat(99)), 210).chars().count(), 7 + 66 + 1);
        let link = "<p>Look: <a href=\"https://evil.example/\">bank.example (evil.example)</a></p>";
        assert_eq!(shortened(link, link.len() - 1), "<p>Look: \u{2026}</p>");
    }

    proptest! {
        #[test]
        fn the_result_is_never_longer_than_the_limit(
            parts in proptest::collection::vec(prop_oneof![
                Just("<p>a few words &amp; more</p>"), Just("<blockquote><p>&lt;</p>"), Just("</blockquote>"), Just("<br>"),
                Just("<ul><li>x"), Just("</li></ul>"), Just("<a href=\"https://a.example/?a&amp;b\">link</a>"),
                Just("<strong>strong"), Just("</strong>"), Just("words and words "), Just("&amp;&amp;&amp;&amp;&amp;"),
            ], 0..40),
            limit in 0_usize..600,
        ) {
            let html = tree::write(&tree::parse(&parts.concat()));
            let short = shortened(&html, limit);
            prop_assert!(short.len() <= limit, "{} of {limit}: {short}", short.len());
            prop_assert_eq!(short == html, html.len() <= limit);
        }
    }
}
