//! The teaser of a review: the first sentences of its body.

use super::tree::{self, Element, Node};
use super::truncate::truncate;
use super::{images, text_of};

/// The maximum length of a teaser in characters.
const MAX_TEASER_CHARS: usize = 280;

/// The longest line of facts, in characters.
const MAX_FACT_CHARS: usize = 80;

/// Returns the first sentences of a body that `sanitize_review_body` returned, as plain text.
pub fn teaser(body: &str) -> String {
    let nodes = tree::parse(body);
    let mut prose = String::new();
    let mut facts = String::new();
    for node in &nodes {
        let Node::Element(paragraph) = node else { continue };
        let is_trailer = |link: &Node| matches!(link, Node::Element(link) if images::is_trailer(link));
        if paragraph.name != "p" || matches!(paragraph.children.as_slice(), [link] if is_trailer(link)) {
            continue;
        }
        let text = text_of(&without_footnote_references(&paragraph.children)).replace('\n', " ");
        // What stands before the first sentence is a byline, or facts such as the running time.
        if prose.is_empty() && is_fact(&text) {
            facts.push_str(&text);
            facts.push(' ');
            continue;
        }
        if !prose.is_empty() {
            prose.push(' ');
        }
        prose.push_str(&text);
        if prose.chars().count() > MAX_TEASER_CHARS {
            break;
        }
    }
    if prose.is_empty() {
        facts.trim_end().clone_into(&mut prose);
    }
    if prose.is_empty() {
        prose = text_of(&nodes).replace('\n', " ");
    }
    leading_sentences(&prose, MAX_TEASER_CHARS)
}

/// Whether a paragraph is a line without a sentence.
fn is_fact(text: &str) -> bool {
    let text = text.trim_end_matches(['"', '\'', '\u{201D}', '\u{2019}', ')', ']', '\u{BB}', ' ']);
    text.chars().count() <= MAX_FACT_CHARS && !text.ends_with(['.', '!', '?', '…', '。', '！', '？', ':'])
}

/// Returns the nodes without references to footnotes.
fn without_footnote_references(nodes: &[Node]) -> Vec<Node> {
    let leads_to_note = |node: &Node| matches!(node, Node::Element(link) if link.attribute("href").is_some_and(|href| href.starts_with('#')));
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Element(e) if e.name == "sup" && e.children.iter().any(leads_to_note) => {}
            Node::Element(e) => {
                kept.push(Node::Element(Element {
                    children: without_footnote_references(&e.children),
                    ..e.clone()
                }));
            }
            Node::Text(_) => kept.push(node.clone()),
        }
    }
    kept
}

/// Abbreviations whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 16] =
    ["mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "no", "prof", "lt", "col", "gen", "capt", "e.g", "i.e"];

/// Returns the whole sentences that fit into `max_chars`, or the beginning of the first one if it is longer.
fn leading_sentences(text: &str, max_chars: usize) -> String {
    let window: String = text.chars().take(max_chars + 1).collect();
    let mut end = None;
    for (at, c) in window.char_indices() {
        let after = window.get(at + c.len_utf8()..).unwrap_or_default();
        let is_wide = matches!(c, '。' | '！' | '？');
        if !is_wide && !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let closing = after.trim_start_matches(['"', '\'', '\u{201D}', '\u{2019}', ')', ']', '\u{BB}']);
        let ends = is_wide || closing.is_empty() || closing.starts_with(char::is_whitespace);
        let begins = closing.trim_start().chars().next().is_none_or(|c| !c.is_lowercase());
        let word = window.get(..at).and_then(|w| w.rsplit(|c: char| c.is_whitespace() || c == '(').next());
        let word = word.unwrap_or_default().to_lowercase();
        let is_abbreviation =
            c == '.' && (word.chars().count() == 1 || ABBREVIATIONS.contains(&word.as_str()));
        if ends && begins && !is_abbreviation {
            let length = window.len() - closing.len();
            if window.get(..length).is_some_and(|s| s.chars().count() <= max_chars) {
                end = Some(length);
            }
        }
    }
    match end {
        Some(end) => window.get(..end).unwrap_or_default().trim().to_owned(),
        None => truncate(text, max_chars),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_teaser_consists_of_whole_sentences() {
        let text = "Mr. J. Doe waits. \u{201C}For what?\u{201D} he asks. Nobody knows the answer at all.";
        assert_eq!(leading_sentences(text, 30), "Mr. J. Doe waits.");
        assert_eq!(leading_sentences(text, 50), "Mr. J. Doe waits. \u{201C}For what?\u{201D} he asks.");
        assert_eq!(leading_sentences(text, 10), "Mr. J.…");
        assert_eq!(leading_sentences("彼は待つ。誰も来ない。", 6), "彼は待つ。");
    }

    #[test]
    fn a_teaser_begins_with_the_first_sentence() {
        let prose = "<p>A postman rows. There is a dog.</p>";
        for facts in ["Runtime: 139 min", "by Nora Quill", "★★★★", "Drama | 2024"] {
            assert_eq!(
                teaser(&format!("<p>{facts}</p>{prose}")),
                "A postman rows. There is a dog.",
                "{facts}"
            );
        }
        assert_eq!(teaser("<p>Runtime: 139 min</p>"), "Runtime: 139 min");
        // A line between sentences stays.
        assert_eq!(teaser(&format!("{prose}<p>The end</p>")), "A postman rows. There is a dog.");
    }
}
