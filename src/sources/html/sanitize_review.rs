//! Sanitizes the body of a review and gives it a uniform structure.

use std::collections::HashSet;

use url::Url;

use super::headings::{heading_level, shift_headings};
use super::paragraphs::{CopyBudget, paragraphs, push_down, trim_blank, trim_first_line};
use super::platform_text::EntryFacts;
use super::resolve_urls::{MAX_URL_BYTES, resolve_url};
use super::tree::{self, Element, Node};
use super::{MAX_BYTES, clean, image_sources, images, platform_text, video_embed};
use crate::domain::tracking_parameters::strip_tracking;

/// The maximum number of links of one body. Further links become plain text.
const MAX_LINKS: usize = 2_000;
/// The prefix of ids in a body, so that they never equal an id of the surrounding page.
const ID_PREFIX: &str = "note-";

/// The maximum number of attempts to find a stable set of linked ids. After that, the body loses its internal links.
const MAX_PASSES: usize = 4;

/// Returns the body of a review as safe HTML: paragraphs, headings from `h2` on, lists, quotes, tables, footnotes,
/// and links with absolute URLs. Each image is a separate figure and keeps its original URL; `replace_images` replaces
/// that with a local one, since a reader's browser must not contact third parties. Sanitizing the result again changes
/// nothing.
pub fn sanitize_review_body(html: &str, base: &Url) -> String {
    rebuild_body(image_sources::choose_sources(clean(html, MAX_BYTES), base), base)
}

/// Returns the body of a feed's entry as [`sanitize_review_body`] does, without what the platform added to it, and the
/// subtitle if that was part of the body. A body that would have no content keeps all.
pub(in crate::sources) fn sanitize_entry_body(
    html: &str,
    base: &Url,
    facts: EntryFacts<'_>,
) -> (String, Option<String>) {
    let nodes = image_sources::choose_sources(clean(html, MAX_BYTES), base);
    let (nodes, subtitle) = platform_text::strip(nodes, html, base, facts);
    let body = rebuild_body(nodes, base);
    if body.is_empty() { (sanitize_review_body(html, base), None) } else { (body, subtitle) }
}

fn rebuild_body(nodes: Vec<Node>, base: &Url) -> String {
    let mut body = rebuild_blocks(nodes, base);
    // Rebuilding may move an image, such as one out of a heading, so that it follows the same picture. Each turn removes at
    // least one image.
    for _ in 0..images::MAX_IMAGES {
        let count = images::count(&body);
        if count < 2 {
            break;
        }
        let chosen = image_sources::choose_sources(body.clone(), base);
        if images::count(&chosen) == count {
            break;
        }
        body = rebuild_blocks(chosen, base);
    }
    tree::write(&body)
}

fn rebuild_blocks(nodes: Vec<Node>, base: &Url) -> Vec<Node> {
    let mut ids = HashSet::new();
    collect_ids(&nodes, &mut ids);
    let mut targets = HashSet::new();
    collect_targets(&nodes, base, &ids, &mut targets);
    let mut nodes = paragraphs(rebuild(nodes, base, targets));
    trim_blank(&mut nodes);
    shift_headings(&mut nodes);
    nodes
}

/// Rebuilds the nodes. Some links are lost in the process, for example those in a heading. Ids that only such links led
/// to are not needed, so the nodes are rebuilt without them.
fn rebuild(nodes: Vec<Node>, base: &Url, mut targets: HashSet<String>) -> Vec<Node> {
    let bytes = nodes.iter().map(Node::bytes).sum();
    for _ in 0..MAX_PASSES {
        if targets.is_empty() {
            break;
        }
        let rebuilder = &mut Rebuilder::new(base, targets.clone(), bytes);
        let rebuilt = rebuilder.nodes(nodes.clone());
        let mut linked = HashSet::new();
        collect_linked_ids(&rebuilt, &mut linked);
        if targets.is_subset(&linked) {
            return rebuilt;
        }
        targets.retain(|id| linked.contains(id));
    }
    Rebuilder::new(base, HashSet::new(), bytes).nodes(nodes)
}

/// Collects the ids that rebuilt links lead to.
fn collect_linked_ids(nodes: &[Node], ids: &mut HashSet<String>) {
    for node in nodes {
        if let Node::Element(e) = node {
            ids.extend(e.attribute("href").and_then(|href| href.strip_prefix('#')).map(str::to_owned));
            collect_linked_ids(&e.children, ids);
        }
    }
}

fn collect_ids(nodes: &[Node], ids: &mut HashSet<String>) {
    for node in nodes {
        if let Node::Element(e) = node {
            if let Some(id) = e.attribute("id").and_then(page_id) {
                ids.insert(id);
            }
            collect_ids(&e.children, ids);
        }
    }
}

