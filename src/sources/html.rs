//! Makes HTML safe. No other module does so.
//!
//! There are three steps: `limit_nesting` limits size and depth, so that the following steps take linear time; ammonia
//! removes everything unsafe; `sanitize_review` and `sanitize_comment` rebuild links, headings and paragraphs.

mod elements;
mod headings;
mod image_renditions;
mod image_sources;
mod image_url;
mod images;
mod lexer;
mod limit_nesting;
mod paragraphs;
mod platform_text;
mod resolve_urls;
mod sanitize_comment;
mod sanitize_review;
mod shortcodes;
mod shorten;
mod teaser;
mod tree;
mod truncate;
pub mod video_embed;
mod wordpress_text;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use crate::domain::sanitize_text::strip_deceptive_characters;

pub(super) use image_renditions::has_image_ending;
pub(super) use image_url::{image_url, is_image_type};
pub use images::{
    ImageAction, ImageSlot, LocalImage, MAX_IMAGES, MIN_IMAGE_PIXELS, first_image, replace_images,
    take_poster,
};
pub(super) use platform_text::{EntryFacts, strip_from_text};
pub(super) use resolve_urls::resolve_url;
pub use sanitize_comment::{MAX_SANITIZED_COMMENT_BYTES, sanitize_comment, sanitize_reply, shorten_comment};
pub(super) use sanitize_review::sanitize_entry_body;
pub use sanitize_review::sanitize_review_body;
pub use teaser::teaser;
pub(super) use tree::{Element, Node};
pub use truncate::single_line_text;
pub(super) use wordpress_text::expand as expand_wordpress_text;

/// The maximum size of HTML in bytes. The rest is dropped.
pub const MAX_BYTES: usize = 1_000_000;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let only = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    builder
        .tags(elements::allowed().collect())
        .tag_attributes(HashMap::from([
            ("a", only(&["href"])),
            ("img", image_sources::source_attributes().chain(["src", "alt", "width", "height"]).collect()),
            ("source", image_sources::source_attributes().chain(["type"]).collect()),
            ("ol", only(&["start"])),
            ("td", only(&["colspan", "rowspan"])),
            ("th", only(&["colspan", "rowspan"])),
        ]))
        .generic_attributes(only(&["class", "id", "lang", "dir"]))
        .generic_attribute_prefixes(only(&["data-"]))
        .url_schemes(only(&["http", "https", "mailto", "file"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .strip_comments(true);
    builder
});

/// Parses HTML into a tree of safe elements, without scripts, styles or dangerous schemes. Only the first `limit` bytes
/// are used.
fn clean(html: &str, limit: usize) -> Vec<Node> {
    tree::parse(&CLEANER.clean(&limit_nesting::limit_nesting(html, limit)).to_string())
}

/// Rebuilds nodes: texts lose their deceptive characters, and `element` writes what stands for each element.
fn rebuild(nodes: Vec<Node>, mut element: impl FnMut(Element, &mut Vec<Node>)) -> Vec<Node> {
    let mut out = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Text(text) => out.push(Node::Text(strip_deceptive_characters(&text))),
            Node::Element(e) => element(e, &mut out),
        }
    }
    out
}

/// Parses HTML that [`sanitize_review_body`] returned.
pub(super) fn parse(safe: &str) -> Vec<Node> {
    tree::parse(safe)
}

/// Serializes nodes as HTML that [`parse`] accepts.
pub(super) fn write(nodes: &[Node]) -> String {
    tree::write(nodes)
}

/// Returns the visible text of nodes, with each block and each `<br>` on a separate line.
pub(super) fn text_of(nodes: &[Node]) -> String {
    strip_deceptive_characters(&tree::text(nodes))
}

/// Returns the visible text of any HTML, with references decoded once and each block on a separate line.
pub fn plain_text(html: &str) -> String {
    text_of(&clean(html, MAX_BYTES))
}

/// Converts plain text to HTML. An empty line starts a paragraph; line breaks are kept.
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
