//! The one place that makes HTML safe. `shape` bounds size and depth, so that all after it takes linear
//! time; ammonia decides what may stay; then links, headings and paragraphs are put in order on the tree.

mod body;
mod comments;
mod lexer;
mod normalize;
mod paragraphs;
mod pictures;
mod text;
pub mod trailer;
mod tree;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use crate::domain::text::strip_deceptive_characters;

pub use body::sanitize_review_body;
pub use comments::sanitize_comment;
pub(super) use pictures::picture_url;
pub use pictures::{
    LocalPicture, MAX_PICTURES, MIN_PICTURE_PIXELS, PictureAction, PictureSlot, first_image,
    replace_pictures, without_picture,
};
pub use text::single_line_text;
pub(super) use tree::{Element, Node};

/// More bytes of HTML than this are not read.
pub const MAX_BYTES: usize = 1_000_000;
/// A longer address is dropped.
pub(super) const MAX_URL: usize = 2_000;
/// Characters of a teaser.
const TEASER: usize = 280;

/// Elements that a body can have, before it is put in order.
const BODY: [&str; 66] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "nav",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let only = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    builder
        .tags(only(&BODY))
        .tag_attributes(HashMap::from([
            ("a", only(&["href", "class"])),
            ("img", only(&["src", "data-src", "data-lazy-src", "alt", "width", "height"])),
            ("ol", only(&["start"])),
            ("td", only(&["colspan", "rowspan", "class"])),
            ("th", only(&["colspan", "rowspan"])),
            ("span", only(&["class"])),
            ("div", only(&["class"])),
            ("p", only(&["class"])),
            ("table", only(&["class"])),
        ]))
        .generic_attributes(only(&["id", "lang", "dir"]))
        .url_schemes(only(&["http", "https", "mailto", "file"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .strip_comments(true);
    builder
});

/// The HTML as a tree of safe elements: no script, no style, no scheme that does anything.
fn clean(html: &str, limit: usize) -> Vec<Node> {
    tree::parse(&CLEANER.clean(&normalize::shape(html, limit)).to_string())
}

/// The tree of HTML that `review_body` wrote.
pub(super) fn parse(safe: &str) -> Vec<Node> {
    tree::parse(safe)
}

/// What `parse` reads.
pub(super) fn write(nodes: &[Node]) -> String {
    tree::write(nodes)
}

/// The visible text of nodes; each block and each `<br>` on a line of its own.
pub(super) fn text_of(nodes: &[Node]) -> String {
    strip_deceptive_characters(&tree::text(nodes))
}

/// The visible text of any HTML, entities decoded once; each block on a line of its own.
pub fn plain_text(html: &str) -> String {
    text_of(&clean(html, MAX_BYTES))
}

/// The first sentences of a body that `review_body` wrote.
pub fn teaser(body: &str) -> String {
    let nodes = tree::parse(body);
    let mut prose = String::new();
    for node in &nodes {
        let Node::Element(paragraph) = node else { continue };
        let film = |link: &Node| matches!(link, Node::Element(link) if pictures::is_trailer(link));
        if paragraph.name != "p" || matches!(paragraph.children.as_slice(), [link] if film(link)) {
            continue;
        }
        let text = text_of(&without_marks(&paragraph.children)).replace('\n', " ");
        if !prose.is_empty() {
            prose.push(' ');
        }
        prose.push_str(&text);
        if prose.chars().count() > TEASER {
            break;
        }
    }
    if prose.is_empty() {
        prose = text_of(&nodes).replace('\n', " ");
    }
    text::sentences(&prose, TEASER)
}

/// Nodes without the numbers that lead to footnotes.
fn without_marks(nodes: &[Node]) -> Vec<Node> {
    let leads_to_note = |node: &Node| matches!(node, Node::Element(link) if link.attribute("href").is_some_and(|href| href.starts_with('#')));
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Element(e) if e.name == "sup" && e.children.iter().any(leads_to_note) => {}
            Node::Element(e) => {
                kept.push(Node::Element(Element { children: without_marks(&e.children), ..e.clone() }));
            }
            Node::Text(_) => kept.push(node.clone()),
        }
    }
    kept
}

/// Plain text as HTML: an empty line starts a paragraph, a line break is kept.
pub fn from_plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let paragraphs = text.split("\n\n").filter(|p| !p.trim().is_empty());
    paragraphs
        .map(|paragraph| {
            let mut children = Vec::new();
            for line in paragraph.trim().lines() {
                if !children.is_empty() {
                    children.push(Node::Element(Element::new("br", Vec::new())));
                }
                children.push(Node::Text(line.to_owned()));
            }
            tree::write(&[Node::Element(Element::new("p", children))])
        })
        .collect()
}

/// The address that `href` names, seen from `base`; none where it is not one of the web. Control
/// characters and spaces do not hide a scheme: the parser is that of browsers.
pub(super) fn resolve_url(href: &str, base: Option<&Url>) -> Option<Url> {
    let url = match base {
        Some(base) => base.join(href.trim()),
        None => Url::parse(href.trim()),
    };
    let url = url.ok()?;
    let named = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|h| !h.is_empty());
    let anonymous = url.username().is_empty() && url.password().is_none();
    (named && anonymous && url.as_str().len() <= MAX_URL).then_some(url)
}