/// Collects the ids that visible links lead to.
fn collect_targets(nodes: &[Node], base: &Url, ids: &HashSet<String>, targets: &mut HashSet<String>) {
    for node in nodes {
        let Node::Element(e) = node else { continue };
        let is_visible = || !tree::text(&e.children).is_empty();
        let target = e.attribute("href").and_then(|href| fragment(href, base)).filter(|_| is_visible());
        if let Some(id) = target.filter(|id| ids.contains(id)) {
            targets.insert(id);
        }
        collect_targets(&e.children, base, ids, targets);
    }
}

/// Returns the id that an element has on our page.
fn page_id(id: &str) -> Option<String> {
    let id = id.strip_prefix(ID_PREFIX).unwrap_or(id);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    (!id.is_empty() && id.len() <= 80 && id.chars().all(plain)).then(|| format!("{ID_PREFIX}{id}"))
}

/// Returns the id that a link within the page leads to.
fn fragment(href: &str, base: &Url) -> Option<String> {
    let fragment = if let Some(fragment) = href.strip_prefix('#') {
        fragment.to_owned()
    } else {
        let url = base.join(href).ok()?;
        let (mut page, mut own) = (url.clone(), base.clone());
        page.set_fragment(None);
        own.set_fragment(None);
        (page == own).then(|| url.fragment().map(str::to_owned)).flatten()?
    };
    let fragment = percent_encoding::percent_decode_str(&fragment).decode_utf8().ok()?;
    page_id(&fragment)
}

struct Rebuilder<'a> {
    base: &'a Url,
    /// Ids that are linked to and not used yet. All other ids are dropped.
    targets: HashSet<String>,
    links: usize,
    images: usize,
    copies: CopyBudget,
}

impl<'a> Rebuilder<'a> {
    /// Rebuilds a document that takes that many bytes.
    fn new(base: &'a Url, targets: HashSet<String>, bytes: usize) -> Self {
        Self { base, targets, links: 0, images: 0, copies: CopyBudget::for_document(bytes) }
    }

    fn nodes(&mut self, nodes: Vec<Node>) -> Vec<Node> {
        super::rebuild(nodes, |e, out| self.element(e, out))
    }

    fn element(&mut self, e: Element, out: &mut Vec<Node>) {
        let id = e.attribute("id").and_then(page_id).filter(|id| self.targets.remove(id));
        if e.is_caption_figure() {
            return out.extend(self.poster_caption(e));
        }
        let e = images::into_figure(e);
        let has_image = e.name == "figure" && images::has_image(&e.children);
        let name = match e.name.as_str() {
            "br" | "hr" => return out.push(Node::Element(Element::new(&e.name, Vec::new()))),
            "img" => return out.extend(self.figure(e)),
            "a" => return self.link(e, id, out),
            "b" => "strong",
            "i" => "em",
            "s" | "strike" => "del",
            "tt" | "samp" | "var" => "code",
            "div" | "section" | "article" | "main" | "header" | "footer" | "aside" | "nav" | "address"
            | "center" => {
                return self.container(e.children, id, out);
            }
            "span" | "big" | "u" | "time" | "font" | "ins" | "dfn" if id.is_none() => {
                return out.extend(self.nodes(e.children));
            }
            "big" | "u" | "time" | "font" | "ins" | "dfn" => "span",
            name => name,
        };
        let mut new = Element::new(name, Vec::new());
        for (attribute, value) in &e.attributes {
            let number = value.parse::<u16>().is_ok_and(|n| n <= 1_000);
            let is_kept = match attribute.as_str() {
                "colspan" | "rowspan" | "start" => number,
                "lang" => value.len() <= 35 && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "dir" => matches!(value.as_str(), "ltr" | "rtl" | "auto"),
                _ => false,
            };
            if is_kept {
                new.attributes.push((attribute.clone(), value.clone()));
            }
        }
        let mut inner = self.nodes(e.children);
        if heading_level(name).is_some() {
            out.extend(inner.extract_if(.., |node| node.is_image_figure()));
        }
        new.children = arrange(name, inner);
        let has_only_captions = || new.children.iter().all(|node| node.is("figcaption") || node.is_blank());
        let is_picture = || has_image && !has_more_than_image(&new.children);
        if name == "figure" && (has_only_captions() || is_picture()) {
            return out.extend(images::with_caption(new.children));
        }
        if !new.is_block() && new.children.iter().any(Node::is_block) {
            let inner = std::mem::take(&mut new.children);
            return out.extend(push_down(&new, inner, &self.copies));
        }
        let blank = new.children.iter().all(Node::is_blank);
        if blank && !matches!(name, "td" | "th") {
            return;
        }
        new.attributes.extend(id.map(|id| ("id".to_owned(), id)));
        if name == "p" && new.children.iter().any(Node::is_block) {
            return out.extend(paragraphs(vec![Node::Element(new)]));
        }
        out.push(Node::Element(new));
    }

    /// Returns the caption of a poster, which is a figure without an image.
    fn poster_caption(&mut self, figure: Element) -> Option<Node> {
        let caption = images::blocks_to_lines(self.nodes(figure.children));
        let is_blank = caption.iter().all(Node::is_blank);
        let caption = Node::Element(Element::new("figcaption", caption));
        (!is_blank).then(|| Node::Element(Element::new("figure", vec![caption])))
    }

    /// Returns an image as a figure, or its alternative text if there are too many images.
    fn figure(&mut self, img: Element) -> Option<Node> {
        if self.images >= images::MAX_IMAGES {
            return image_sources::alt_text(&img).map(Node::Text);
        }
        self.images += 1;
        Some(Node::Element(Element::new("figure", vec![Node::Element(img)])))
    }

    /// Replaces a container with its content, which becomes a paragraph if it has no blocks.
    fn container(&mut self, children: Vec<Node>, id: Option<String>, out: &mut Vec<Node>) {
        let mut inner = paragraphs(self.nodes(children));
        trim_blank(&mut inner);
        if inner.is_empty() {
            return;
        }
        let Some(id) = id else { return out.extend(inner) };
        let mut kept = Element::new("div", inner);
        kept.attributes.push(("id".to_owned(), id));
        out.push(Node::Element(kept));
    }

    fn link(&mut self, e: Element, id: Option<String>, out: &mut Vec<Node>) {
        let Some(href) = e.attribute("href") else {
            return out.extend(self.nodes(e.children));
        };
        // Ids are removed from `targets` once they are used, so internal links are recognized by their form.
        let target = match fragment(href, self.base) {
            Some(id) => Some(format!("#{id}")),
            None if href.len() > MAX_URL_BYTES => None,
            None if href.starts_with("mailto:") => Some(href.to_owned()),
            None => resolve_url(href, Some(self.base)).map(|url| strip_tracking(url, Some(self.base)).into()),
        };
        // Only the thumbnail of a trailer stays within its link.
        let mut children = e.children;
        let has_thumbnail = self.images < images::MAX_IMAGES
            && children.first().is_some_and(|first| first.is("img"))
            && is_trailer_text(&children);
        let thumbnail = has_thumbnail.then(|| children.remove(0));
        self.images += usize::from(has_thumbnail);
        let children = self.nodes(children);
        self.links += 1;
        let mut link = Element::new("a", children);
        match target.filter(|_| self.links <= MAX_LINKS) {
            _ if link.children.iter().all(Node::is_blank) && id.is_none() => return,
            Some(target) => link.attributes.push(("href".to_owned(), target)),
            None if id.is_none() => return out.extend(link.children),
            None => "span".clone_into(&mut link.name),
        }
        link.attributes.extend(id.map(|id| ("id".to_owned(), id)));
        if link.attribute("href").is_some_and(|href| href.starts_with("http")) {
            link.attributes.push(("rel".to_owned(), "noopener noreferrer".to_owned()));
        }
        if link.children.iter().any(Node::is_block) {
            let inner = std::mem::take(&mut link.children);
            return out.extend(push_down(&link, inner, &self.copies));
        }
        if let Some(thumbnail) = thumbnail.filter(|_| link.name == "a" && is_trailer_text(&link.children)) {
            link.children.insert(0, thumbnail);
        }
        out.push(Node::Element(link));
    }
}

fn is_trailer_text(nodes: &[Node]) -> bool {
    tree::text(nodes).starts_with(video_embed::TRAILER_MARK)
}

/// Adapts the content of an element to the rules of that element.
fn arrange(name: &str, mut inner: Vec<Node>) -> Vec<Node> {
    match name {
        "blockquote" | "details" | "figure" => {
            inner = paragraphs(inner);
            trim_blank(&mut inner);
        }
        "ul" | "ol" | "dl" | "table" | "thead" | "tbody" | "tfoot" | "tr" => {
            inner.retain(|n| !n.is_blank() || n.is("td") || n.is("th"));
        }
        "li" | "td" | "th" | "dd" if inner.iter().any(Node::is_block) => trim_blank(&mut inner),
        "pre" => trim_first_line(&mut inner),
        "p" => trim_blank(&mut inner),
        // Summaries and captions contain only text.
        "summary" | "caption" | "figcaption" => inner.retain(|n| !n.is_image_figure()),
        _ if heading_level(name).is_some() && inner.iter().any(Node::is_block) => {
            let text = tree::text(&inner).replace('\n', " ");
            inner = vec![Node::Text(text)];
        }
        _ if heading_level(name).is_some() => trim_blank(&mut inner),
        _ => {}
    }
    inner
}

fn has_more_than_image(nodes: &[Node]) -> bool {
    nodes.iter().any(|n| match n {
        Node::Text(_) => false,
        Node::Element(e) => {
            matches!(e.name.as_str(), "blockquote" | "pre" | "table") || has_more_than_image(&e.children)
        }
    })
}

#[cfg(test)]
mod tests;
